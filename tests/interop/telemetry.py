"""Records known telemetry with the stock OpenTelemetry SDK and exports it with its stock OTLP/gRPC exporters."""

import logging
import math
import time
from contextlib import contextmanager

import pytest
from grpc import Compression
from opentelemetry import trace
from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.logging.handler import LoggingHandler
from opentelemetry.metrics import Observation
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

SMALL_TRACES = 60
STEPS = 4  # spans below the root of each small trace
BATCH = 100
# Version, schema URL and attributes of an instrumentation scope.
SCOPE = ("1.2.3", "https://opentelemetry.io/schemas/1.27.0", {"scope.level": 7, "scope.share": 1.0})

# Every type that the SDK takes, and values that JSON cannot express.
EVERY_TYPE = {
    "text": 'Grüße, 世界 👋 "quoted"\n\ttabbed',
    "text.empty": "",
    "bool": True,
    "int": -42,
    "int.largest": 2**63 - 1,
    "float": 0.1,
    "float.whole": 3.0,
    "array.text": ["a", "ü", ""],
    "array.bool": [True, False],
    "array.int": [1, 2, -(2**63)],
    "array.float": [1.0, 2.5],
    "array.empty": [],
    "array.mixed": ["a", 1, 1.5, False],
    "map": {"nested": {"list": [1, {"deep": "yes"}]}, "empty": {}},
    "bytes": b"\x00\xff",
    "none": None,
    "float.nan": math.nan,
    "array.infinity": [math.inf, -math.inf],
    "float.negative_zero": -0.0,
    "text.nul": "before\0after",
}


class Witness:
    """Keeps the requests of an exporter, and how each export ended (which `force_flush` does not tell)."""

    def __init__(self, endpoint, compression):
        super().__init__(endpoint=endpoint, compression=compression, insecure=True)
        self.requests, self.outcomes = [], []

    def export(self, data, *args, **options):
        outcome = super().export(data, *args, **options)
        self.requests.append(self._translate_data(data))
        self.outcomes.append(outcome.name)
        return outcome

    def acknowledged(self):
        """The requests, all of which must have been acknowledged."""
        assert self.requests and set(self.outcomes) == {"SUCCESS"}, self.outcomes
        return self.requests


class SpanExporter(Witness, OTLPSpanExporter):
    pass


class MetricExporter(Witness, OTLPMetricExporter):
    pass


class LogExporter(Witness, OTLPLogExporter):
    pass


def resource(service):
    return Resource({"service.name": service, "host.cpus": 2, **EVERY_TYPE}, "https://opentelemetry.io/schemas/1.26.0")


@contextmanager
def exported_traces(endpoint, service, compression=Compression.NoCompression):
    """Exports small traces in several batches, and one trace with all that a span can hold; gives the requests."""
    exporter = SpanExporter(endpoint, compression)
    provider = TracerProvider(resource=resource(service), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter, max_export_batch_size=BATCH))
    record_small_traces(provider.get_tracer("interop.small"))
    record_rich_trace(provider.get_tracer("interop.rich", *SCOPE))
    assert provider.force_flush()
    yield exporter.acknowledged()
    provider.shutdown()


def record_small_traces(tracer):
    for number in range(SMALL_TRACES):
        with tracer.start_as_current_span(f"work {number}", attributes={"number": number}):
            for step in range(STEPS):
                with tracer.start_as_current_span("step", attributes={"step": step, "share": step / STEPS}):
                    pass


