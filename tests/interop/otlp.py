"""OTLP taken apart into single items, so that what was sent and what came back compare as equal in any grouping into
requests and pages."""

from collections import Counter
from dataclasses import dataclass
from difflib import unified_diff

import pytest
from google.protobuf.message import Message


@dataclass(frozen=True)
class Item:
    """One span, data point or log record with all that it stands below."""

    resource: Message
    scope: Message
    metric: Message | None  # the definition, without points
    record: Message
    schema_urls: tuple[str, str]  # of the resource, of the scope

    def __str__(self):
        parts = (self.resource, self.scope, self.metric, self.record, *self.schema_urls)
        return "\n---\n".join(str(part) for part in parts)


def spans(messages):
    """The spans of messages that hold `resource_spans`."""
    return [
        Item(group.resource, part.scope, None, span, (group.schema_url, part.schema_url))
        for message in messages
        for group in message.resource_spans
        for part in group.scope_spans
        for span in part.spans
    ]


def log_records(messages):
    """The log records of messages that hold `resource_logs`."""
    return [
        Item(group.resource, part.scope, None, record, (group.schema_url, part.schema_url))
        for message in messages
        for group in message.resource_logs
        for part in group.scope_logs
        for record in part.log_records
    ]


def data_points(messages):
    """The data points of messages that hold `resource_metrics`."""
    return [
        Item(group.resource, part.scope, definition(metric), point, (group.schema_url, part.schema_url))
        for message in messages
        for group in message.resource_metrics
        for part in group.scope_metrics
        for metric in part.metrics
        for point in metric_data(metric).data_points
    ]


def metric_data(metric):
    """The gauge, sum or histogram of a metric."""
    return getattr(metric, metric.WhichOneof("data"))


def definition(metric):
    """The metric without its points."""
    copy = type(metric)()
    copy.CopyFrom(metric)
    metric_data(copy).ClearField("data_points")
    return copy


def attributes(pairs):
    """OTLP attributes as Python values."""
    return {pair.key: value(pair.value) for pair in pairs}


def value(any_value):
    kind = any_value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return [value(element) for element in any_value.array_value.values]
    if kind == "kvlist_value":
        return attributes(any_value.kvlist_value.values)
    return getattr(any_value, kind)


def text(thing):
    return "\n".join(map(str, thing)) if isinstance(thing, tuple) else str(thing)


def assert_same(found, sent):
    """The same items or rows, each as often, in any order. As text, since that tells NaN, -0.0 and 1 from 1.0."""
    __tracebackhide__ = True
    found, sent = Counter(map(text, found)), Counter(map(text, sent))
    strange, missing = list(found - sent), list(sent - found)
    if strange or missing:
        difference = unified_diff(
            "".join(missing[:1]).splitlines(), "".join(strange[:1]).splitlines(), "sent", "found", lineterm=""
        )
        pytest.fail(
            f"of {sent.total()} sent, {len(missing)} are missing, and {len(strange)} others were found; the first:\n"
            + "\n".join(difference)
        )
