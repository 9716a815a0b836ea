"""What a fake model answers: decided by the request alone, so that every provider's fake tells the same story.

Words in the last user message pick what happens:

* the name of a tool, or `weather`, when the request offers such a tool: a tool call; several are called one after the
  other; `both` calls the tool twice in one answer. After the last tool's result comes a text.
* `cached`: part of the input was read from a cache. Anthropic and Bedrock then also wrote part of it to one, OpenAI
  only with `written`; with `hour` too, part of what was written lives an hour.
* `think`: reasoning tokens, and a reasoning text where the provider shows one.
* `listen`: part of the input is audio.
* `long`: the answer is cut off at the length limit.
* `fail`: the call fails, with 400 if the message says `400`, else with 429.
"""

import json
import re
from dataclasses import dataclass, field

CITIES = ("Paris", "Rome")
# The providers answer with a dated model, whatever alias they were asked for.
DATED = {
    "gpt-4o": "gpt-4o-2024-08-06",
    "gpt-4o-mini": "gpt-4o-mini-2024-07-18",
    "gpt-4.1-mini": "gpt-4.1-mini-2025-04-14",
    "gpt-5-mini": "gpt-5-mini-2025-08-07",
    "o4-mini": "o4-mini-2025-04-16",
    "claude-sonnet-4-5": "claude-sonnet-4-5-20250929",
    "claude-haiku-4-5": "claude-haiku-4-5-20251001",
}
# Coding agents write context of their own before the question.
CONTEXT = re.compile("</(?:system-reminder|session_context|environment_context)>")


@dataclass(frozen=True)
class Tool:
    """A tool that the caller offers; `schema` is the JSON schema of its arguments."""

    name: str
    schema: dict


@dataclass(frozen=True)
class Call:
    """A request in no provider's words. Roles are user, assistant and tool; `texts` are the inputs of embeddings."""

    api: str
    model: str
    stream: bool = False
    system: str | None = None
    messages: list = field(default_factory=list)
    tools: list = field(default_factory=list)
    forced_tool: str | None = None
    json_schema: dict | None = None
    texts: list = field(default_factory=list)


@dataclass(frozen=True)
class Answer:
    """What the fake tells, in no provider's words. `input_tokens` counts all input, cached too; `output_tokens` all
    output, reasoning too; the cache_write_tokens include those that live an hour. `status` is that of HTTP."""

    number: int
    status: int
    response_model: str
    text: str = ""
    reasoning: str = ""
    finish: str = "stop"
    tool_calls: list = field(default_factory=list)
    input_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = 0
    audio_input_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0

    @property
    def fresh_input_tokens(self):
        """Input that was neither read from a cache nor written to one: what Anthropic and Bedrock call input."""
        return self.input_tokens - self.cache_read_tokens - self.cache_write_tokens


def answer(call, number, cache_write_word):
    """The answer to a call. No two numbers give the same count of anything, so a wrong pairing shows;
    `cache_write_word` makes this provider tell of tokens written to a cache; None if it never does."""
    model = DATED.get(call.model, call.model)
    question = last_question(call)
    words = question.lower()
    if "fail" in words:
        return Answer(number, 400 if "400" in words else 429, model)
    counts = counted(words, number, cache_write_word)
    if call.api.endswith("embeddings"):
        return Answer(number, 200, model, input_tokens=counts["input_tokens"])
    reasoning = f"Reasoning {number}." if "think" in words else ""
    calls = tool_calls(call, words, number)
    if calls:
        return Answer(number, 200, model, reasoning=reasoning, finish="tool", tool_calls=calls, **counts)
    if call.json_schema:
        text = json.dumps(made_from(call.json_schema, number))
    else:
        text = f"Answer {number} to: {question[:60]}"
    finish = "length" if "long" in words else "stop"
    return Answer(number, 200, model, text, reasoning, finish, **counts)


def counted(words, number, cache_write_word):
    """How many tokens of which sort the answer tells."""
    cached = "cached" in words
    read = 2048 + 11 * number if cached else 0
    writes = cache_write_word is not None and cache_write_word in words
    written = 1024 + 13 * number if cached and writes else 0
    reasoning = 193 + 5 * number if "think" in words else 0
    return {
        "input_tokens": 110 + 7 * number + read + written,
        "cache_read_tokens": read,
        "cache_write_tokens": written,
        "cache_write_1h_tokens": 256 + number if written and "hour" in words else 0,
        "audio_input_tokens": 25 + 2 * number if "listen" in words else 0,
        "output_tokens": 30 + 3 * number + reasoning,
        "reasoning_tokens": reasoning,
    }


def last_question(call):
    """The text of the last user message, or of what shall be embedded."""
    return question_in(call.messages) or " ".join(call.texts)


def question_in(messages):
    """The last question of a user."""
    users = [message["text"] for message in messages if message["role"] == "user" and message["text"]]
    return CONTEXT.split(users[-1])[-1].strip() if users else ""


def tool_calls(call, words, number):
    """The tools that this answer asks for. Results that came after the question say how far the story has got."""
    if call.forced_tool:
        wanted = [tool for tool in call.tools if tool.name == call.forced_tool]
    else:
        wanted = [tool for tool in call.tools if mentions(words, tool.name.lower())]
        wanted.sort(key=lambda tool: words.find(tool.name.lower()))
    done = 0
    for message in reversed(call.messages):
        if message["role"] == "user" and message["text"]:
            break
        done += message["role"] == "tool"
    twice = "both" in words
    step = done // 2 if twice else done
    if step >= len(wanted):
        return []
    tool = wanted[step]
    cities = CITIES if twice else CITIES[:1]
    return [
        {
            "id": f"call_{number:04}{letter}",
            "name": tool.name,
            "arguments": made_from(tool.schema, number, city),
        }
        for letter, city in zip("ab", cities)
    ]


def mentions(words, name):
    return name in words or ("weather" in words and "weather" in name)


def made_from(schema, number, text=CITIES[0], root=None):
    """A value that fits a JSON schema."""
    root = root or schema
    if "$ref" in schema:
        target = root
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        return made_from(target, number, text, root)
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in schema:
            return made_from(schema[choice][0], number, text, root)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    kind = str(schema.get("type", "object")).lower()
    if kind == "object":
        properties = schema.get("properties", {})
        names = schema.get("required") or list(properties)
        return {name: made_from(properties[name], number, text, root) for name in names if name in properties}
    if kind == "array":
        return [made_from(schema.get("items", {"type": "string"}), number, text, root)]
    return {"integer": number, "number": number + 0.5, "boolean": True, "null": None}.get(kind, text)


def flat_text(content):
    """The text of a message's content, which many APIs take as a string or as a list of parts."""
    if content is None or isinstance(content, str):
        return content or ""
    parts = [part if isinstance(part, str) else part.get("text") for part in content]
    return "\n".join(part for part in parts if isinstance(part, str))


def pieces(text):
    """A text in the pieces in which a stream tells it."""
    words = text.split(" ")
    return [word if index == 0 else f" {word}" for index, word in enumerate(words)] if text else []
