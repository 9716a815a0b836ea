"""The cases that the official Anthropic client plays, whoever instruments it."""

from anthropic import Anthropic, APIStatusError

from scene import MAX_TOKENS, MODELS, SYSTEM, TOOL, fake, get_weather, messages

MODEL = MODELS["anthropic"]
TOOLS = [{key: TOOL[key] for key in ("name", "description")} | {"input_schema": TOOL["schema"]}]


def client():
    return Anthropic(base_url=fake(), max_retries=0)


def play(name):
    """Plays a case."""
    globals()[f"play_{name}"]()


def asked(name, **more):
    """The arguments of a call."""
    talk = messages(name, system=False)
    return {"model": MODEL, "max_tokens": MAX_TOKENS, "system": SYSTEM, "messages": talk} | more


def play_chat(name="chat"):
    client().messages.create(**asked(name, stop_sequences=["END"]))


def play_stream():
    with client().messages.stream(**asked("stream")) as stream:
        for _ in stream.text_stream:
            pass


def play_stream_raw():
    for _ in client().messages.create(**asked("stream", stream=True)):
        pass


def play_tools(name="tools"):
    anthropic, talk = client(), messages(name, system=False)
    first = anthropic.messages.create(**asked(name, messages=talk, tools=TOOLS))
    talk.append({"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in first.content]})
    uses = [block for block in first.content if block.type == "tool_use"]
    results = [
        {"type": "tool_result", "tool_use_id": use.id, "content": get_weather(**use.input)} for use in uses
    ]
    talk.append({"role": "user", "content": results})
    anthropic.messages.create(**asked(name, messages=talk, tools=TOOLS))


def play_parallel_tools():
    play_tools("parallel_tools")


def play_cut_off():
    client().messages.create(**asked("cut_off"))


def play_cached(name="cached"):
    system = [{"type": "text", "text": SYSTEM, "cache_control": {"type": "ephemeral"}}]
    client().messages.create(**asked(name, system=system))


def play_cached_written():
    play_cached("cached_written")


def play_cached_stream():
    with client().messages.stream(**asked("cached")) as stream:
        stream.until_done()


def play_reasoning():
    client().messages.create(**asked("reasoning", thinking={"type": "enabled", "budget_tokens": 1024}))


def play_error():
    try:
        client().messages.create(**asked("error"))
    except APIStatusError:
        return
    raise AssertionError("the call did not fail")


def play_no_content():
    play_chat("no_content")


def play_session():
    client().messages.create(**asked("session"))
