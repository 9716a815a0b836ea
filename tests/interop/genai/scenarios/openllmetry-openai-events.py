"""OpenLLMetry on the OpenAI client without Traceloop's SDK, told to write content as log events."""

from opentelemetry.instrumentation.openai import OpenAIInstrumentor

import openai_cases
from scene import case, logs, tracing

tracing()
logs()
OpenAIInstrumentor(use_legacy_attributes=False).instrument()
openai_cases.play(case())
