"""OpenTelemetry's earlier instrumentation of the OpenAI client, opted in to the latest conventions that it knows."""

import os

os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "gen_ai_latest_experimental"

from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor

import openai_cases
from scene import case, content_variant, logs, tracing

name, where = content_variant(case())
if where:
    os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = where
if where != "span_only":
    os.environ["OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT"] = "true"
tracing()
logs()
OpenAIInstrumentor().instrument()
openai_cases.play(name)
