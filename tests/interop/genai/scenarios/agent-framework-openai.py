"""Microsoft's Agent Framework on OpenAI. It traces itself; cases that end in `_chat` use chat completions."""

import asyncio

from agent_framework import Agent
from agent_framework.exceptions import AgentFrameworkException
from agent_framework.observability import configure_otel_providers
from agent_framework.openai import OpenAIChatClient, OpenAIChatCompletionClient

from openai import AsyncOpenAI
from scene import MODELS, PROMPTS, SESSION, SYSTEM, case, fake, get_weather

configure_otel_providers(enable_sensitive_data=case() != "no_content")
name = case().removesuffix("_chat")


async def play():
    made = OpenAIChatClient if name == case() else OpenAIChatCompletionClient
    model = MODELS["openai_reasoning" if name == "reasoning" else "openai"]
    client = made(model=model, async_client=AsyncOpenAI(base_url=fake("/v1"), max_retries=0))
    guide = Agent(client, SYSTEM, name="guide", tools=[get_weather] if name in ("tools", "agent") else [])
    if name == "stream":
        async for _ in guide.run(PROMPTS[name], stream=True):
            pass
    elif name == "agent":
        chief = Agent(client, SYSTEM, name="chief", tools=[guide.as_tool(name="ask_weather_desk")])
        await chief.run(PROMPTS[name])
    elif name == "session":
        await guide.run(PROMPTS[name], session=guide.create_session(session_id=SESSION))
    else:
        await guide.run(PROMPTS[name])


try:
    asyncio.run(play())
except AgentFrameworkException:
    if name != "error":
        raise
