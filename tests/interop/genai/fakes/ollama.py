"""Ollama's own chat and embeddings. It streams unless told not to, as lines of JSON."""

import json

from .story import Call, Tool, flat_text, pieces

PATHS = (r"/api/(chat)$", r"/api/(embed)$")
CACHE_WRITE_WORD = None
TELLS_REASONING = False
TELLS_CACHE_LIVES = False
STREAM_TYPE = "application/x-ndjson"
PARAMETERS = {
    "temperature": ("temperature",),
    "top_p": ("top_p",),
    "top_k": ("top_k",),
    "max_tokens": ("num_predict",),
    "stop": ("stop",),
    "seed": ("seed",),
}
PARAMETERS_IN = "options"
FINISH = {"stop": "stop", "tool": "stop", "length": "length"}


def read(match, body):
    """The request in neutral words."""
    if match.group(1) == "embed":
        texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
        return Call("ollama.embeddings", body["model"], texts=texts)
    system = [flat_text(message["content"]) for message in body["messages"] if message["role"] == "system"]
    messages = [
        {"role": message["role"], "text": flat_text(message.get("content"))}
        for message in body["messages"]
        if message["role"] != "system"
    ]
    functions = [tool["function"] for tool in body.get("tools") or ()]
    tools = [Tool(function["name"], function.get("parameters") or {}) for function in functions]
    schema = body.get("format") if isinstance(body.get("format"), dict) else None
    stream = body.get("stream", True)
    return Call(
        "ollama.chat", body["model"], stream, "\n".join(system) or None, messages, tools, json_schema=schema
    )


def write(call, answer, _body):
    """Status, wire answer (lines for a stream), and what it tells in Ollama's words. It has no response id."""
    if answer.status != 200:
        return answer.status, {"error": "the fake refuses"}, {"error_type": str(answer.status)}
    told = {"response_id": None}
    head = {"model": answer.response_model, "created_at": "2025-10-09T09:00:00.000000Z"}
    times = {"total_duration": 1_000_000, "load_duration": 100_000, "prompt_eval_count": answer.input_tokens}
    if call.api == "ollama.embeddings":
        return 200, head | times | {"embeddings": [[0.25, -0.5, 0.125]] * len(call.texts)}, told
    told["finish_reason"] = FINISH[answer.finish]
    end = {"done": True, "done_reason": told["finish_reason"], "eval_count": answer.output_tokens} | times
    end |= {"prompt_eval_duration": 200_000, "eval_duration": 700_000}
    message = {"role": "assistant", "content": answer.text}
    if answer.reasoning:
        message["thinking"] = answer.reasoning
    if answer.tool_calls:
        functions = [{"name": one["name"], "arguments": one["arguments"]} for one in answer.tool_calls]
        message["tool_calls"] = [{"function": function} for function in functions]
    if not call.stream:
        return 200, head | {"message": message} | end, told
    return 200, lines(head, message, end), told


def lines(head, message, end):
    """A streamed answer; the last line has the counts."""

    def line(part, **rest):
        return (json.dumps(head | {"message": {"role": "assistant", "content": ""} | part} | rest) + "\n").encode()

    for name in ("thinking", "tool_calls"):
        if name in message:
            yield line({name: message[name]}, done=False)
    for piece in pieces(message["content"]):
        yield line({"content": piece}, done=False)
    yield line({}, **end)
