"""What every scenario shares: what is said in each case, the tool, who asks, and where to export to.

A scenario is a program: `scenarios/<instrumentation>.py <case>`. It sets its instrumentation up as the documentation
of that says, plays the case against the fake at FAKE_URL, flushes and exits.
"""

import json
import os
import sys
from contextlib import nullcontext
from pathlib import Path

SCENE = json.loads((Path(__file__).parent.parent / "scene.json").read_text())
SESSION, USER = SCENE["session_id"], SCENE["user_id"]
SYSTEM, PROMPTS, MODELS, TOOL = SCENE["system"], SCENE["prompts"], SCENE["models"], SCENE["tool"]
MAX_TOKENS = 2000


IN_APP = "_in_app"


def case():
    """The case that this process shall play, without the ending that says that it is played inside the application's
    own span."""
    return sys.argv[1].removesuffix(IN_APP)


def request_span():
    """The application's own span around a case that ends in `_in_app`; as a context manager."""
    if not sys.argv[1].endswith(IN_APP):
        return nullcontext()
    from opentelemetry import trace

    return trace.get_tracer("shop").start_as_current_span("GET /answer")


def get_weather(city: str) -> str:
    """The weather in a city now."""
    result = TOOL["result"] + city
    # The recorder learns here that the tool ran, whatever the instrumentation says.
    with open(os.environ["SCENE_TOOLS_FILE"], "a", encoding="utf-8") as file:
        file.write(json.dumps({"name": TOOL["name"], "arguments": {"city": city}, "result": result}) + "\n")
    return result


def fake(path=""):
    """The address of the fake, for the base URL of a client."""
    return os.environ["FAKE_URL"] + path


def messages(name, system=True):
    """System and user message of a case, as OpenAI writes them."""
    head = [{"role": "system", "content": SYSTEM}] if system else []
    return [*head, {"role": "user", "content": PROMPTS[name]}]


def span_exporter():
    """The stock exporter for OTEL_EXPORTER_OTLP_PROTOCOL, set up by OTEL_EXPORTER_OTLP_ENDPOINT."""
    if os.environ["OTEL_EXPORTER_OTLP_PROTOCOL"] == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    else:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    return OTLPSpanExporter()


def log_exporter():
    """Likewise for log records."""
    if os.environ["OTEL_EXPORTER_OTLP_PROTOCOL"] == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
    else:
        from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    return OTLPLogExporter()


def tracing():
    """A global tracer provider that exports in batches. It is flushed when the process exits."""
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(span_exporter()))
    trace.set_tracer_provider(provider)
    return provider


def logs():
    """A global logger provider, likewise."""
    from opentelemetry import _logs
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor

    provider = LoggerProvider()
    provider.add_log_record_processor(BatchLogRecordProcessor(log_exporter()))
    _logs.set_logger_provider(provider)
    return provider


def content_variant(name):
    """A case and where it puts content, in the words of OpenTelemetry: `<case>_in_event` and `<case>_in_both` differ
    from the usual `span_only`; `no_content` captures none."""
    if name == "no_content":
        return name, None
    for ending, where in (("_in_event", "event_only"), ("_in_both", "span_and_event")):
        if name.endswith(ending):
            return name.removesuffix(ending), where
    return name, "span_only"
