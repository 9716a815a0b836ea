"""OpenTelemetry's instrumentation of Google's client, with content on spans, in events, in both or nowhere."""

import os

from opentelemetry.instrumentation.google_genai import GoogleGenAiSdkInstrumentor

import google_cases
from scene import case, content_variant, logs, tracing

name, where = content_variant(case())
if where:
    os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = where
if where != "span_only":
    os.environ["OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT"] = "true"
tracing()
logs()
GoogleGenAiSdkInstrumentor().instrument()
google_cases.play(name)