def record_rich_trace(tracer):
    with tracer.start_as_current_span("root", kind=SpanKind.SERVER, attributes=EVERY_TYPE) as root:
        root.add_event("début", {"answer": 42, "ratio": 2.0, "tags": ["x", "y"]})
        root.add_event("at a time of its own", timestamp=1_700_000_000_123_456_789)
        root.set_status(StatusCode.OK)
        other_id = RandomIdGenerator().generate_trace_id()
        elsewhere = SpanContext(other_id, 0xDEF, True, TraceFlags(1), TraceState([("vendor", "value")]))
        for kind in (SpanKind.CLIENT, SpanKind.PRODUCER, SpanKind.CONSUMER):
            links = [Link(elsewhere, {"why": "batch", "weight": 0.5}), Link(root.get_span_context())]
            with tracer.start_as_current_span(f"{kind.name.lower()} call", kind=kind, links=links):
                pass
        with pytest.raises(ValueError), tracer.start_as_current_span("fails"):
            raise ValueError("schlägt fehl")
        with tracer.start_as_current_span("failed") as failed:
            failed.set_status(Status(StatusCode.ERROR, "ohne Ausnahme"))
    below_remote = trace.set_span_in_context(trace.NonRecordingSpan(elsewhere))
    tracer.start_span("continues elsewhere", below_remote).end()


@contextmanager
def exported_metrics(endpoint, service, compression=Compression.NoCompression):
    """Exports a metric of each kind twice, the second time with more measured; gives the requests."""
    exporter = MetricExporter(endpoint, compression)
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=math.inf)
    exponential = View(instrument_name="latency.exponential", aggregation=ExponentialBucketHistogramAggregation())
    provider = MeterProvider([reader], resource(service), views=[exponential], shutdown_on_exit=False)
    measure = instruments(provider.get_meter("interop.metrics", *SCOPE))
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("exemplars")
    for _ in range(2):
        with tracer.start_as_current_span("measured"):  # so that points carry exemplars
            measure()
        assert provider.force_flush()
    yield exporter.acknowledged()
    provider.shutdown()


def instruments(meter):
    """Makes an instrument of each kind; gives the function that measures with them."""
    requests = meter.create_counter("requests", "{request}", "Anfragen, gezählt")
    cost = meter.create_counter("cost", "USD")
    active = meter.create_up_down_counter("active", "{request}")
    temperature = meter.create_gauge("temperature", "Cel")
    latency = meter.create_histogram("latency", "s", explicit_bucket_boundaries_advisory=[0.1, 0.5, 1.0])
    exponential = meter.create_histogram("latency.exponential", "s")
    meter.create_observable_gauge(
        "queue.length", [lambda _: [Observation(3, {"queue": "in"}), Observation(2.5, {"queue": "out"})]]
    )

    def measure():
        for route in ("/chat", "/embed"):
            requests.add(3, {"route": route, "status": 200, "sampled": True})
        cost.add(0.25)
        active.add(-2, {"share": 1.0})
        temperature.set(-40)
        for seconds in (0.05, 0.1, 0.7, 30.0):
            latency.record(seconds, {"route": "/chat"})
        for seconds in (0, 0.001, 1.5, 1e6):
            exponential.record(seconds)

    return measure


@contextmanager
def exported_logs(endpoint, service, compression=Compression.NoCompression):
    """Exports records of `logging` in several batches, and others through the API; gives the requests."""
    exporter = LogExporter(endpoint, compression)
    provider = LoggerProvider(resource(service), shutdown_on_exit=False)
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter, max_export_batch_size=BATCH))
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("logged")
    with tracer.start_as_current_span("logged"):
        record_with_logging(provider)
    record_with_api(provider.get_logger("interop.api", *SCOPE))
    assert provider.force_flush()
    yield exporter.acknowledged()
    provider.shutdown()


def record_with_logging(provider):
    logger = logging.Logger("interop.logging")
    logger.addHandler(LoggingHandler(logger_provider=provider, log_code_attributes=True))
    for number in range(250):
        logger.log((logging.DEBUG, logging.INFO, logging.WARNING)[number % 3], "record %d", number)
    try:
        raise ValueError("schlägt fehl")
    except ValueError:
        logger.exception("an exception", extra={"attempt": 2, "share": 1.0})
    logger.critical({"not": "text"})


def record_with_api(logger):
    for body in ("Text 世界", None, True, 7, 7.0, b"\x00\xff", ["a", 1], EVERY_TYPE):
        logger.emit(body=body, severity_number=SeverityNumber.INFO2, attributes=EVERY_TYPE)
    logger.emit(event_name="interop.happened", timestamp=time.time_ns(), severity_number=SeverityNumber.FATAL4)
