"""OpenAI chat completions and embeddings; many other providers speak the same."""

import base64
import json
import struct

from . import sse
from .story import Call, Tool, flat_text, pieces

PATHS = (r"/(chat/completions)$", r"/(embeddings)$")
CACHE_WRITE_WORD = "written"
TELLS_REASONING = True
TELLS_CACHE_LIVES = False
STREAM_TYPE = "text/event-stream"
PARAMETERS = {
    "temperature": ("temperature",),
    "top_p": ("top_p",),
    "max_tokens": ("max_completion_tokens", "max_tokens"),
    "stop": ("stop",),
    "seed": ("seed",),
}
PARAMETERS_IN = None
FINISH = {"stop": "stop", "tool": "tool_calls", "length": "length"}
CREATED = 1_760_000_000
EMBEDDING = (0.25, -0.5, 0.125)


def read(match, body):
    """The request in neutral words."""
    model, stream = body.get("model", ""), bool(body.get("stream"))
    if match.group(1) == "embeddings":
        texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
        return Call("openai.embeddings", model, texts=[str(text) for text in texts])
    system = [flat_text(m.get("content")) for m in body["messages"] if m["role"] in ("system", "developer")]
    messages = [
        {"role": message["role"], "text": flat_text(message.get("content"))}
        for message in body["messages"]
        if message["role"] not in ("system", "developer")
    ]
    tools = [tool["function"] for tool in body.get("tools") or () if "function" in tool]
    choice = body.get("tool_choice")
    return Call(
        "openai.chat",
        model,
        stream,
        "\n".join(system) or None,
        messages,
        [Tool(tool["name"], tool.get("parameters") or {}) for tool in tools],
        choice["function"]["name"] if isinstance(choice, dict) and "function" in choice else None,
        ((body.get("response_format") or {}).get("json_schema") or {}).get("schema"),
    )


def write(call, answer, body):
    """Status, wire answer (chunks for a stream), and what it tells in OpenAI's words."""
    if answer.status != 200:
        return failure(answer)
    if call.api == "openai.embeddings":
        return embeddings(call, answer, body)
    tier = body.get("service_tier")
    head = {
        "id": f"chatcmpl-{answer.number:06}",
        "object": "chat.completion.chunk" if call.stream else "chat.completion",
        "created": CREATED,
        "model": answer.response_model,
        "service_tier": tier if tier not in (None, "auto") else "default",
        "system_fingerprint": "fp_fake",
    }
    told = {"finish_reason": FINISH[answer.finish], "response_id": head["id"], "service_tier": head["service_tier"]}
    told["reasoning_text"] = ""  # chat completions count reasoning, but do not show it
    if call.stream:
        with_usage = bool((body.get("stream_options") or {}).get("include_usage"))
        return 200, chunks(answer, head, with_usage), told | {"usage_on_wire": with_usage}
    message = {"role": "assistant", "content": answer.text or None, "refusal": None, "annotations": []}
    if answer.tool_calls:
        message["tool_calls"] = [wire_tool_call(tool_call) for tool_call in answer.tool_calls]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": told["finish_reason"]}
    return 200, head | {"choices": [choice], "usage": usage(answer)}, told


def usage(answer):
    """OpenAI's counts: cached input is part of the prompt, reasoning is part of the completion."""
    return {
        "prompt_tokens": answer.input_tokens,
        "completion_tokens": answer.output_tokens,
        "total_tokens": answer.input_tokens + answer.output_tokens,
        "prompt_tokens_details": {
            "cached_tokens": answer.cache_read_tokens,
            "cache_write_tokens": answer.cache_write_tokens,
            "audio_tokens": answer.audio_input_tokens,
        },
        "completion_tokens_details": {
            "reasoning_tokens": answer.reasoning_tokens,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def wire_tool_call(call):
    function = {"name": call["name"], "arguments": json.dumps(call["arguments"])}
    return {"id": call["id"], "type": "function", "function": function}


def chunks(answer, head, with_usage):
    """A streamed answer; its last chunk tells the usage only if the caller asked for that."""
    empty = {"usage": None} if with_usage else {}

    def chunk(delta, finish=None):
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return sse.event(head | {"choices": [choice]} | empty)

    yield chunk({"role": "assistant", "content": None if answer.tool_calls else "", "refusal": None})
    for piece in pieces(answer.text):
        yield chunk({"content": piece})
    for index, call in enumerate(answer.tool_calls):
        whole = wire_tool_call(call)
        arguments = whole["function"]["arguments"]
        whole["function"] = {"name": call["name"], "arguments": ""}
        yield chunk({"tool_calls": [{"index": index} | whole]})
        middle = len(arguments) // 2
        for part in (arguments[:middle], arguments[middle:]):
            yield chunk({"tool_calls": [{"index": index, "function": {"arguments": part}}]})
    yield chunk({}, FINISH[answer.finish])
    if with_usage:
        yield sse.event(head | {"choices": [], "usage": usage(answer)})
    yield b"data: [DONE]\n\n"


def embeddings(call, answer, body):
    """Vectors of three numbers, as a list or in base64 as the official client asks for them."""
    vector = list(EMBEDDING)
    if body.get("encoding_format") == "base64":
        vector = base64.b64encode(struct.pack("<3f", *EMBEDDING)).decode()
    data = [{"object": "embedding", "index": index, "embedding": vector} for index in range(len(call.texts))]
    counts = {"prompt_tokens": answer.input_tokens, "total_tokens": answer.input_tokens}
    return 200, {"object": "list", "data": data, "model": answer.response_model, "usage": counts}, {}


def failure(answer):
    """An error as OpenAI words it."""
    if answer.status == 429:
        kind, code, text = "requests", "rate_limit_exceeded", "Rate limit reached for requests"
    else:
        kind, code, text = "invalid_request_error", "invalid_value", "The fake takes no such request"
    return answer.status, {"error": {"message": text, "type": kind, "param": None, "code": code}}, {"error_type": code}
