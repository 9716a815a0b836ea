"""Anthropic messages."""

import json

from . import sse
from .story import Call, Tool, flat_text, pieces

PATHS = (r"/v1/messages$",)
CACHE_WRITE_WORD = "cached"
TELLS_REASONING = True
TELLS_CACHE_LIVES = True
STREAM_TYPE = "text/event-stream"
PARAMETERS = {
    "temperature": ("temperature",),
    "top_p": ("top_p",),
    "top_k": ("top_k",),
    "max_tokens": ("max_tokens",),
    "stop": ("stop_sequences",),
}
PARAMETERS_IN = None
FINISH = {"stop": "end_turn", "tool": "tool_use", "length": "max_tokens"}


def read(_match, body):
    """The request in neutral words. A result of a tool comes as a part of a user message."""
    messages = []
    for message in body["messages"]:
        content = message["content"]
        results = [] if isinstance(content, str) else [part for part in content if part["type"] == "tool_result"]
        messages += [{"role": "tool", "text": flat_text(part.get("content"))} for part in results]
        text = flat_text(content)
        if text or not results:
            messages.append({"role": message["role"], "text": text})
    tools = [Tool(tool["name"], tool.get("input_schema") or {}) for tool in body.get("tools") or () if "name" in tool]
    return Call(
        "anthropic.messages",
        body["model"],
        bool(body.get("stream")),
        flat_text(body.get("system")) or None,
        messages,
        tools,
        (body.get("tool_choice") or {}).get("name"),
        (wanted_format(body) or {}).get("schema"),
    )


def wanted_format(body):
    """How the caller wants the answer formed: as a part of `output_config` now, by itself once."""
    return (body.get("output_config") or {}).get("format") or body.get("output_format")


def write(call, answer, _body):
    """Status, wire answer (events for a stream), and what it tells in Anthropic's words."""
    if answer.status != 200:
        kind = {429: "rate_limit_error", 400: "invalid_request_error"}[answer.status]
        error = {"type": kind, "message": "The fake refuses"}
        return answer.status, {"type": "error", "error": error, "request_id": "req_fake"}, {"error_type": kind}
    message = {
        "id": f"msg_{answer.number:06}",
        "type": "message",
        "role": "assistant",
        "model": answer.response_model,
        "content": blocks(answer),
        "stop_reason": FINISH[answer.finish],
        "stop_sequence": None,
        "usage": usage(answer),
    }
    told = {"finish_reason": message["stop_reason"], "response_id": message["id"], "service_tier": "standard"}
    return 200, events(message) if call.stream else message, told


def usage(answer):
    """Anthropic's counts: input leaves out what was read from a cache or written to it; output has the reasoning."""
    return {
        "input_tokens": answer.fresh_input_tokens,
        "cache_creation_input_tokens": answer.cache_write_tokens,
        "cache_read_input_tokens": answer.cache_read_tokens,
        "cache_creation": {
            "ephemeral_5m_input_tokens": answer.cache_write_tokens - answer.cache_write_1h_tokens,
            "ephemeral_1h_input_tokens": answer.cache_write_1h_tokens,
        },
        "output_tokens": answer.output_tokens,
        "output_tokens_details": {"thinking_tokens": answer.reasoning_tokens},
        "service_tier": "standard",
    }


def blocks(answer):
    """The content of the answer: thinking, text, calls of tools."""
    content = []
    if answer.reasoning:
        content.append({"type": "thinking", "thinking": answer.reasoning, "signature": "c2lnbmVk"})
    if answer.text:
        content.append({"type": "text", "text": answer.text})
    for call in answer.tool_calls:
        content.append({"type": "tool_use", "id": call["id"], "name": call["name"], "input": call["arguments"]})
    return content


def events(message):
    """A streamed answer. The first event tells the input and one token of output; the last the whole output."""
    first = {"output_tokens": 1, "output_tokens_details": None}
    begun = message | {"content": [], "stop_reason": None, "usage": message["usage"] | first}
    script = [{"type": "message_start", "message": begun}, {"type": "ping"}]
    for index, block in enumerate(message["content"]):
        at = {"index": index}
        start, deltas = block_parts(block)
        script.append({"type": "content_block_start", "content_block": start} | at)
        script += [{"type": "content_block_delta", "delta": delta} | at for delta in deltas]
        script.append({"type": "content_block_stop"} | at)
    delta = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    counts = {key: count for key, count in message["usage"].items() if key not in ("cache_creation", "service_tier")}
    script += [{"type": "message_delta", "delta": delta, "usage": counts}, {"type": "message_stop"}]
    for data in script:
        yield sse.event(data, data["type"])


def block_parts(block):
    """An empty block and what fills it."""
    if block["type"] == "text":
        return block | {"text": ""}, [{"type": "text_delta", "text": piece} for piece in pieces(block["text"])]
    if block["type"] == "thinking":
        thought = {"type": "thinking_delta", "thinking": block["thinking"]}
        signed = {"type": "signature_delta", "signature": block["signature"]}
        return block | {"thinking": "", "signature": ""}, [thought, signed]
    arguments = json.dumps(block["input"])
    middle = len(arguments) // 2
    halves = (arguments[:middle], arguments[middle:])
    return block | {"input": {}}, [{"type": "input_json_delta", "partial_json": half} for half in halves]
