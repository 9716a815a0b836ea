-- Views for people: ids that join beside ids that read, words instead of numbers, resource and scope joined.
--
-- The daemon reads none of them, so the one that still runs does not notice the change. A view costs what its table costs:
-- a condition on trace_id goes to the key, one on the time column leaves out the partitions of other days. Resource, scope
-- and metric are LEFT JOINs by unique key, which the planner drops when a query names none of their columns.
--
-- The columns of spans change their types, so it is made anew: rights that were granted on it must be granted again, and
-- views of others that read it must be dropped before.

DROP VIEW spans;

CREATE VIEW spans AS
SELECT s.trace_id, encode(uuid_send(s.trace_id), 'hex') AS trace_id_hex,
       s.span_id, encode(s.span_id, 'hex') AS span_id_hex,
       s.parent_span_id, encode(s.parent_span_id, 'hex') AS parent_span_id_hex,
       s.service_name, s.name,
       CASE s.kind WHEN 0 THEN 'unspecified' WHEN 1 THEN 'internal' WHEN 2 THEN 'server' WHEN 3 THEN 'client'
                   WHEN 4 THEN 'producer' WHEN 5 THEN 'consumer' ELSE s.kind::text END AS kind,
       CASE coalesce(s.status_code, 0) WHEN 0 THEN 'unset' WHEN 1 THEN 'ok' WHEN 2 THEN 'error'
                                       ELSE s.status_code::text END AS status,
       coalesce(s.status_code = 2, false) AS is_error, s.status_message,
       s.start_time, s.end_time, (s.duration_nanos / 1e6)::double precision AS duration_ms, s.attributes, s.links,
       s.llm_operation, s.llm_provider, s.llm_request_model, s.llm_response_model, s.llm_session_id, s.llm_user_id,
       s.input_tokens, s.output_tokens, s.cache_read_tokens, s.cache_creation_tokens, s.reasoning_tokens,
       r.attributes AS resource, c.name AS scope_name, c.version AS scope_version, s.project_id
FROM trace_spans s
LEFT JOIN resources r ON r.id = s.resource_id AND r.project_id = s.project_id
LEFT JOIN scopes c    ON c.id = s.scope_id    AND c.project_id = s.project_id;
COMMENT ON VIEW spans IS 'trace_spans for people. Filter by start_time or trace_id; trace_id joins traces, log_records and span_events.';
COMMENT ON COLUMN spans.trace_id IS 'The trace id, as all tables have it: filter and join by it. A literal of 32 hexadecimal digits is understood.';
COMMENT ON COLUMN spans.trace_id_hex IS 'The trace id in hexadecimal, to be shown. No index knows it: filter by trace_id.';
COMMENT ON COLUMN spans.span_id IS 'The W3C span id, 8 bytes.';
COMMENT ON COLUMN spans.span_id_hex IS 'The span id in hexadecimal.';
COMMENT ON COLUMN spans.parent_span_id IS 'The span that called it. Null for a root.';
COMMENT ON COLUMN spans.parent_span_id_hex IS 'The id of the span that called it in hexadecimal. Null for a root.';
COMMENT ON COLUMN spans.service_name IS 'service.name of its resource.';
COMMENT ON COLUMN spans.name IS 'Name of the span.';
COMMENT ON COLUMN spans.kind IS 'unspecified, internal, server, client, producer or consumer; the number of a kind that OTLP does not name.';
COMMENT ON COLUMN spans.status IS 'unset, ok or error; unset too when the span carried no status; the number of a status that OTLP does not name.';
COMMENT ON COLUMN spans.is_error IS 'Whether the status is error. Never null.';
COMMENT ON COLUMN spans.status_message IS 'What went wrong. Null when empty.';
COMMENT ON COLUMN spans.start_time IS 'When it started, in whole microseconds. 1970-01-01 is OTLP''s "unknown".';
COMMENT ON COLUMN spans.end_time IS 'When it ended, in whole microseconds. Null while it has not ended.';
COMMENT ON COLUMN spans.duration_ms IS 'Milliseconds from start to end. Null while it has not ended.';
COMMENT ON COLUMN spans.attributes IS 'Span attributes.';
COMMENT ON COLUMN spans.links IS 'Span links: [{trace_id, span_id, trace_state, attributes}]. Null when there are none.';
COMMENT ON COLUMN spans.llm_operation IS 'LLM: the operation, by OpenTelemetry''s names: chat, embeddings, execute_tool ...';
COMMENT ON COLUMN spans.llm_provider IS 'LLM: who serves the model.';
COMMENT ON COLUMN spans.llm_request_model IS 'LLM: the model that was asked for.';
COMMENT ON COLUMN spans.llm_response_model IS 'LLM: the model that answered.';
COMMENT ON COLUMN spans.llm_session_id IS 'LLM: the conversation or session.';
COMMENT ON COLUMN spans.llm_user_id IS 'LLM: the end user on whose behalf the call was made.';
COMMENT ON COLUMN spans.input_tokens IS 'LLM: tokens in, cached ones included. Null when not told.';
COMMENT ON COLUMN spans.output_tokens IS 'LLM: tokens out, reasoning included. Null when not told.';
COMMENT ON COLUMN spans.cache_read_tokens IS 'LLM: the part of input_tokens that was read from a cache.';
COMMENT ON COLUMN spans.cache_creation_tokens IS 'LLM: the part of input_tokens that was written to a cache.';
COMMENT ON COLUMN spans.reasoning_tokens IS 'LLM: the part of output_tokens that was reasoning.';
COMMENT ON COLUMN spans.resource IS 'Attributes of the resource that it comes from.';
COMMENT ON COLUMN spans.scope_name IS 'Name of the instrumentation scope.';
COMMENT ON COLUMN spans.scope_version IS 'Version of the instrumentation scope.';
COMMENT ON COLUMN spans.project_id IS 'The project.';

