"""Amazon Bedrock converse. It streams in the binary event stream of AWS."""

import json
import struct
import zlib

from .story import Call, Tool, flat_text, pieces

PATHS = (r"/model/(.+)/(converse|converse-stream)$",)
CACHE_WRITE_WORD = "cached"
TELLS_REASONING = False
TELLS_CACHE_LIVES = False
STREAM_TYPE = "application/vnd.amazon.eventstream"
PARAMETERS = {
    "temperature": ("temperature",),
    "top_p": ("topP",),
    "max_tokens": ("maxTokens",),
    "stop": ("stopSequences",),
}
PARAMETERS_IN = "inferenceConfig"
FINISH = {"stop": "end_turn", "tool": "tool_use", "length": "max_tokens"}
HEADER_TEXT = 7  # the type of a text among the headers of an event


def read(match, body):
    """The request in neutral words. A result of a tool is a part of a user message."""
    model, method = match.groups()
    messages = []
    for message in body["messages"]:
        results = [part["toolResult"] for part in message["content"] if "toolResult" in part]
        messages += [{"role": "tool", "text": json.dumps(result["content"])} for result in results]
        text = flat_text(message["content"])
        if text or not results:
            messages.append({"role": message["role"], "text": text})
    specs = [tool["toolSpec"] for tool in (body.get("toolConfig") or {}).get("tools", ()) if "toolSpec" in tool]
    choice = (body.get("toolConfig") or {}).get("toolChoice") or {}
    return Call(
        "bedrock.converse",
        model,
        method == "converse-stream",
        flat_text(body.get("system")) or None,
        messages,
        [Tool(spec["name"], spec["inputSchema"].get("json") or {}) for spec in specs],
        (choice.get("tool") or {}).get("name"),
    )


def write(call, answer, _body):
    """Status, wire answer (frames for a stream), and what it tells in Bedrock's words. It tells no model and no id."""
    if answer.status != 200:
        kind = {429: "ThrottlingException", 400: "ValidationException"}[answer.status]
        told = {"error_type": kind, "headers": (("x-amzn-errortype", kind),)}
        return answer.status, {"message": "The fake refuses"}, told
    told = {"finish_reason": FINISH[answer.finish], "response_id": None, "response_model": None}
    if call.stream:
        return 200, frames(answer), told
    message = {"role": "assistant", "content": content(answer)}
    body = {"output": {"message": message}, "stopReason": FINISH[answer.finish], "usage": usage(answer)}
    return 200, body | {"metrics": {"latencyMs": 12}}, told


def usage(answer):
    """Bedrock's counts: input leaves out what was read from a cache or written to it; total has everything."""
    return {
        "inputTokens": answer.fresh_input_tokens,
        "outputTokens": answer.output_tokens,
        "totalTokens": answer.input_tokens + answer.output_tokens,
        "cacheReadInputTokens": answer.cache_read_tokens,
        "cacheWriteInputTokens": answer.cache_write_tokens,
    }


def content(answer):
    """The content of the answer: reasoning, text, calls of tools."""
    parts = []
    if answer.reasoning:
        parts.append({"reasoningContent": {"reasoningText": {"text": answer.reasoning, "signature": "c2lnbmVk"}}})
    if answer.text:
        parts.append({"text": answer.text})
    for call in answer.tool_calls:
        parts.append({"toolUse": {"toolUseId": call["id"], "name": call["name"], "input": call["arguments"]}})
    return parts


def frames(answer):
    """A streamed answer; the last frame has the counts."""
    yield frame("messageStart", {"role": "assistant"})
    for index, part in enumerate(content(answer)):
        at = {"contentBlockIndex": index}
        start, deltas = part_deltas(part)
        if start:
            yield frame("contentBlockStart", {"start": start} | at)
        for delta in deltas:
            yield frame("contentBlockDelta", {"delta": delta} | at)
        yield frame("contentBlockStop", at)
    yield frame("messageStop", {"stopReason": FINISH[answer.finish]})
    yield frame("metadata", {"usage": usage(answer), "metrics": {"latencyMs": 12}})


def part_deltas(part):
    """How the stream begins one part (only calls of tools say more than their place) and what fills it."""
    if "text" in part:
        return None, [{"text": piece} for piece in pieces(part["text"])]
    if "reasoningContent" in part:
        thought = part["reasoningContent"]["reasoningText"]
        return None, [{"reasoningContent": {key: thought[key]}} for key in ("text", "signature")]
    use = part["toolUse"]
    start = {"toolUse": {"toolUseId": use["toolUseId"], "name": use["name"]}}
    return start, [{"toolUse": {"input": json.dumps(use["input"])}}]


def frame(kind, payload):
    """One message of the event stream: lengths, their checksum, headers, payload, checksum of all."""
    data = json.dumps(payload).encode()
    names = {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}
    headers = b"".join(
        struct.pack(">B", len(name)) + name.encode() + struct.pack(">BH", HEADER_TEXT, len(value)) + value.encode()
        for name, value in names.items()
    )
    prelude = struct.pack(">II", 12 + len(headers) + len(data) + 4, len(headers))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + data
    return message + struct.pack(">I", zlib.crc32(message))
