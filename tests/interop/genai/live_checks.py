"""Compares what the daemon says about a case with the truth that the fakes told."""

from live_answers import told
from live_book import Book
from live_content import check_content, check_nothing_said, check_tools
from live_cost import check_cost, check_totals

PROVIDERS = {
    "anthropic": ("anthropic",),
    "bedrock": ("aws.bedrock",),
    "google": ("gcp.gemini", "gcp.gen_ai", "gcp.vertex_ai"),
    "ollama": ("ollama",),
    "openai": ("openai",),
}
# Our words for the providers' words.
FINISH = {
    "end_turn": "stop",
    "length": "length",
    "max_output_tokens": "length",
    "max_tokens": "length",
    "stop": "stop",
    "tool_calls": "tool_call",
    "tool_use": "tool_call",
}
COUNTS = {
    "input_tokens": "input",
    "output_tokens": "output",
    "cache_read_tokens": "cache_read",
    "cache_write_tokens": "cache_creation",
    "cache_write_1h_tokens": "cache_creation_1h",
    "reasoning_tokens": "reasoning",
    "audio_input_tokens": "input_audio",
}
CLOCK_NANOS = 100_000_000
NAMES = ("request_model", "response_model", "response_id", "service_tier")


def compare(truth, answers):
    """All checks of one case."""
    book = Book(truth["instrumentation"], truth["untold"])
    calls, spans = truth["calls"], answers.billable
    check_count(book, calls, spans)
    # Calls side by side start in any order: the call and the span that fit best belong together.
    pairs = {
        (at, place): compare_call(book.fork(), truth, call, span, answers)
        for at, call in enumerate(calls)
        for place, span in enumerate(spans)
    }
    while pairs:
        at, place = min(pairs, key=lambda pair: len(pairs[pair].wrong))
        book.add(pairs[at, place].about(f"call {at}, {spans[place]}"))
        pairs = {pair: found for pair, found in pairs.items() if pair[0] != at and pair[1] != place}
    check_tools(book, truth, answers)
    if not truth["content"]:
        check_nothing_said(book, truth, answers)
    check_totals(book, answers)
    return book


def check_count(book, calls, spans):
    """Each API call is one billable span; where the instrumentation makes no span of some call, there are fewer."""
    if len(spans) == len(calls):
        book.right["calls"] += 1
    elif len(spans) < len(calls) and "calls" in book.untold:
        book.silent["calls"] += 1
    else:
        shown = "".join(f"\n      {span}" for span in spans)
        book.wrong.append(f"{len(spans)} billable calls, were {len(calls)}:{shown}")


def compare_call(book, truth, call, span, answers):
    """The checks of one call, of which `span` is the billable one."""
    api, _, method = call["api"].partition(".")
    kind = "embedding" if method == "embeddings" else "llm"
    book.check("kind", kind, span.reading.kind)
    provider = span.told("provider")
    book.check("provider", provider if provider in PROVIDERS[api] else PROVIDERS[api][0], provider)
    twins = answers.twins(span)
    for name in NAMES:
        if call[name] is not None:
            check_name(book, call, name, span, twins)
    check_usage(book, call, span, kind)
    check_end(book, call, span, twins)
    check_stream(book, call, span, twins)
    for name, value in call["parameters"].items():
        value = [value] if name == "stop" and isinstance(value, str) else value
        book.check(f"parameters.{name}", value, *(told(one.reading.parameters, name) for one in (span, *twins)))
    for name in ("session_id", "user_id"):
        if truth[name] is not None:
            # Some tell it on the outermost span alone.
            around = [one for one in answers.spans if one.said.trace_id == span.said.trace_id]
            book.check(name, truth[name], *(one.told(name) for one in (span, *twins, *around)))
    check_cost(book, call, span)
    if truth["content"]:
        check_content(book, call, span, answers)
    return book


def check_name(book, call, name, span, twins):
    read = span.told(name)
    models = (call["request_model"], call["response_model"])
    truth = "default" if (name, call[name]) == ("service_tier", "standard") else call[name]
    if read is None and name == "response_model" and call[name] == call["request_model"]:
        # Of two equal names one is enough, which is all that some instrumentations tell.
        book.silent[name] += 1
    elif name.endswith("_model") and name in book.untold and read != call[name] and read in models:
        # It tells one of them in place of the other.
        book.mistold[name] += 1
    else:
        book.check(name, truth, read, *(twin.told(name) for twin in twins))


def check_usage(book, call, span, kind):
    for name, ours in COUNTS.items():
        count = call[name] if call["usage_on_wire"] else None
        read = span.count(ours)
        if kind == "embedding" and ours == "output":
            count = None
        # A part of nothing, and no answer of an embedding, may be told as zero or not at all.
        if not count and not read:
            continue
        book.check(name, count, read)
    is_missing = call["status"] == 200 and span.count("input") is None and span.count("output") is None
    book.check("usage_missing", is_missing, span.billing.usage_missing)


def check_end(book, call, span, twins):
    if call["status"] != 200:
        book.check("status", "error", None if span.said.status == "unset" else span.said.status)
        book.check("error_type", call["error_type"], *(one.told("error_type") for one in (span, *twins)))
        return
    book.holds("status", span.said.status != "error", f"the status of a call that succeeded is {span.said.status}")
    book.check("error_type", None, span.told("error_type"))
    if call["finish_reason"] is not None:
        word = FINISH[call["finish_reason"].lower()]
        read, *others = (one.told("finish_reasons") for one in (span, *twins))
        # Google and Ollama stop for tools as for anything else, and some instrumentations know better.
        if call["tool_calls"] and word == "stop" and read == ["tool_call"]:
            word = "tool_call"
        book.check("finish_reason", [word], read, *others)


def check_stream(book, call, span, twins):
    both = (span, *twins)
    if not call["stream"]:
        book.check("stream", False, bool(span.told("streaming")))
        return
    book.check("stream", True, *(one.told("streaming") for one in both))
    if call["status"] == 200:
        book.check("time_to_first_token", "within the call", *map(first_token, both))


def first_token(span):
    """Where the first part of the answer came; None if that is not told."""
    first = span.told("time_to_first_token")
    if first is None:
        return None
    # The instrumentations start their own clocks somewhat before the span.
    is_within = 0 < first.ToNanoseconds() <= span.said.duration.ToNanoseconds() + CLOCK_NANOS
    return "within the call" if is_within else f"{first.ToNanoseconds()} ns"
