"""Compares what the tables hold with the OTLP that was sent."""

import base64
import json
import math

import psycopg

import otlp

# Times are kept as microseconds and the nanoseconds that are left over.
NANOSECONDS = "((extract(epoch FROM {0}) * 1000000)::bigint * 1000 + {1})"

SPANS = f"""
SELECT replace(trace_id::text, '-', ''), encode(span_id, 'hex'), coalesce(encode(parent_span_id, 'hex'), ''),
       {NANOSECONDS.format("start_time", "start_nanos")}, {NANOSECONDS.format("end_time", "end_nanos")},
       name, kind, status_code, coalesce(status_message, ''), attributes_json::jsonb,
       ARRAY(SELECT name FROM trace_events event
             WHERE (event.trace_id, event.span_id) = (span.trace_id, span.span_id) ORDER BY ordinal)
FROM trace_spans span WHERE service_name = %s
"""

POINTS = f"""
SELECT metric.name, unit, description, temporality, is_monotonic, series.attributes,
       {NANOSECONDS.format("point.time", "time_nanos")}, {NANOSECONDS.format("point.start_time", "start_nanos")},
       value_int, value_double, count, sum, min, max, bucket_counts, explicit_bounds,
       scale, zero_count, positive_offset, positive_counts
FROM metric_data_points point
JOIN metric_series series ON series.id = point.series_id
JOIN metrics metric ON metric.id = series.metric_id
JOIN resources resource ON resource.id = series.resource_id
WHERE resource.service_name = %s
"""

LOGS = f"""
SELECT {NANOSECONDS.format("time", "time_nanos")}, severity_number, coalesce(severity_text, ''),
       coalesce(event_name, ''), body_text, body_json::jsonb, coalesce(replace(trace_id::text, '-', ''), ''),
       coalesce(encode(span_id, 'hex'), ''), attributes_json::jsonb
FROM logs WHERE service_name = %s
"""


def rows(observatory, query, service):
    with psycopg.connect(observatory.database) as connection:
        return connection.execute(query, [service]).fetchall()


def span_count(observatory, service):
    ((count,),) = rows(observatory, "SELECT count(*) FROM trace_spans WHERE service_name = %s", service)
    return count


def assert_spans(observatory, service, sent):
    found = [(*row[:9], as_json(row[9]), row[10]) for row in rows(observatory, SPANS, service)]
    otlp.assert_same(found, [span_row(item.record) for item in sent])


def span_row(span):
    return (
        *(span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex()),
        *(span.start_time_unix_nano, span.end_time_unix_nano),
        *(span.name, span.kind, span.status.code, span.status.message),
        as_json(otlp.attributes(span.attributes)),
        [event.name for event in span.events],
    )


def assert_points(observatory, service, sent):
    found = [(*row[:5], as_json(row[5]), *row[6:]) for row in rows(observatory, POINTS, service)]
    otlp.assert_same(found, [point_row(item.metric, item.record) for item in sent])


def point_row(metric, point):
    data, kind = otlp.metric_data(metric), metric.WhichOneof("data")
    exponential = kind == "exponential_histogram"

    def field(name):
        return getattr(point, name, None)

    def array(name):
        return None if field(name) is None else list(field(name))

    number = point.WhichOneof("value") if kind in ("gauge", "sum") else None
    return (
        *(metric.name, metric.unit, metric.description),
        *(getattr(data, "aggregation_temporality", 0), getattr(data, "is_monotonic", False)),
        as_json(otlp.attributes(point.attributes)),
        *(point.time_unix_nano, point.start_time_unix_nano),
        point.as_int if number == "as_int" else None,
        point.as_double if number == "as_double" else None,
        *(field("count"), field("sum"), field("min"), field("max")),
        *(array("bucket_counts"), array("explicit_bounds")),
        *(field("scale"), field("zero_count")),
        *((point.positive.offset, list(point.positive.bucket_counts)) if exponential else (None, None)),
    )


def assert_logs(observatory, service, sent):
    found = [(*row[:5], as_json(row[5]), *row[6:8], as_json(row[8])) for row in rows(observatory, LOGS, service)]
    otlp.assert_same(found, [log_row(item.record) for item in sent])


def log_row(record):
    body = otlp.value(record.body)
    body_text, body = (body, None) if isinstance(body, str) else (None, body)
    return (
        record.time_unix_nano or record.observed_time_unix_nano,
        *(record.severity_number, record.severity_text, record.event_name),
        *(body_text, as_json(body)),
        *(record.trace_id.hex(), record.span_id.hex()),
        as_json(otlp.attributes(record.attributes)),
    )


def as_json(value):
    """The value as jsonb holds it for people to query; what JSON cannot say comes back over the query service."""
    return json.dumps(json_form(value), sort_keys=True)


def json_form(value):
    match value:
        case bytes():
            return base64.b64encode(value).decode()
        case str():
            return value.replace("\0", "\N{REPLACEMENT CHARACTER}")
        case float() if not math.isfinite(value):
            return {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
        case float():
            return value + 0.0  # jsonb knows no negative zero
        case list():
            return [json_form(element) for element in value]
        case dict():
            return {key: json_form(element) for key, element in value.items()}
        case _:
            return value