CREATE VIEW span_events AS
SELECT e.trace_id, encode(uuid_send(e.trace_id), 'hex') AS trace_id_hex,
       e.span_id, encode(e.span_id, 'hex') AS span_id_hex,
       e.start_time, e.ordinal, e.time, e.name, e.attributes, e.project_id
FROM trace_events e;
COMMENT ON VIEW span_events IS 'trace_events for people. Filter by start_time or trace_id; trace_id, start_time and span_id join spans.';
COMMENT ON COLUMN span_events.trace_id IS 'The trace id: filter and join by it.';
COMMENT ON COLUMN span_events.trace_id_hex IS 'The trace id in hexadecimal, to be shown. No index knows it: filter by trace_id.';
COMMENT ON COLUMN span_events.span_id IS 'The W3C id of its span, 8 bytes.';
COMMENT ON COLUMN span_events.span_id_hex IS 'The id of its span in hexadecimal.';
COMMENT ON COLUMN span_events.start_time IS 'When its span started, in whole microseconds.';
COMMENT ON COLUMN span_events.ordinal IS 'Its place among the events of the span, from 0.';
COMMENT ON COLUMN span_events.time IS 'When it happened, in whole microseconds.';
COMMENT ON COLUMN span_events.name IS 'Name of the event; "exception" by convention for exceptions.';
COMMENT ON COLUMN span_events.attributes IS 'Event attributes.';
COMMENT ON COLUMN span_events.project_id IS 'The project.';

CREATE VIEW log_records AS
SELECT l.time,
       CASE l.time_source WHEN 0 THEN 'record' WHEN 1 THEN 'observed' WHEN 2 THEN 'received'
                          ELSE l.time_source::text END AS time_source,
       l.observed_time, l.service_name,
       CASE WHEN l.severity_number = 0 THEN 'unspecified'
            WHEN l.severity_number BETWEEN 1 AND 24
            THEN (ARRAY['trace', 'debug', 'info', 'warn', 'error', 'fatal'])[(l.severity_number + 3) / 4]
            ELSE l.severity_number::text END AS severity,
       l.severity_number, l.severity_text, l.severity_number >= 17 AS is_error,
       l.event_name, l.body_text, l.body, l.attributes,
       l.trace_id, encode(uuid_send(l.trace_id), 'hex') AS trace_id_hex,
       l.span_id, encode(l.span_id, 'hex') AS span_id_hex,
       r.attributes AS resource, c.name AS scope_name, c.version AS scope_version, l.id, l.project_id
