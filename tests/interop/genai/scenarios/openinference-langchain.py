"""OpenInference on LangChain."""

from openinference.instrumentation import TraceConfig, using_attributes
from openinference.instrumentation.langchain import LangChainInstrumentor

import langchain_cases
from scene import SESSION, USER, case, request_span, tracing

hidden = case() == "no_content"
config = TraceConfig(hide_inputs=hidden, hide_outputs=hidden)
provider = tracing()
LangChainInstrumentor().instrument(tracer_provider=provider, config=config)

if case() == "session":
    with using_attributes(session_id=SESSION, user_id=USER, metadata={"plan": "pro"}, tags=["beta", "web"]):
        langchain_cases.play("session", {"metadata": {"team": "blue"}})
else:
    with request_span():
        langchain_cases.play(case())
