"""OpenInference on LiteLLM."""

import litellm_cases  # before LiteLLM itself

from openinference.instrumentation import TraceConfig, using_attributes
from openinference.instrumentation.litellm import LiteLLMInstrumentor

from scene import SESSION, USER, case, tracing

hidden = case() == "no_content"
config = TraceConfig(hide_inputs=hidden, hide_outputs=hidden)
LiteLLMInstrumentor().instrument(tracer_provider=tracing(), config=config)

if case() == "session":
    with using_attributes(session_id=SESSION, user_id=USER, metadata={"plan": "pro"}, tags=["beta"]):
        litellm_cases.play("session")
else:
    litellm_cases.play(case())
