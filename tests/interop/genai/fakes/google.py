"""Google's generateContent and embeddings, of the Gemini API and of Vertex AI."""

from . import sse
from .story import Call, Tool, pieces

PATHS = (
    r"/models/([^/]+):(generateContent|streamGenerateContent)$",
    r"/models/([^/]+):(embedContent|batchEmbedContents)$",
)
CACHE_WRITE_WORD = None
TELLS_REASONING = True
TELLS_CACHE_LIVES = False
STREAM_TYPE = "text/event-stream"
PARAMETERS = {
    "temperature": ("temperature",),
    "top_p": ("topP",),
    "top_k": ("topK",),
    "max_tokens": ("maxOutputTokens",),
    "stop": ("stopSequences",),
    "seed": ("seed",),
}
PARAMETERS_IN = "generationConfig"
FINISH = {"stop": "STOP", "tool": "STOP", "length": "MAX_TOKENS"}


def read(match, body):
    """The request in neutral words. A result of a tool is a part of a user message."""
    model, method = match.groups()
    if "mbed" in method:
        requests = body.get("requests") or [body]
        return Call("google.embeddings", model, texts=[text_of(request["content"]) for request in requests])
    messages = []
    for content in body["contents"]:
        results = [part for part in content["parts"] if "functionResponse" in part]
        messages += [{"role": "tool", "text": str(part["functionResponse"].get("response"))} for part in results]
        text = text_of(content)
        if text or not results:
            role = "assistant" if content.get("role") == "model" else "user"
            messages.append({"role": role, "text": text})
    tools = [
        Tool(function["name"], schema_of(function))
        for tool in body.get("tools") or ()
        for function in tool.get("functionDeclarations") or ()
    ]
    config = body.get("generationConfig") or {}
    return Call(
        "google.generate_content",
        model,
        method == "streamGenerateContent",
        text_of(body.get("systemInstruction") or {}) or None,
        messages,
        tools,
        json_schema=config.get("responseJsonSchema") or config.get("responseSchema"),
    )


def schema_of(function):
    """The schema of a function's arguments. Callers write either of two fields, in either of the spellings of JSON."""
    names = ("parametersJsonSchema", "parameters_json_schema", "parameters")
    return next((function[name] for name in names if function.get(name)), {})


def text_of(content):
    parts_said = [part for part in content.get("parts") or () if not part.get("thought")]
    return "\n".join(part["text"] for part in parts_said if part.get("text"))


def write(call, answer, _body):
    """Status, wire answer (events for a stream), and what it tells in Google's words."""
    if answer.status != 200:
        status = {429: "RESOURCE_EXHAUSTED", 400: "INVALID_ARGUMENT"}[answer.status]
        error = {"code": answer.status, "message": "The fake refuses", "status": status}
        return answer.status, {"error": error}, {"error_type": status}
    if call.api == "google.embeddings":
        # The Gemini API tells no usage of embeddings.
        vectors = [{"values": [0.25, -0.5, 0.125]} for _ in call.texts]
        return 200, {"embeddings": vectors, "embedding": vectors[0]}, {"usage_on_wire": False, "response_model": None}
    head = {"modelVersion": answer.response_model, "responseId": f"resp{answer.number:06}"}
    told = {"finish_reason": FINISH[answer.finish], "response_id": head["responseId"]}
    if call.stream:
        return 200, events(answer, head), told
    return 200, whole(answer, head, parts(answer), FINISH[answer.finish]), told


def whole(answer, head, content, finish=None):
    candidate = {"content": {"role": "model", "parts": content}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], "usageMetadata": usage(answer)} | head


def usage(answer):
    """Google's counts: the prompt includes what was cached; candidates leave out the thoughts; total has everything."""
    counts = {
        "promptTokenCount": answer.input_tokens,
        "candidatesTokenCount": answer.output_tokens - answer.reasoning_tokens,
        "totalTokenCount": answer.input_tokens + answer.output_tokens,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": answer.input_tokens - answer.audio_input_tokens}],
    }
    if answer.audio_input_tokens:
        counts["promptTokensDetails"].append({"modality": "AUDIO", "tokenCount": answer.audio_input_tokens})
    if answer.cache_read_tokens:
        counts["cachedContentTokenCount"] = answer.cache_read_tokens
        counts["cacheTokensDetails"] = [{"modality": "TEXT", "tokenCount": answer.cache_read_tokens}]
    if answer.reasoning_tokens:
        counts["thoughtsTokenCount"] = answer.reasoning_tokens
    return counts


def parts(answer):
    """The parts of the answer: a thought, calls of functions, a text."""
    content = [{"text": answer.reasoning, "thought": True}] if answer.reasoning else []
    for call in answer.tool_calls:
        function = {"id": call["id"], "name": call["name"], "args": call["arguments"]}
        content.append({"functionCall": function, "thoughtSignature": "c2lnbmVk"})
    if answer.text:
        content.append({"text": answer.text})
    return content


def events(answer, head):
    """A streamed answer; every event has the counts, as Google's do."""
    content = parts(answer)
    texts = [{"text": piece} for piece in pieces(answer.text)]
    script = [part for part in content if part.get("text") != answer.text] + texts
    for index, part in enumerate(script):
        last = index == len(script) - 1
        yield sse.event(whole(answer, head, [part], FINISH[answer.finish] if last else None))