FROM logs l
LEFT JOIN resources r ON r.id = l.resource_id AND r.project_id = l.project_id
LEFT JOIN scopes c    ON c.id = l.scope_id    AND c.project_id = l.project_id;
COMMENT ON VIEW log_records IS 'logs for people. Filter by time and project_id, or by trace_id; trace_id joins traces and spans.';
COMMENT ON COLUMN log_records.time IS 'When it happened, in whole microseconds. See time_source.';
COMMENT ON COLUMN log_records.time_source IS 'Where time comes from: the record itself, the moment at which it was observed, or the one at which it was received.';
COMMENT ON COLUMN log_records.observed_time IS 'When it was collected, in whole microseconds. Null when not told.';
COMMENT ON COLUMN log_records.service_name IS 'service.name of its resource.';
COMMENT ON COLUMN log_records.severity IS 'trace, debug, info, warn, error or fatal; unspecified when not told; the number of a severity that OTLP does not name.';
COMMENT ON COLUMN log_records.severity_number IS 'OTLP SeverityNumber: 1-4 trace, 5-8 debug, 9-12 info, 13-16 warn, 17-20 error, 21-24 fatal, 0 not told.';
COMMENT ON COLUMN log_records.severity_text IS 'The source''s own word for the severity. Null when empty.';
COMMENT ON COLUMN log_records.is_error IS 'Whether the severity is error or worse. Never null.';
COMMENT ON COLUMN log_records.event_name IS 'What kind of event it is. Null when it is none.';
COMMENT ON COLUMN log_records.body_text IS 'The body, when it is text: the usual case.';
COMMENT ON COLUMN log_records.body IS 'The body, when it is anything but text. Both are null when there is none.';
COMMENT ON COLUMN log_records.attributes IS 'Record attributes.';
COMMENT ON COLUMN log_records.trace_id IS 'The trace that it belongs to, if any: filter and join by it.';
COMMENT ON COLUMN log_records.trace_id_hex IS 'That trace id in hexadecimal, to be shown. No index knows it: filter by trace_id.';
COMMENT ON COLUMN log_records.span_id IS 'The span that it belongs to, if any, 8 bytes.';
COMMENT ON COLUMN log_records.span_id_hex IS 'That span id in hexadecimal.';
COMMENT ON COLUMN log_records.resource IS 'Attributes of the resource that it comes from.';
COMMENT ON COLUMN log_records.scope_name IS 'Name of the instrumentation scope.';
COMMENT ON COLUMN log_records.scope_version IS 'Version of the instrumentation scope.';
COMMENT ON COLUMN log_records.id IS 'Orders records of the same time.';
COMMENT ON COLUMN log_records.project_id IS 'The project.';

CREATE VIEW metric_points AS
SELECT p.time, nullif(p.start_time, '1970-01-01 00:00:00+00') AS start_time, r.service_name, m.name, m.unit, m.description,
       CASE m.kind WHEN 1 THEN 'gauge' WHEN 2 THEN 'sum' WHEN 3 THEN 'histogram' WHEN 4 THEN 'exponential_histogram'
                   WHEN 5 THEN 'summary' ELSE m.kind::text END AS kind,
       CASE m.temporality WHEN 0 THEN 'unspecified' WHEN 1 THEN 'delta' WHEN 2 THEN 'cumulative'
                          ELSE m.temporality::text END AS temporality,
       m.is_monotonic, s.attributes,
       coalesce(p.value_double, p.value_int::double precision) AS value, p.value_int,
       coalesce(p.flags & 1, 0) = 1 AS is_stale,
       p.count, p.sum, p.min, p.max, p.bucket_counts, p.explicit_bounds, p.scale, p.zero_count, p.zero_threshold,
       p.positive_offset, p.positive_counts, p.negative_offset, p.negative_counts, p.quantiles, p.quantile_values, p.exemplars,
       r.attributes AS resource, c.name AS scope_name, c.version AS scope_version, p.series_id, s.metric_id, p.project_id
