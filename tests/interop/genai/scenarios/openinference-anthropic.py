"""OpenInference on the Anthropic client."""

from openinference.instrumentation import TraceConfig, using_attributes
from openinference.instrumentation.anthropic import AnthropicInstrumentor

import anthropic_cases
from scene import SESSION, USER, case, request_span, tracing

hidden = case() == "no_content"
config = TraceConfig(hide_inputs=hidden, hide_outputs=hidden)
provider = tracing()
AnthropicInstrumentor().instrument(tracer_provider=provider, config=config)

if case() == "session":
    with using_attributes(session_id=SESSION, user_id=USER):
        anthropic_cases.play("session")
else:
    with request_span():
        anthropic_cases.play(case())
