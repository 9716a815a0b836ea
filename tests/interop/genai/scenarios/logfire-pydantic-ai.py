"""Pydantic AI under Logfire, which exports to any OTLP endpoint that the environment names."""

import logfire
from openai import AsyncOpenAI
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai_cases import play
from scene import MODELS, case, fake

logfire.configure(send_to_logfire=False, console=False, inspect_arguments=False)
logfire.instrument_pydantic_ai(include_content=case() != "no_content")
client = AsyncOpenAI(base_url=fake("/v1"), max_retries=0)
name = MODELS["openai_reasoning" if case() == "reasoning" else "openai"]
play(case(), OpenAIChatModel(name, provider=OpenAIProvider(openai_client=client)))
