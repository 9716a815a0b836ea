"""OpenInference on Google's client."""

from openinference.instrumentation import TraceConfig, using_attributes
from openinference.instrumentation.google_genai import GoogleGenAIInstrumentor

import google_cases
from scene import SESSION, USER, case, tracing

hidden = case() == "no_content"
config = TraceConfig(hide_inputs=hidden, hide_outputs=hidden)
GoogleGenAIInstrumentor().instrument(tracer_provider=tracing(), config=config)

if case() == "session":
    with using_attributes(session_id=SESSION, user_id=USER, metadata={"plan": "pro"}, tags=["beta"]):
        google_cases.play("session")
else:
    google_cases.play(case())
