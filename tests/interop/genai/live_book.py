"""The result of a comparison: which fields are right, which the instrumentation does not tell, which are wrong."""

from collections import Counter
from dataclasses import dataclass, field

# What an instrumentation tells in a way of its own, or wrong, so that no reading of its span can be right, as
# (instrumentation, field). Why that is so stands in `untold` of its scenario.
MISTOLD = {
    # Most often the class of the client's exception.
    ("*", "error_type"),
    # It adds the one of the first event.
    ("openllmetry-anthropic", "output_tokens"),
    # The id of the item, not of the call; the summary as JSON in a text.
    ("openllmetry-openai", "tool_call.id"),
    ("openllmetry-openai", "reasoning"),
    # Anthropic's block of a call is written as a text beside the call.
    ("openllmetry-langchain", "messages"),
    # LiteLLM's name of a model begins with the provider; its id of an answer is its own.
    ("openinference-litellm", "request_model"),
    ("litellm-callback", "response_id"),
    ("litellm-callback-v2", "response_id"),
    ("openinference-litellm", "response_id"),
    # One span stands for two calls, and has the question of the first and the usage of the last.
    ("openinference-google-genai", "messages"),
    ("opentelemetry-google-genai", "messages"),
    # It tells zero, since LangChain tells them by their life.
    ("openllmetry-langchain", "cache_write_tokens"),
    # The setting of LangChain's model, not what the call did.
    ("openinference-langchain", "stream"),
    ("openinference-langchain-openai", "stream"),
}


@dataclass
class Book:
    """Counts the checks of one case: fields that are `right`; that are right on a span `beside` the one that counts,
    which does not tell them; that the instrumentation does not tell (`silent`) or tells in a way of its own
    (`mistold`); and what is `wrong`. `untold` is that of the truth."""

    instrumentation: str
    untold: dict
    right: Counter = field(default_factory=Counter)
    beside: Counter = field(default_factory=Counter)
    silent: Counter = field(default_factory=Counter)
    mistold: Counter = field(default_factory=Counter)
    wrong: list = field(default_factory=list)

    def check(self, name, truth, read, *others):
        """Compares a field with its truth. `others` are what spans beside this one, of the same call, tell."""
        is_silent = read in (None, "", [], {})
        if read == truth:
            self.right[name] += 1
        elif is_silent and truth in others:
            self.beside[name] += 1
        elif name not in self.untold:
            self.wrong.append(f"{name} is {shown(read)}, was {shown(truth)}")
        elif is_silent:
            self.silent[name] += 1
        elif {(self.instrumentation, name), ("*", name)} & MISTOLD:
            self.mistold[name] += 1
        else:
            self.wrong.append(f"{name} is {shown(read)}, was {shown(truth)}, and should rather be untold")

    def holds(self, name, condition, explanation):
        """Notes whether a condition holds that no instrumentation may break."""
        if condition:
            self.right[name] += 1
        else:
            self.wrong.append(f"{name}: {explanation}")

    def add(self, other):
        self.right += other.right
        self.beside += other.beside
        self.silent += other.silent
        self.mistold += other.mistold
        self.wrong += other.wrong

    def about(self, what):
        """The same, with faults that say what they are about."""
        self.wrong = [f"{what}: {fault}" for fault in self.wrong]
        return self

    def fork(self):
        """An empty one for the same case."""
        return Book(self.instrumentation, self.untold)


def shown(value):
    text = repr(value)
    return text if len(text) < 300 else f"{text[:300]}..."
