"""OpenLLMetry on OpenAI's Agents SDK."""

import os

from opentelemetry.instrumentation.openai_agents import OpenAIAgentsInstrumentor

import agents_cases
from scene import case, tracing

os.environ["TRACELOOP_TRACE_CONTENT"] = "false" if case() == "no_content" else "true"
OpenAIAgentsInstrumentor(replace_existing_processors=True).instrument(tracer_provider=tracing())
agents_cases.play(case())
