"""Pydantic AI on Anthropic's messages API, instrumented as its guide says."""

from anthropic import AsyncAnthropic
from pydantic_ai import Agent, InstrumentationSettings
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai_cases import play
from scene import MODELS, case, fake, tracing

tracing()
Agent.instrument_all(InstrumentationSettings(include_content=case() != "no_content"))
client = AsyncAnthropic(base_url=fake(), max_retries=0)
play(case(), AnthropicModel(MODELS["anthropic"], provider=AnthropicProvider(anthropic_client=client)))
