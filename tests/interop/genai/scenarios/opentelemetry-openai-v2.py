"""OpenTelemetry's earlier instrumentation of the OpenAI client by its defaults: conventions 1.30, content in logs."""

import os

from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor

import openai_cases
from scene import case, logs, tracing

if case() != "no_content":
    os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "true"
tracing()
logs()
OpenAIInstrumentor().instrument()
openai_cases.play(case())
