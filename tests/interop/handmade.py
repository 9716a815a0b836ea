"""OTLP requests made by hand, for load and for filling the daemon up: small, numbered, and sent without an SDK."""

import time

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

EXPORT = "/opentelemetry.proto.collector.{0}.v1.{1}Service/Export"
METHODS = {
    "traces": EXPORT.format("trace", "Trace"),
    "metrics": EXPORT.format("metrics", "Metrics"),
    "logs": EXPORT.format("logs", "Logs"),
}


def spans(service, numbers, start=None, padding=0):
    """Spans whose ids are their numbers, so each number can be looked for."""
    request = ExportTraceServiceRequest()
    group = named(request.resource_spans.add(), service).scope_spans.add()
    start = time.time_ns() if start is None else start
    for number in numbers:
        span = group.spans.add(name="work", start_time_unix_nano=start, end_time_unix_nano=start + 1_000_000)
        span.trace_id, span.span_id = number.to_bytes(16, "big"), number.to_bytes(8, "big")
        if padding:
            span.attributes.add(key="padding").value.string_value = "x" * padding
    return request.SerializeToString()


def points(service, numbers):
    """Points of one gauge whose values are their numbers, each at a time of its own."""
    request = ExportMetricsServiceRequest()
    metric = named(request.resource_metrics.add(), service).scope_metrics.add().metrics.add(name="number")
    now = time.time_ns()
    for place, number in enumerate(numbers):
        metric.gauge.data_points.add(time_unix_nano=now + place * 1_000, as_int=number)
    return request.SerializeToString()


def records(service, numbers):
    """Log records whose severity text is the same for all and whose body is their number."""
    request = ExportLogsServiceRequest()
    group = named(request.resource_logs.add(), service).scope_logs.add()
    now = time.time_ns()
    for number in numbers:
        group.log_records.add(time_unix_nano=now, severity_text="INFO").body.string_value = str(number)
    return request.SerializeToString()


def named(group, service):
    group.resource.attributes.add(key="service.name").value.string_value = service
    return group


def export(channel, signal):
    """The Export method of a signal: takes an encoded request, gives an encoded response."""
    return channel.unary_unary(METHODS[signal])
