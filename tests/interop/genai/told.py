"""Prints where in a recording each truth stands, by the keys of attributes: what helps to fill in `untold`.

`=key` has exactly the truth, `~key` has it somewhere inside a longer text, and NOWHERE needs a reason in `untold`.
"""

import json
import sys
from pathlib import Path

from show import plain, requests

# These may differ in wording from what the provider said.
WORDS = ("finish_reason", "error_type")
COUNTS = ("input", "cache_read", "cache_write", "cache_write_1h", "audio_input", "output", "reasoning")


def values(value, key):
    """Every single value of an attribute, with its key."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from values(item, f"{key}.{name}")
    elif isinstance(value, list):
        for item in value:
            yield from values(item, f"{key}[]")
    else:
        yield key, value
        yield from values(decoded(value), f"{key}<json>")


def decoded(value):
    """What a text that is JSON holds; nothing for other values."""
    if not isinstance(value, str) or value[:1] not in ("{", "["):
        return []
    try:
        return json.loads(value)
    except ValueError:
        return []


def stored(folder):
    """Every value in a recording: of attributes, events, bodies and statuses."""
    for request in requests(folder / "traces.binpb", "traces"):
        for group in request.resource_spans:
            for scope in group.scope_spans:
                for span in scope.spans:
                    yield f"{span.name!r}.status", span.status.message
                    for item in span.attributes:
                        yield from values(plain(item.value), item.key)
                    for event in span.events:
                        for item in event.attributes:
                            yield from values(plain(item.value), f"event {event.name}:{item.key}")
    for request in requests(folder / "logs.binpb", "logs"):
        for group in request.resource_logs:
            for scope in group.scope_logs:
                for record in scope.log_records:
                    yield from values(plain(record.body), f"log {record.event_name}:body")
                    for item in record.attributes:
                        yield from values(plain(item.value), f"log {record.event_name}:{item.key}")


def truths(truth):
    """The fields of the truth that have something to tell, as (field, value)."""
    for name in ("session_id", "user_id"):
        yield name, truth[name]
    for tool in truth["tools"]:
        yield from (("tool.name", tool["name"]), ("tool.result", tool["result"]))
    for call in truth["calls"]:
        for name in ("request_model", "response_model", *WORDS, "response_id", "service_tier", "system", "reasoning"):
            yield name, call[name]
        yield from ((f"parameter {name}", one(value)) for name, value in call["parameters"].items())
        for name in COUNTS:
            yield f"{name}_tokens", call[f"{name}_tokens"]
        if call["cache_read_tokens"]:
            fresh = call["input_tokens"] - call["cache_read_tokens"] - call["cache_write_tokens"]
            yield "(input without cached)", fresh
            yield "(input without written)", call["input_tokens"] - call["cache_write_tokens"]
        for tool_call in call["tool_calls"]:
            yield from (("tool_call.id", tool_call["id"]), ("tool_call.arguments", tool_call["arguments"]))
        yield from (("message", message["text"]) for message in call["messages"])
        yield from (("text", text) for text in call["texts"])
        yield "completion", call["completion"]


def one(value):
    """The first of a list, or the value itself."""
    return value[0] if isinstance(value, list) else value


def where(value, held):
    """The keys under which a value stands."""
    if isinstance(value, (int, float)):
        return [f"={key}" for key, text in held if str(text) == str(value)]
    if isinstance(value, dict):
        value = next(iter(value.values()))
    exact = [f"={key}" for key, text in held if text == value]
    return exact + [f"~{key}" for key, text in held if isinstance(text, str) and value in text and text != value]


def main():
    for name in sys.argv[1:]:
        for file in sorted(Path(name).rglob("truth.json")):
            truth = json.loads(file.read_text())
            held = list(stored(file.parent))
            print(f"==== {truth['instrumentation']}/{truth['case']}")
            for field, value in truths(truth):
                if value in (None, 0, "", [], {}):
                    continue
                keys = list(dict.fromkeys(where(value, held)))
                note = "" if keys else ("untold" if field in truth["untold"] else "NOWHERE")
                print(f"  {field} {json.dumps(value)[:60]}: {note}{' '.join(keys[:7])}")
            for key, value in held:
                if any(word in key for word in ("finish_reason", "stop_reason", "error.type", "exception.type")):
                    print(f"  . {key} = {value}")


if __name__ == "__main__":
    main()
