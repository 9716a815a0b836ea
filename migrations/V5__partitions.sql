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
