"""What agents of OpenAI's Agents SDK do in each case. Cases that end in `_chat` use chat completions."""

import asyncio

from agents import Agent, ModelSettings, OpenAIChatCompletionsModel, Runner, custom_span, function_tool, trace
from agents.models.openai_responses import OpenAIResponsesModel
from openai import APIStatusError, AsyncOpenAI

from scene import MODELS, PROMPTS, SESSION, SYSTEM, USER, fake, get_weather


def play(name):
    """Plays a case."""
    asyncio.run(play_in_loop(name))


async def play_in_loop(name):
    what = name.removesuffix("_chat")
    made = OpenAIResponsesModel if what == name else OpenAIChatCompletionsModel
    client = AsyncOpenAI(base_url=fake("/v1"), max_retries=0)
    model = made(MODELS["openai_reasoning" if what == "reasoning" else "openai"], client)
    tools = [function_tool(get_weather)] if what in ("tools", "agent") else []
    settings = ModelSettings(temperature=0.5, include_usage=True) if what != "reasoning" else ModelSettings()
    guide = Agent("guide", instructions=SYSTEM, model=model, tools=tools, model_settings=settings)
    if what == "stream":
        async for _ in Runner.run_streamed(guide, PROMPTS[what]).stream_events():
            pass
    elif what == "error":
        try:
            await Runner.run(guide, PROMPTS[what])
        except APIStatusError:
            return
        raise AssertionError("the call did not fail")
    elif what == "session":
        with trace("travel", group_id=SESSION, metadata={"user_id": USER, "plan": "pro"}):
            await Runner.run(guide, PROMPTS[what])
    elif what == "agent":
        await delegate(guide, model, PROMPTS[what])
    else:
        await Runner.run(guide, PROMPTS[what])


async def delegate(desk, model, prompt):
    """A chief has an agent as its tool."""
    tool = desk.as_tool("ask_weather_desk", "Asks the desk for the weather.")
    chief = Agent("chief", instructions=SYSTEM, model=model, tools=[tool])
    with trace("travel"), custom_span("plan"):
        await Runner.run(chief, prompt)
