"""OpenInference on OpenAI's Agents SDK."""

from openinference.instrumentation import TraceConfig, using_attributes
from openinference.instrumentation.openai_agents import OpenAIAgentsInstrumentor

import agents_cases
from scene import SESSION, USER, case, tracing

hidden = case() == "no_content"
config = TraceConfig(hide_inputs=hidden, hide_outputs=hidden)
OpenAIAgentsInstrumentor().instrument(tracer_provider=tracing(), config=config)

if case() == "session":
    with using_attributes(session_id=SESSION, user_id=USER, metadata={"plan": "pro"}, tags=["beta"]):
        agents_cases.play("session")
else:
    agents_cases.play(case())
