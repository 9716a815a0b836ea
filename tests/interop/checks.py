"""What must be true of exported telemetry, whichever way it came: it is in the tables and comes back as it went in."""

from collections import defaultdict

import database
import otlp
from query import QueryClient

PAGE = 50  # small enough for several pages
ERROR = 2  # opentelemetry.proto.trace.v1.Status.STATUS_CODE_ERROR
SEVERE = 17  # opentelemetry.proto.logs.v1.SEVERITY_NUMBER_ERROR


def check_traces(observatory, service, requests):
    sent = otlp.spans(requests)
    assert len(requests) > 1 and len(sent) > 300
    database.assert_spans(observatory, service, sent)

    traces = defaultdict(list)
    for item in sent:
        traces[item.record.trace_id.hex()].append(item)
    client = QueryClient(observatory.query)
    for trace_id, spans in traces.items():
        parts = client.call("TraceService", "GetTrace", trace_id=trace_id)
        otlp.assert_same(otlp.spans(part.data for part in parts), spans)

    pages = client.pages("TraceService", "ListTraces", service=service, page_size=PAGE)
    assert len(pages) > 1
    listed = [trace for page in pages for trace in page.traces]
    assert_newest_first(trace.start_time.ToNanoseconds() for trace in listed)
    otlp.assert_same(
        [
            (
                *(trace.trace_id, trace.root_name, trace.root_service, list(trace.services)),
                *(trace.start_time.ToNanoseconds(), trace.duration.ToNanoseconds()),
                *(trace.span_count, trace.error_count),
            )
            for trace in listed
        ],
        [trace_summary(trace_id, service, spans) for trace_id, spans in traces.items()],
    )


def trace_summary(trace_id, service, items):
    spans = [item.record for item in items]
    root = next((span for span in spans if not span.parent_span_id), None)
    start = min(span.start_time_unix_nano for span in spans)
    return (
        *(trace_id, root.name if root else "", service if root else "", [service]),
        *(start, max(span.end_time_unix_nano for span in spans) - start),
        *(len(spans), sum(span.status.code == ERROR for span in spans)),
    )


def check_metrics(observatory, service, requests):
    sent = otlp.data_points(requests)
    kinds = {item.metric.WhichOneof("data") for item in sent}
    assert kinds == {"gauge", "sum", "histogram", "exponential_histogram"}
    assert any(item.record.exemplars for item in sent)
    database.assert_points(observatory, service, sent)

    client = QueryClient(observatory.query)
    definitions = client.pages("MetricService", "ListMetrics", service=service, page_size=3)
    assert len(definitions) > 1
    listed = [metric for page in definitions for metric in page.metrics]
    otlp.assert_same(listed, {str(item.metric) for item in sent})

    def points(**fields):
        pages = client.pages("MetricService", "ListDataPoints", service=service, page_size=5, **fields)
        items = otlp.data_points(page.data for page in pages)
        assert_newest_first(item.record.time_unix_nano for item in items)
        return items

    otlp.assert_same(points(), sent)
    otlp.assert_same(points(name="latency"), [item for item in sent if item.metric.name == "latency"])


def check_logs(observatory, service, requests):
    sent = otlp.log_records(requests)
    assert len(requests) > 1 and len(sent) > 250
    database.assert_logs(observatory, service, sent)

    client = QueryClient(observatory.query)

    def records(**fields):
        pages = client.pages("LogService", "ListLogs", service=service, page_size=PAGE, **fields)
        items = otlp.log_records(page.data for page in pages)
        assert_newest_first(item.record.time_unix_nano or item.record.observed_time_unix_nano for item in items)
        return items

    otlp.assert_same(records(), sent)
    traced = [item for item in sent if item.record.trace_id]
    otlp.assert_same(records(trace_id=traced[0].record.trace_id.hex()), traced)
    severe = [item for item in sent if item.record.severity_number >= SEVERE]
    assert len(severe) >= 3
    otlp.assert_same(records(min_severity_number=SEVERE), severe)
    happened = [item for item in sent if item.record.event_name]
    otlp.assert_same(records(event_name="interop.happened"), happened)


def assert_newest_first(times):
    times = list(times)
    assert times == sorted(times, reverse=True)
