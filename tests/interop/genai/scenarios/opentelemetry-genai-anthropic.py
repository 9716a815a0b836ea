"""The official OpenTelemetry instrumentation of the Anthropic client; content on spans, in events, in both or nowhere."""

import os

from opentelemetry.instrumentation.genai.anthropic import AnthropicInstrumentor

import anthropic_cases
from scene import case, content_variant, logs, tracing

name, where = content_variant(case())
if where:
    os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = where
if where != "span_only":
    os.environ["OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT"] = "true"
tracing()
logs()
AnthropicInstrumentor().instrument()
anthropic_cases.play(name)
