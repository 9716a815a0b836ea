"""What an application on LiteLLM calls in each case, of Anthropic if the case ends in `_anthropic`, else of OpenAI."""

import asyncio
import json
import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else the import downloads prices

import litellm
from litellm.litellm_core_utils.logging_worker import GLOBAL_LOGGING_WORKER

from scene import MAX_TOKENS, MODELS, PROMPTS, SESSION, TOOL, USER, fake, get_weather, messages

FUNCTION = {key: TOOL[key] for key in ("name", "description")} | {"parameters": TOOL["schema"]}
TOOLS = [{"type": "function", "function": FUNCTION}]
ANTHROPIC = {"model": f"anthropic/{MODELS['anthropic']}", "api_base": fake(), "max_tokens": MAX_TOKENS}
OPENAI = {"api_base": fake("/v1"), "num_retries": 0, "max_retries": 0}


def play(name):
    """Plays a case, and waits until LiteLLM has told its callbacks."""
    asyncio.run(play_and_flush(name))


async def play_and_flush(name):
    what = name.removesuffix("_anthropic")
    target = OPENAI | {"model": f"openai/{MODELS['openai']}"} if what == name else ANTHROPIC
    await PLAYS.get(what, play_chat)(what, target)
    # Tasks of its own put what is to be told into a queue, which a worker empties for as long as the loop runs.
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        if task.get_coro().__name__ != "_worker_loop":
            await task
    await GLOBAL_LOGGING_WORKER.flush()


async def play_chat(name, target):
    await litellm.acompletion(messages=messages(name), temperature=0.5, **target)


async def play_stream(name, target):
    asked = {"stream": True, "stream_options": {"include_usage": True}}
    async for _ in await litellm.acompletion(messages=messages(name), **asked, **target):
        pass


async def play_tools(name, target):
    talk = messages(name)
    first = (await litellm.acompletion(messages=talk, tools=TOOLS, **target)).choices[0].message
    talk.append(first.model_dump(include={"role", "content", "tool_calls"}))
    for call in first.tool_calls:
        result = get_weather(**json.loads(call.function.arguments))
        talk.append({"role": "tool", "tool_call_id": call.id, "content": result})
    await litellm.acompletion(messages=talk, tools=TOOLS, **target)


async def play_reasoning(name, target):
    if target is not ANTHROPIC:
        target = OPENAI | {"model": f"openai/{MODELS['openai_reasoning']}"}
    await litellm.acompletion(messages=messages(name), reasoning_effort="low", **target)


async def play_error(name, target):
    try:
        await litellm.acompletion(messages=messages(name), **target)
    except litellm.RateLimitError:
        return
    raise AssertionError("the call did not fail")


async def play_session(name, target):
    told = {"user": USER, "litellm_session_id": SESSION, "metadata": {"session_id": SESSION, "tags": ["beta"]}}
    await litellm.acompletion(messages=messages(name), **told, **target)


async def play_embeddings(name, target):
    target = target | {"model": f"openai/{MODELS['openai_embeddings']}"}
    await litellm.aembedding(input=[PROMPTS[name]], **target)


PLAYS = {
    "stream": play_stream,
    "tools": play_tools,
    "reasoning": play_reasoning,
    "error": play_error,
    "session": play_session,
    "embeddings": play_embeddings,
}
