"""OpenInference on LangChain and on the OpenAI client below it: one call makes two spans with usage."""

from openinference.instrumentation import using_attributes
from openinference.instrumentation.langchain import LangChainInstrumentor
from openinference.instrumentation.openai import OpenAIInstrumentor

import langchain_cases
from scene import SESSION, USER, case, request_span, tracing

provider = tracing()
LangChainInstrumentor().instrument(tracer_provider=provider)
OpenAIInstrumentor().instrument(tracer_provider=provider)

if case() == "session":
    with using_attributes(session_id=SESSION, user_id=USER):
        langchain_cases.play("session")
else:
    with request_span():
        langchain_cases.play(case())
