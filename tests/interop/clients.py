"""The stock clients. Each exports the same spans in one request and tells whether it believes that they arrived."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from processes import eventually, running_collector
from scrape import scrape, total
from telemetry import Compression, SpanExporter

EXPORT_SECONDS = 60
EXPORT_SCRIPT = Path(__file__).parent / "javascript/export.mjs"


@dataclass(frozen=True)
class Spans:
    """What is exported: a span for each start (nanoseconds), with an attribute of `padding` bytes."""

    service: str
    starts: tuple[int, ...]
    padding: int = 2_000


def python(endpoint, spans):
    """The SDK for Python. True if it believes that the spans were exported, false if it gave them up."""
    exporter = SpanExporter(endpoint, Compression.NoCompression)
    provider = TracerProvider(resource=Resource({"service.name": spans.service}), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("interop")
    for start in spans.starts:
        tracer.start_span("work", start_time=start, attributes={"padding": "x" * spans.padding}).end(start + 1_000_000)
    provider.force_flush()
    provider.shutdown()
    (outcome,) = exporter.outcomes
    return outcome == "SUCCESS"


def javascript(endpoint, spans):
    """The SDK for JavaScript, likewise."""
    asked = {
        "endpoint": endpoint,
        "service": spans.service,
        "starts": [start // 1_000_000 for start in spans.starts],
        "padding": spans.padding,
    }
    # Code that is given this way finds its packages from the working directory.
    command = ["node", "--input-type=module", "--eval", EXPORT_SCRIPT.read_text()]
    done = subprocess.run(
        command,
        cwd=os.environ["INTEROP_JAVASCRIPT"],
        input=json.dumps(asked),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=EXPORT_SECONDS,
    )
    (outcome,) = map(json.loads, done.stdout.splitlines())
    assert outcome["spans"] == len(spans.starts)
    return outcome["exported"]


def collector(endpoint, spans):
    """The Collector, which the SDK for Python exports to. It tells by its counters."""
    with running_collector(endpoint) as collector:
        assert python(collector.receiver, spans)

        def exporter_total(event):
            return total(scrape(collector.metrics), f"otelcol_exporter_{event}_spans")

        eventually(lambda: exporter_total("sent") + exporter_total("send_failed") == len(spans.starts), EXPORT_SECONDS)
        return exporter_total("send_failed") == 0


CLIENTS = [python, javascript, collector]
