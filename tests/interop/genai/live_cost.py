"""Checks costs: computed here anew, from the counts that the fake told and the price that the daemon names."""

from fractions import Fraction

from live_answers import told

FALLBACK = {
    "cache_creation_1h": "cache_creation_5m",
    "cache_creation_5m": "input",
    "cache_read": "input",
    "input_audio": "input",
    "reasoning": "output",
}
# Parts of a count of the truth, by what they are billed as.
INPUT_PARTS = {"cache_read": "cache_read_tokens", "input_audio": "audio_input_tokens"}
TIERS = ("batch", "flex", "priority")
MILLION = 1_000_000


def check_cost(book, call, span):
    """The cost is that of the counts of the truth; if the instrumentation does not tell one of them, that of what it
    tells."""
    answer, cost = span.cost, told(span.billing, "cost")
    book.holds("cost", answer.is_current, "the stored cost is not that of today's prices")
    if call["status"] != 200 or span.count("input") is None and span.count("output") is None:
        is_right = cost is None and answer.reason in ("no_usage", "no_model")
        book.holds("cost", is_right, f"a call without usage: {answer.reason!r} {cost}")
        return
    if call["api"].startswith("ollama"):
        book.holds("cost", cost is None and answer.reason == "no_price", f"nobody sells this model: {answer.reason}")
        return
    if cost is None or not answer.HasField("current"):
        book.wrong.append(f"cost: none: {answer.explanation}")
        return
    price = answer.current.price
    names = (call["request_model"], call["response_model"] or "")
    name = price.model.rstrip("*")
    book.holds("price", any(name in one for one in names), f"the price is of {price.model}, asked was {names[0]}")
    true, read = counts_of(call), counts_told(span)
    expected = cost_of(true, call["service_tier"], price)
    if expected != cost.nanos and cost.nanos == cost_of(read, span.told("service_tier"), price):
        # It is that of other counts or of another tier. That these are not told, or wrong, is noted with them.
        book.silent["cost"] += 1
    else:
        book.check("cost", expected, cost.nanos)


def counts_of(call):
    """What the fake told."""
    written, hour = call["cache_write_tokens"] or 0, call["cache_write_1h_tokens"] or 0
    parts = {
        "cache_read": call["cache_read_tokens"] or 0,
        "cache_creation_5m": written - hour,
        "cache_creation_1h": hour,
        "input_audio": call["audio_input_tokens"] or 0,
        "reasoning": call["reasoning_tokens"] or 0,
    }
    is_embedding = call["api"].endswith("embeddings")
    return whole(call["input_tokens"], 0 if is_embedding else call["output_tokens"], parts)


def counts_told(span):
    """What the daemon read."""
    count = {name: span.count(name) or 0 for name in span.reading.usage.DESCRIPTOR.fields_by_name}
    parts = {
        "cache_read": count["cache_read"],
        "cache_creation_5m": count["cache_creation"] - count["cache_creation_1h"],
        "cache_creation_1h": count["cache_creation_1h"],
        "input_audio": count["input_audio"],
        "reasoning": count["reasoning"],
    }
    return whole(count["input"], count["output"], parts)


def whole(input_tokens, output_tokens, parts):
    """The parts, and what is left of input and output beside them."""
    output = output_tokens - parts["reasoning"]
    return parts | {"input": input_tokens - sum(parts.values()) + parts["reasoning"], "output": output}


def cost_of(counts, service_tier, price):
    """The cost in billionths; half of one is rounded up."""
    tier = service_tier if service_tier in TIERS else "standard"
    prompt = sum(counts.values()) - counts["output"] - counts["reasoning"]
    exact = sum(
        (Fraction(count * rate_of(price, unit, tier, prompt), MILLION) for unit, count in counts.items() if count),
        Fraction(0),
    )
    return int(exact + Fraction(1, 2))


def rate_of(price, unit, tier, prompt):
    """Billionths for a million of a unit: of its tier or else the standard one, of the highest threshold that the
    prompt reaches; else that of the unit which it is a part of."""
    for service in (tier, "standard"):
        rates = [rate for rate in price.rates if rate.unit == unit and rate.service_tier == service]
        rates = [rate for rate in rates if rate.from_input_tokens <= prompt]
        if rates:
            return max(rates, key=lambda rate: rate.from_input_tokens).nanos_per_million
    return rate_of(price, FALLBACK[unit], tier, prompt)


def check_totals(book, answers):
    """What ListModels sums up is what the billable spans say."""
    models, spans = answers.models, answers.billable
    book.check("totals.calls", len(spans), sum(model.billable_calls for model in models))
    for name in ("input", "output", "cache_read", "cache_creation", "reasoning"):
        summed = sum(told(model.usage, name) or 0 for model in models)
        book.check(f"totals.{name}", sum(span.count(name) or 0 for span in spans), summed)
    nanos = sum(span.billing.cost.nanos for span in spans)
    book.check("totals.cost", nanos, sum(model.cost.nanos for model in models))
