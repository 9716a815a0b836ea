"""The result of a comparison: which fields are right, which the instrumentation does not tell, which are wrong."""

from collections import Counter
from dataclasses import dataclass, field

# What an instrumentation tells, but tells wrong, so that no reading of its span can be right: why stands in `untold` of its
# scenario. The field may be what it tells.
MISTOLD = {
    # Its own word for an error, most often the class of the client's exception.
    ("*", "error_type"),
}


@dataclass
class Book:
    """Counts the checks of one case. `untold` is that of the truth."""

    instrumentation: str
    untold: dict
    right: Counter = field(default_factory=Counter)
    silent: Counter = field(default_factory=Counter)
    mistold: Counter = field(default_factory=Counter)
    wrong: list = field(default_factory=list)

    def check(self, name, truth, read, under=None):
        """Compares a field with its truth. `under` is its name in `untold`, if that is another one."""
        if read == truth:
            self.right[name] += 1
            return
        under = under or name
        if under not in self.untold:
            self.wrong.append(f"{name} is {shown(read)}, was {shown(truth)}")
        elif read in (None, "", [], {}):
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
        self.silent += other.silent
        self.mistold += other.mistold
        self.wrong += other.wrong

    def fork(self):
        """An empty one for the same case."""
        return Book(self.instrumentation, self.untold)


def shown(value):
    text = repr(value)
    return text if len(text) < 300 else f"{text[:300]}..."
