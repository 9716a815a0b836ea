"""What the daemon says about the LLM spans of one case, asked by its own RPCs."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

PAGE = 1000
# Names of what a message may hold, in the oneof of LlmPart.
TEXT, REASONING, TOOL_CALL, TOOL_RESULT = "text", "reasoning", "tool_call", "tool_result"


@dataclass
class Span:
    """An LLM span of ListLlmSpans; the rest is asked for when it is needed."""

    query: object
    said: object

    @cached_property
    def ids(self):
        return {"trace_id": self.said.trace_id, "span_id": self.said.span_id}

    @cached_property
    def content(self):
        response = self.query.call("LlmService", "GetLlmSpan", **self.ids)
        read, listed = response.span, self.said
        same = (read.reading, read.billing) == (listed.reading, listed.billing)
        assert same, f"GetLlmSpan and ListLlmSpans differ: {read} {listed}"
        return response.content

    @cached_property
    def cost(self):
        return self.query.call("LlmService", "ExplainCost", **self.ids)

    @property
    def reading(self):
        return self.said.reading

    @property
    def billing(self):
        return self.said.billing

    def told(self, name):
        """A field of the reading; None if it was not told."""
        return told(self.reading, name)

    def count(self, name):
        return told(self.reading.usage, name)

    def is_twin(self, other):
        """Whether both tell the same call: one is inside the other, or they tell the same answer, or, of a call that
        failed, one ran while the other did."""
        mine, its = self.said, other.said
        if mine.trace_id == its.trace_id and (mine.parent_span_id == its.span_id or its.parent_span_id == mine.span_id):
            return True
        if self.told("response_id") and self.told("response_id") == other.told("response_id"):
            return True
        if mine.status == "error" and its.status == "error":
            return self.contains(other) or other.contains(self)
        return self.count("input") is not None and self.count("input") == other.count("input")

    def contains(self, other):
        """Whether the other one ran within the time of this one."""
        return self.start <= other.start and other.end <= self.end

    @property
    def start(self):
        return self.said.start_time.ToNanoseconds()

    @property
    def end(self):
        return self.start + self.said.duration.ToNanoseconds()

    def __str__(self):
        return f"{self.said.trace_id}/{self.said.span_id} {self.said.name!r} ({self.reading.dialect})"


@dataclass
class Answers:
    """The LLM spans that started since a moment, oldest first, and what their models sum up to."""

    spans: list = field(default_factory=list)
    models: list = field(default_factory=list)

    @property
    def billable(self):
        return [span for span in self.spans if span.billing.billable]

    def twins(self, span):
        """The spans that tell the same call and do not count."""
        others = [other for other in self.spans if other.reading.is_call and not other.billing.billable]
        return [other for other in others if span.is_twin(other)]

    @property
    def tools(self):
        return [span for span in self.spans if span.reading.kind == "tool"]


def ask(query, since):
    """Asks for everything since a moment, in seconds of the epoch."""
    start = datetime.fromtimestamp(since, UTC)
    pages = query.pages("LlmService", "ListLlmSpans", start_time=start, ascending=True, page_size=PAGE)
    spans = [Span(query, said) for page in pages for said in page.spans]
    pages = query.pages("LlmService", "ListModels", start_time=start, page_size=PAGE)
    return Answers(spans, [model for page in pages for model in page.models])


def told(message, name):
    """A field of a message; None if it is not set or empty, which mean that it was not told."""
    described = message.DESCRIPTOR.fields_by_name[name]
    if described.has_presence and not message.HasField(name):
        return None
    value = getattr(message, name)
    if described.is_repeated:
        return list(value) or None
    return None if value == "" else value


def text_of(part):
    """What a part says: text, or the result of a tool."""
    kind = part.WhichOneof("part")
    if kind == TEXT:
        return part.text
    return decoded_text(part.tool_result.result) if kind == TOOL_RESULT else ""


def decoded_text(result):
    """A result of a tool is JSON; a text in it is a JSON string."""
    value = decoded(result)
    return value if isinstance(value, str) else result


def decoded(text):
    """The value of a JSON text; the text itself where it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return text
