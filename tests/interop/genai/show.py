"""Prints recordings as text, to read by eye: spans as a tree with their attributes and events, then log records."""

import json
import sys
from pathlib import Path

from sink import REQUESTS


def requests(path, signal):
    """The requests in a file of a recording."""
    data, at = path.read_bytes() if path.exists() else b"", 0
    while at < len(data):
        size, shift = 0, 0
        while True:
            byte = data[at]
            at += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        yield REQUESTS[signal].FromString(data[at : at + size])
        at += size


def plain(value):
    """An attribute's value as JSON would have it."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [plain(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return {item.key: plain(item.value) for item in value.kvlist_value.values}
    if kind == "bytes_value":
        return value.bytes_value.hex()
    return getattr(value, kind) if kind else None


def attributes(items, indent):
    for item in items:
        value = plain(item.value)
        print(f"{indent}{item.key} = {json.dumps(value, ensure_ascii=False)}")


def show(folder):
    print(f"==== {folder}")
    for truth in json.loads((folder / "truth.json").read_text())["calls"]:
        print("  call", {key: value for key, value in truth.items() if value not in (None, [], "", 0)})
    spans = []
    for request in requests(folder / "traces.binpb", "traces"):
        for group in request.resource_spans:
            attributes(group.resource.attributes, "  resource ")
            for scope in group.scope_spans:
                spans += [(scope.scope, span) for span in scope.spans]
    known = {span.span_id for _, span in spans}
    tree([one for one in spans if one[1].parent_span_id not in known], spans, 1)
    for request in requests(folder / "logs.binpb", "logs"):
        for group in request.resource_logs:
            for scope in group.scope_logs:
                for record in scope.log_records:
                    print(f"  LOG {scope.scope.name} {scope.scope.version} span={record.span_id.hex()}")
                    body = json.dumps(plain(record.body), ensure_ascii=False)
                    print(f"    event_name={record.event_name!r} body={body}")
                    attributes(record.attributes, "    ")


def tree(level, spans, depth):
    indent = "  " * depth
    for scope, span in sorted(level, key=lambda one: one[1].start_time_unix_nano):
        took = (span.end_time_unix_nano - span.start_time_unix_nano) // 1000
        print(f"{indent}SPAN {span.name!r} [{scope.name} {scope.version}] {span.span_id.hex()}", end=" ")
        print(f"kind={span.kind} status={span.status.code} {span.status.message!r} {took}us")
        attributes(span.attributes, indent + "  ")
        for event in span.events:
            print(f"{indent}  EVENT {event.name} +{(event.time_unix_nano - span.start_time_unix_nano) // 1000}us")
            attributes(event.attributes, indent + "    ")
        tree([one for one in spans if one[1].parent_span_id == span.span_id], spans, depth + 1)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        for file in sorted(Path(name).rglob("truth.json")):
            show(file.parent)