FROM metric_data_points p
LEFT JOIN metric_series s ON s.id = p.series_id   AND s.project_id = p.project_id
LEFT JOIN metrics m       ON m.id = s.metric_id   AND m.project_id = s.project_id
LEFT JOIN resources r     ON r.id = s.resource_id AND r.project_id = s.project_id
LEFT JOIN scopes c        ON c.id = s.scope_id    AND c.project_id = s.project_id;
COMMENT ON VIEW metric_points IS 'metric_data_points for people: each point with its metric, its series, and where it comes from. Filter by time, with name or series_id.';
COMMENT ON COLUMN metric_points.time IS 'When it was measured, in whole microseconds.';
COMMENT ON COLUMN metric_points.start_time IS 'From when on it counts, in whole microseconds. Null when not told.';
COMMENT ON COLUMN metric_points.service_name IS 'service.name of its resource.';
COMMENT ON COLUMN metric_points.name IS 'Name of the metric.';
COMMENT ON COLUMN metric_points.unit IS 'Unit, by UCUM.';
COMMENT ON COLUMN metric_points.description IS 'What the metric measures.';
COMMENT ON COLUMN metric_points.kind IS 'gauge, sum, histogram, exponential_histogram or summary: which of the columns below are filled.';
COMMENT ON COLUMN metric_points.temporality IS 'delta or cumulative; unspecified for gauges and summaries; the number of one that OTLP does not name.';
COMMENT ON COLUMN metric_points.is_monotonic IS 'Whether a sum only grows.';
COMMENT ON COLUMN metric_points.attributes IS 'Attributes of the series.';
COMMENT ON COLUMN metric_points.value IS 'Gauge, sum: the value, whether it came as an integer or not. An integer beyond 2^53 is rounded here.';
COMMENT ON COLUMN metric_points.value_int IS 'Gauge, sum: the value exactly, when it is an integer.';
COMMENT ON COLUMN metric_points.is_stale IS 'Whether the point says that its series went stale: it has no value. Never null.';
COMMENT ON COLUMN metric_points.count IS 'Histograms, summary: number of values. An unsigned 64-bit number, kept as its 64 bits.';
COMMENT ON COLUMN metric_points.sum IS 'Histograms, summary: sum of the values.';
COMMENT ON COLUMN metric_points.min IS 'Histograms: smallest value.';
COMMENT ON COLUMN metric_points.max IS 'Histograms: largest value.';
COMMENT ON COLUMN metric_points.bucket_counts IS 'Histogram: count of each bucket.';
COMMENT ON COLUMN metric_points.explicit_bounds IS 'Histogram: upper bounds of the buckets; the last bucket has none.';
COMMENT ON COLUMN metric_points.scale IS 'Exponential histogram: the base is 2 to the power of 2 to the power of -scale.';
COMMENT ON COLUMN metric_points.zero_count IS 'Exponential histogram: number of values that count as zero.';
COMMENT ON COLUMN metric_points.zero_threshold IS 'Exponential histogram: up to where a value counts as zero.';
COMMENT ON COLUMN metric_points.positive_offset IS 'Exponential histogram: index of the first positive bucket.';
COMMENT ON COLUMN metric_points.positive_counts IS 'Exponential histogram: counts of the positive buckets.';
COMMENT ON COLUMN metric_points.negative_offset IS 'Exponential histogram: index of the first negative bucket.';
COMMENT ON COLUMN metric_points.negative_counts IS 'Exponential histogram: counts of the negative buckets.';
COMMENT ON COLUMN metric_points.quantiles IS 'Summary: the quantiles, 0 to 1.';
COMMENT ON COLUMN metric_points.quantile_values IS 'Summary: the value at each quantile.';
COMMENT ON COLUMN metric_points.exemplars IS 'Exemplars: [{time_unix_nano, value, trace_id, span_id, attributes}]. Null when there are none.';
COMMENT ON COLUMN metric_points.resource IS 'Attributes of the resource that it comes from.';
COMMENT ON COLUMN metric_points.scope_name IS 'Name of the instrumentation scope.';
COMMENT ON COLUMN metric_points.scope_version IS 'Version of the instrumentation scope.';
COMMENT ON COLUMN metric_points.series_id IS 'The series: metric_series.id.';
COMMENT ON COLUMN metric_points.metric_id IS 'The definition: metrics.id.';
COMMENT ON COLUMN metric_points.project_id IS 'The project.';
