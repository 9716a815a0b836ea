"""The SDK exports to a Collector, which answers at once and sends on from its queue, batched anew and with gzip."""

import grpc

import database
import handmade
import otlp
from checks import check_logs, check_metrics, check_traces
from processes import eventually
from telemetry import exported_logs, exported_metrics, exported_traces


def test_traces(observatory, collector, service):
    with exported_traces(collector, service) as requests:
        arrived(observatory, database.SPANS, service, otlp.spans(requests))
        check_traces(observatory, service, requests)


def test_metrics(observatory, collector, service):
    with exported_metrics(collector, service) as requests:
        arrived(observatory, database.POINTS, service, otlp.data_points(requests))
        check_metrics(observatory, service, requests)


def test_logs(observatory, collector, service):
    with exported_logs(collector, service) as requests:
        arrived(observatory, database.LOGS, service, otlp.log_records(requests))
        check_logs(observatory, service, requests)


def test_large_spans(observatory, collector, service):
    """At once they are more than the observatory takes in one request, and one alone is nearly that."""
    sizes = [59, 10, 10, 10]  # MiB
    with grpc.insecure_channel(collector, [("grpc.max_send_message_length", -1)]) as channel:
        export = handmade.export(channel, "traces")
        requests = [handmade.spans(service, [number], padding=size << 20) for number, size in enumerate(sizes, start=1)]
        for taken in [export.future(request) for request in requests]:
            taken.result()
    eventually(lambda: database.span_count(observatory, service) == len(sizes))


def arrived(observatory, query, service, sent):
    eventually(lambda: len(database.rows(observatory, query, service)) >= len(sent))
