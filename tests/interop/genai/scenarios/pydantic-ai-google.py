"""Pydantic AI on Google's generateContent API, instrumented as its guide says."""

from pydantic_ai import Agent, InstrumentationSettings
from pydantic_ai.models.google import GoogleModel
from pydantic_ai.providers.google import GoogleProvider
from pydantic_ai_cases import play
from scene import MODELS, case, fake, tracing

tracing()
Agent.instrument_all(InstrumentationSettings(include_content=case() != "no_content"))
play(case(), GoogleModel(MODELS["google"], provider=GoogleProvider(base_url=fake(), api_key="fake")))
