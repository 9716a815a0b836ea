"""Microsoft's Semantic Kernel on OpenAI. Its spans are its own; messages go out as log records of Python."""

import asyncio
import logging
import os

from scene import MODELS, PROMPTS, SYSTEM, case, fake, get_weather, logs, tracing

WHAT = "_SENSITIVE" if case() != "no_content" else ""
os.environ[f"SEMANTICKERNEL_EXPERIMENTAL_GENAI_ENABLE_OTEL_DIAGNOSTICS{WHAT}"] = "true"

from opentelemetry.instrumentation.logging.handler import LoggingHandler
from semantic_kernel import Kernel
from semantic_kernel.agents import ChatCompletionAgent
from semantic_kernel.connectors.ai.function_choice_behavior import FunctionChoiceBehavior
from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion, OpenAIChatPromptExecutionSettings
from semantic_kernel.contents import ChatHistory
from semantic_kernel.exceptions import ServiceException
from semantic_kernel.functions import kernel_function

from openai import AsyncOpenAI

tracing()
handler = LoggingHandler(logger_provider=logs())
handler.addFilter(logging.Filter("semantic_kernel"))
logging.getLogger().addHandler(handler)
logging.getLogger().setLevel(logging.INFO)


class Weather:
    @kernel_function(name="get_weather", description="The weather in a city now.")
    def get_weather(self, city: str) -> str:
        return get_weather(city)


async def play(name):
    model = MODELS["openai_reasoning" if name == "reasoning" else "openai"]
    service = OpenAIChatCompletion(model, async_client=AsyncOpenAI(base_url=fake("/v1"), max_retries=0))
    kernel = Kernel(services=[service])
    settings = OpenAIChatPromptExecutionSettings(max_tokens=200, temperature=0.5)
    if name in ("tools", "agent"):
        kernel.add_plugin(Weather(), "weather")
        settings.function_choice_behavior = FunctionChoiceBehavior.Auto()
    if name == "agent":
        await ChatCompletionAgent(kernel=kernel, name="guide", instructions=SYSTEM).get_response(PROMPTS[name])
        return
    history = ChatHistory(system_message=SYSTEM)
    history.add_user_message(PROMPTS[name])
    if name == "stream":
        async for _ in service.get_streaming_chat_message_content(history, settings, kernel=kernel):
            pass
    else:
        await service.get_chat_message_content(history, settings, kernel=kernel)


try:
    asyncio.run(play(case()))
except ServiceException:
    if case() != "error":
        raise
