"""The official OpenTelemetry instrumentation of LangChain and of the OpenAI client below it."""

import os

from opentelemetry.instrumentation.genai.langchain import LangChainInstrumentor
from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor

import langchain_cases
from scene import SESSION, case, content_variant, logs, tracing

name, where = content_variant(case())
if where:
    os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = where
if where != "span_only":
    os.environ["OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT"] = "true"
tracing()
logs()
LangChainInstrumentor().instrument()
OpenAIInstrumentor().instrument()
langchain_cases.play(name, {"configurable": {"thread_id": SESSION}} if name == "session" else None)
