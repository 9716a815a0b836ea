"""The cases that the official OpenAI client plays, whoever instruments it."""

import json

from openai import APIStatusError, OpenAI

from scene import MAX_TOKENS, MODELS, PROMPTS, SYSTEM, TOOL, fake, get_weather, messages

MODEL, REASONING_MODEL, EMBEDDINGS_MODEL = MODELS["openai"], MODELS["openai_reasoning"], MODELS["openai_embeddings"]
FUNCTION = {key: TOOL[key] for key in ("name", "description")} | {"parameters": TOOL["schema"]}


def client():
    return OpenAI(base_url=fake("/v1"), max_retries=0)


def play(name):
    """Plays a case; those that end in `_responses` use the responses API."""
    globals()[f"play_{name}"]()


def play_chat(name="chat"):
    client().chat.completions.create(
        model=MODEL, messages=messages(name), temperature=0.5, top_p=0.9, max_tokens=MAX_TOKENS, seed=7, stop=["END"]
    )


def play_stream():
    asked = {"stream": True, "stream_options": {"include_usage": True}}
    for _ in client().chat.completions.create(model=MODEL, messages=messages("stream"), **asked):
        pass


def play_stream_without_usage():
    for _ in client().chat.completions.create(model=MODEL, messages=messages("stream"), stream=True):
        pass


def play_tools(name="tools"):
    openai, talk = client(), messages(name)
    tools = [{"type": "function", "function": FUNCTION}]
    first = openai.chat.completions.create(model=MODEL, messages=talk, tools=tools).choices[0].message
    talk.append(first.model_dump(exclude_none=True, include={"role", "content", "tool_calls"}))
    for call in first.tool_calls:
        result = get_weather(**json.loads(call.function.arguments))
        talk.append({"role": "tool", "tool_call_id": call.id, "content": result})
    openai.chat.completions.create(model=MODEL, messages=talk, tools=tools)


def play_parallel_tools():
    play_tools("parallel_tools")


def play_cut_off():
    client().chat.completions.create(model=MODEL, messages=messages("cut_off"), max_completion_tokens=MAX_TOKENS)


def play_flex():
    client().chat.completions.create(model=REASONING_MODEL, messages=messages("flex"), service_tier="flex")


def play_cached(name="cached"):
    client().chat.completions.create(model=MODEL, messages=messages(name))


def play_cached_written():
    play_cached("cached_written")


def play_reasoning():
    client().chat.completions.create(model=REASONING_MODEL, messages=messages("reasoning"), reasoning_effort="low")


def play_error():
    try:
        client().chat.completions.create(model=MODEL, messages=messages("error"))
    except APIStatusError:
        return
    raise AssertionError("the call did not fail")


def play_no_content():
    play_chat("no_content")


def play_session():
    client().chat.completions.create(model=MODEL, messages=messages("session"))


def play_embeddings():
    client().embeddings.create(model=EMBEDDINGS_MODEL, input=PROMPTS["embeddings"])


def play_chat_responses():
    client().responses.create(
        model=MODEL, instructions=SYSTEM, input=PROMPTS["chat"], temperature=0.5, max_output_tokens=MAX_TOKENS
    )


def play_cut_off_responses():
    client().responses.create(model=MODEL, input=PROMPTS["cut_off"], max_output_tokens=MAX_TOKENS)


def play_stream_responses():
    for _ in client().responses.create(model=MODEL, instructions=SYSTEM, input=PROMPTS["stream"], stream=True):
        pass


def play_tools_responses():
    openai, tools = client(), [{"type": "function", "strict": False} | FUNCTION]
    talk = [{"role": "user", "content": PROMPTS["tools"]}]
    first = openai.responses.create(model=MODEL, instructions=SYSTEM, input=talk, tools=tools)
    for call in first.output:
        talk.append(call.model_dump(exclude_none=True))
        result = get_weather(**json.loads(call.arguments))
        talk.append({"type": "function_call_output", "call_id": call.call_id, "output": result})
    openai.responses.create(model=MODEL, instructions=SYSTEM, input=talk, tools=tools)


def play_reasoning_responses():
    asked = {"reasoning": {"effort": "low", "summary": "auto"}}
    client().responses.create(model=REASONING_MODEL, instructions=SYSTEM, input=PROMPTS["reasoning"], **asked)
