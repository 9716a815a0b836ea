"""Server-sent events, in which most providers stream."""

import json


def event(data, name=None):
    """One event; some providers name it."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(data)}\n\n".encode()
