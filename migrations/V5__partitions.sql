-- Day partitions, made ahead and on demand.

CREATE FUNCTION observatory_ensure_partition(parent regclass, first_day date, past_last_day date, suffix text)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    leaf text := parent::text || '_' || suffix;
BEGIN
    IF to_regclass(leaf) IS NOT NULL THEN
        RETURN false;
    END IF;
    -- LIKE and ATTACH, not PARTITION OF: that would lock out every reader and writer of the parent.
    EXECUTE format('CREATE TABLE %I (LIKE %s INCLUDING ALL)', leaf, parent);
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', parent, leaf,
                   coalesce(quote_literal(first_day || CASE parent::text WHEN 'traces' THEN '' ELSE ' 00:00:00+00' END), 'MINVALUE'),
                   coalesce(quote_literal(past_last_day || CASE parent::text WHEN 'traces' THEN '' ELSE ' 00:00:00+00' END), 'MAXVALUE'));
    RETURN true;
END $$;
COMMENT ON FUNCTION observatory_ensure_partition IS 'Makes the partition {parent}_{suffix} for [first_day, past_last_day) in UTC; null means unbounded. Returns whether it was made. Callers hold observatory''s advisory lock.';

CREATE VIEW observatory_partitions AS
SELECT parent.relname AS parent, leaf.relname AS partition, pg_get_expr(leaf.relpartbound, leaf.oid) AS bounds
FROM pg_inherits
JOIN pg_class parent ON parent.oid = inhparent
JOIN pg_class leaf   ON leaf.oid = inhrelid
WHERE parent.relname IN ('traces', 'trace_spans', 'trace_events', 'metric_data_points', 'logs') AND leaf.relkind = 'r';
COMMENT ON VIEW observatory_partitions IS 'The partitions of the tables of telemetry.';
COMMENT ON COLUMN observatory_partitions.parent IS 'The table.';
COMMENT ON COLUMN observatory_partitions.partition IS 'Its partition: {table}_{yyyymmdd}, _undated or _far_future.';
COMMENT ON COLUMN observatory_partitions.bounds IS 'The range that it holds.';

SELECT observatory_ensure_partition(parent, NULL, '2000-01-01', 'undated'),
       observatory_ensure_partition(parent, '2100-01-01', NULL, 'far_future')
FROM (VALUES ('traces'::regclass), ('trace_spans'), ('trace_events'), ('metric_data_points'), ('logs')) AS t (parent);

CREATE VIEW spans AS
SELECT encode(uuid_send(s.trace_id), 'hex') AS trace_id, encode(s.span_id, 'hex') AS span_id,
       encode(s.parent_span_id, 'hex') AS parent_span_id, s.service_name, s.name, s.kind, s.status_code, s.status_message,
       s.start_time, s.end_time, (s.duration_nanos / 1e6)::double precision AS duration_ms, s.attributes, s.links,
       s.llm_operation, s.llm_provider, s.llm_request_model, s.llm_response_model, s.llm_session_id, s.llm_user_id,
       s.input_tokens, s.output_tokens, s.cache_read_tokens, s.cache_creation_tokens, s.reasoning_tokens,
       r.attributes AS resource, c.name AS scope_name, c.version AS scope_version, s.project_id
FROM trace_spans s
LEFT JOIN resources r ON r.id = s.resource_id AND r.project_id = s.project_id
LEFT JOIN scopes c    ON c.id = s.scope_id    AND c.project_id = s.project_id;
COMMENT ON VIEW spans IS 'trace_spans for people: hex ids, milliseconds, resource and scope joined. Filter by start_time.';
COMMENT ON COLUMN spans.trace_id IS 'Hexadecimal trace id.';
COMMENT ON COLUMN spans.span_id IS 'Hexadecimal span id.';
COMMENT ON COLUMN spans.parent_span_id IS 'Hexadecimal id of the span that called it. Null for a root.';
COMMENT ON COLUMN spans.service_name IS 'service.name of its resource.';
COMMENT ON COLUMN spans.name IS 'Name of the span.';
COMMENT ON COLUMN spans.kind IS 'OTLP SpanKind: 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer.';
COMMENT ON COLUMN spans.status_code IS 'OTLP StatusCode: 0 unset, 1 ok, 2 error. Null when the span carried no status at all.';
COMMENT ON COLUMN spans.status_message IS 'What went wrong. Null when empty.';
COMMENT ON COLUMN spans.start_time IS 'When it started, in whole microseconds.';
COMMENT ON COLUMN spans.end_time IS 'When it ended, in whole microseconds. Null while it has not ended.';
COMMENT ON COLUMN spans.duration_ms IS 'Milliseconds from start to end. Null while it has not ended.';
COMMENT ON COLUMN spans.attributes IS 'Span attributes.';
COMMENT ON COLUMN spans.links IS 'Span links. Null when there are none.';
COMMENT ON COLUMN spans.llm_operation IS 'LLM: the operation.';
COMMENT ON COLUMN spans.llm_provider IS 'LLM: who serves the model.';
COMMENT ON COLUMN spans.llm_request_model IS 'LLM: the model that was asked for.';
COMMENT ON COLUMN spans.llm_response_model IS 'LLM: the model that answered.';
COMMENT ON COLUMN spans.llm_session_id IS 'LLM: the conversation or session.';
COMMENT ON COLUMN spans.llm_user_id IS 'LLM: the end user on whose behalf the call was made.';
COMMENT ON COLUMN spans.input_tokens IS 'LLM: tokens in, cached ones included.';
COMMENT ON COLUMN spans.output_tokens IS 'LLM: tokens out, reasoning included.';
COMMENT ON COLUMN spans.cache_read_tokens IS 'LLM: the part of input_tokens that was read from a cache.';
COMMENT ON COLUMN spans.cache_creation_tokens IS 'LLM: the part of input_tokens that was written to a cache.';
COMMENT ON COLUMN spans.reasoning_tokens IS 'LLM: the part of output_tokens that was reasoning.';
COMMENT ON COLUMN spans.resource IS 'Attributes of the resource that it comes from.';
COMMENT ON COLUMN spans.scope_name IS 'Name of the instrumentation scope.';
COMMENT ON COLUMN spans.scope_version IS 'Version of the instrumentation scope.';
COMMENT ON COLUMN spans.project_id IS 'The project.';
