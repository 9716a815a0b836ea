"""OpenInference on the OpenAI client."""

from openinference.instrumentation import TraceConfig, using_attributes
from openinference.instrumentation.openai import OpenAIInstrumentor

import openai_cases
from scene import SESSION, USER, case, tracing

hidden = case() == "no_content"
config = TraceConfig(hide_inputs=hidden, hide_outputs=hidden)
provider = tracing()
OpenAIInstrumentor().instrument(tracer_provider=provider, config=config)

if case() == "session":
    with using_attributes(session_id=SESSION, user_id=USER, metadata={"plan": "pro"}, tags=["beta", "web"]):
        openai_cases.play("session")
else:
    openai_cases.play(case())
