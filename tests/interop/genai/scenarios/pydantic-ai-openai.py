"""Pydantic AI on OpenAI's chat API, instrumented as its guide says: a tracer provider, then `instrument_all`."""

from openai import AsyncOpenAI
from pydantic_ai import Agent, InstrumentationSettings
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai_cases import play
from scene import MODELS, case, fake, tracing

tracing()
Agent.instrument_all(InstrumentationSettings(include_content=case() != "no_content"))
client = AsyncOpenAI(base_url=fake("/v1"), max_retries=0)
name = MODELS["openai_reasoning" if case() == "reasoning" else "openai"]
play(case(), OpenAIChatModel(name, provider=OpenAIProvider(openai_client=client)))
