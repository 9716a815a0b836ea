"""Pydantic AI on OpenAI's responses API, in the oldest format that it still writes, with usage on agents."""

from openai import AsyncOpenAI
from pydantic_ai import Agent, InstrumentationSettings
from pydantic_ai.models.openai import OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai_cases import play
from scene import MODELS, case, fake, tracing

tracing()
Agent.instrument_all(InstrumentationSettings(version=2, use_aggregated_usage_attribute_names=False))
client = AsyncOpenAI(base_url=fake("/v1"), max_retries=0)
name = MODELS["openai_reasoning" if case() == "reasoning" else "openai"]
play(case(), OpenAIResponsesModel(name, provider=OpenAIProvider(openai_client=client)))
