"""OpenAI responses."""

import json

from . import openai, sse
from .story import Call, Tool, flat_text, pieces

PATHS = (r"/responses$",)
CACHE_WRITE_WORD = "written"
TELLS_REASONING = True
TELLS_CACHE_LIVES = False
STREAM_TYPE = "text/event-stream"
PARAMETERS = {
    "temperature": ("temperature",),
    "top_p": ("top_p",),
    "max_tokens": ("max_output_tokens",),
}
PARAMETERS_IN = None


def read(_match, body):
    """The request in neutral words. Items of the input that are no messages are calls of tools and their results."""
    items = body.get("input", [])
    items = [{"role": "user", "content": items}] if isinstance(items, str) else items
    system = [body.get("instructions") or ""]
    messages = []
    for item in items:
        if item.get("type") == "function_call_output":
            messages.append({"role": "tool", "text": flat_text(item["output"])})
        elif item.get("role") in ("system", "developer"):
            system.append(flat_text(item["content"]))
        elif "role" in item:
            messages.append({"role": item["role"], "text": flat_text(item["content"])})
    tools = [tool for tool in body.get("tools") or () if tool.get("type") == "function"]
    choice = body.get("tool_choice")
    return Call(
        "openai.responses",
        body.get("model", ""),
        bool(body.get("stream")),
        "\n".join(filter(None, system)) or None,
        messages,
        [Tool(tool["name"], tool.get("parameters") or {}) for tool in tools],
        choice.get("name") if isinstance(choice, dict) else None,
        ((body.get("text") or {}).get("format") or {}).get("schema"),
    )


def write(call, answer, body):
    """Status, wire answer (events for a stream), and what it tells in OpenAI's words."""
    if answer.status != 200:
        return openai.failure(answer)
    whole = response(answer, body)
    # A response that came to its end gives no reason.
    told = {
        "finish_reason": (whole["incomplete_details"] or {}).get("reason"),
        "response_id": whole["id"],
        "service_tier": whole["service_tier"],
    }
    return 200, events(whole) if call.stream else whole, told


def response(answer, body):
    cut = answer.finish == "length"
    tier = body.get("service_tier")
    return {
        "id": f"resp_{answer.number:06}",
        "object": "response",
        "created_at": openai.CREATED,
        "completed_at": openai.CREATED + 1,
        "status": "incomplete" if cut else "completed",
        "background": False,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "max_tool_calls": None,
        "model": answer.response_model,
        "output": output(answer),
        "parallel_tool_calls": True,
        "previous_response_id": body.get("previous_response_id"),
        "prompt_cache_key": None,
        "reasoning": {"effort": (body.get("reasoning") or {}).get("effort"), "summary": None},
        "safety_identifier": None,
        "service_tier": tier if tier not in (None, "auto") else "default",
        "store": True,
        "temperature": body.get("temperature", 1.0),
        "text": body.get("text") or {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": body.get("tool_choice", "auto"),
        "tools": body.get("tools") or [],
        "top_logprobs": 0,
        "top_p": body.get("top_p", 1.0),
        "truncation": "disabled",
        "usage": {
            "input_tokens": answer.input_tokens,
            "input_tokens_details": {
                "cached_tokens": answer.cache_read_tokens,
                "cache_write_tokens": answer.cache_write_tokens,
            },
            "output_tokens": answer.output_tokens,
            "output_tokens_details": {"reasoning_tokens": answer.reasoning_tokens},
            "total_tokens": answer.input_tokens + answer.output_tokens,
        },
        "user": None,
        "metadata": body.get("metadata") or {},
    }


def output(answer):
    """The items of the answer: reasoning, calls of tools, a message."""
    items = []
    if answer.reasoning:
        summary = [{"type": "summary_text", "text": answer.reasoning}]
        items.append({"id": f"rs_{answer.number:06}", "type": "reasoning", "summary": summary})
    for call in answer.tool_calls:
        items.append(
            {
                "id": f"fc_{call['id']}",
                "type": "function_call",
                "status": "completed",
                "call_id": call["id"],
                "name": call["name"],
                "arguments": json.dumps(call["arguments"]),
            }
        )
    if answer.text:
        part = {"type": "output_text", "annotations": [], "logprobs": [], "text": answer.text}
        message = {"id": f"msg_{answer.number:06}", "type": "message", "status": "completed"}
        items.append(message | {"role": "assistant", "content": [part]})
    return items


def events(whole):
    """The events of a streamed answer, numbered."""
    begun = whole | {"status": "in_progress", "output": [], "usage": None, "completed_at": None}
    script = [{"type": "response.created", "response": begun}, {"type": "response.in_progress", "response": begun}]
    for index, item in enumerate(whole["output"]):
        script += item_events(index, item)
    script.append({"type": f"response.{whole['status']}", "response": whole})
    for number, data in enumerate(script):
        yield sse.event(data | {"sequence_number": number}, data["type"])


def item_events(index, item):
    """The events that build one item."""
    at = {"item_id": item["id"], "output_index": index}
    empty = {"message": {"content": []}, "function_call": {"arguments": ""}, "reasoning": {"summary": []}}
    begun = item | empty[item["type"]] | ({"status": "in_progress"} if "status" in item else {})
    yield {"type": "response.output_item.added", "output_index": index, "item": begun}
    if item["type"] == "message":
        part = item["content"][0]
        at |= {"content_index": 0}
        yield {"type": "response.content_part.added", "part": part | {"text": ""}} | at
        for piece in pieces(part["text"]):
            yield {"type": "response.output_text.delta", "delta": piece, "logprobs": []} | at
        yield {"type": "response.output_text.done", "text": part["text"], "logprobs": []} | at
        yield {"type": "response.content_part.done", "part": part} | at
    elif item["type"] == "function_call":
        event = "response.function_call_arguments"
        yield {"type": f"{event}.delta", "delta": item["arguments"]} | at
        yield {"type": f"{event}.done", "arguments": item["arguments"], "name": item["name"]} | at
    else:
        part = item["summary"][0]
        at |= {"summary_index": 0}
        yield {"type": "response.reasoning_summary_part.added", "part": part | {"text": ""}} | at
        yield {"type": "response.reasoning_summary_text.delta", "delta": part["text"]} | at
        yield {"type": "response.reasoning_summary_text.done", "text": part["text"]} | at
        yield {"type": "response.reasoning_summary_part.done", "part": part} | at
    yield {"type": "response.output_item.done", "output_index": index, "item": item}
