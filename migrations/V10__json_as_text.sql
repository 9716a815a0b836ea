-- Attributes and bodies as the text of their JSON. PostgreSQL takes jsonb apart character by character, which was the largest
-- part of its work for a span; text it only stores. It keeps order and duplicates too.

-- A PostgreSQL that was built without lz4 compresses them as it does other columns.
CREATE FUNCTION pg_temp.add_json(to_table regclass, new_column text, meaning text, before text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    member regclass;
BEGIN
    BEGIN
        EXECUTE format('ALTER TABLE %s ADD COLUMN %I text COMPRESSION lz4', to_table, new_column);
    EXCEPTION WHEN feature_not_supported THEN
        EXECUTE format('ALTER TABLE %s ADD COLUMN %I text', to_table, new_column);
    END;
    EXECUTE format('ALTER TABLE %s ALTER COLUMN %I DROP NOT NULL', to_table, before);
    -- A new partition takes the comments from its parent; those that exist get them here.
    FOR member IN SELECT relid FROM pg_partition_tree(to_table) LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', member, new_column,
                       meaning || ', as the text of its JSON: cast it to jsonb, or see the view. Null in rows of before schema version 10, which have '
                       || before || '.');
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', member, before, 'Filled by versions before schema version 10; see ' || new_column || '.');
    END LOOP;
END $$;
SELECT pg_temp.add_json('trace_spans', 'attributes_json', 'Span attributes', 'attributes');
SELECT pg_temp.add_json('trace_events', 'attributes_json', 'Event attributes', 'attributes');
SELECT pg_temp.add_json('logs', 'attributes_json', 'Record attributes', 'attributes');
SELECT pg_temp.add_json('logs', 'body_json', 'The body, when it is anything but text', 'body');

CREATE OR REPLACE VIEW spans AS
SELECT s.trace_id, encode(uuid_send(s.trace_id), 'hex') AS trace_id_hex,
       s.span_id, encode(s.span_id, 'hex') AS span_id_hex,
       s.parent_span_id, encode(s.parent_span_id, 'hex') AS parent_span_id_hex,
       s.service_name, s.name,
       CASE s.kind WHEN 0 THEN 'unspecified' WHEN 1 THEN 'internal' WHEN 2 THEN 'server' WHEN 3 THEN 'client'
                   WHEN 4 THEN 'producer' WHEN 5 THEN 'consumer' ELSE s.kind::text END AS kind,
       CASE coalesce(s.status_code, 0) WHEN 0 THEN 'unset' WHEN 1 THEN 'ok' WHEN 2 THEN 'error'
                                       ELSE s.status_code::text END AS status,
       coalesce(s.status_code = 2, false) AS is_error, s.status_message,
       s.start_time, s.end_time, (s.duration_nanos / 1e6)::double precision AS duration_ms,
       coalesce(s.attributes_json::jsonb, s.attributes) AS attributes, s.links,
       r.attributes AS resource, c.name AS scope_name, c.version AS scope_version, s.project_id
FROM trace_spans s
LEFT JOIN resources r ON r.id = s.resource_id AND r.project_id = s.project_id
LEFT JOIN scopes c    ON c.id = s.scope_id    AND c.project_id = s.project_id;

CREATE OR REPLACE VIEW span_events AS
SELECT e.trace_id, encode(uuid_send(e.trace_id), 'hex') AS trace_id_hex,
       e.span_id, encode(e.span_id, 'hex') AS span_id_hex,
       e.start_time, e.ordinal, e.time, e.name,
       coalesce(e.attributes_json::jsonb, e.attributes) AS attributes, e.project_id
FROM trace_events e;

CREATE OR REPLACE VIEW log_records AS
SELECT l.time,
       CASE l.time_source WHEN 0 THEN 'record' WHEN 1 THEN 'observed' WHEN 2 THEN 'received'
                          ELSE l.time_source::text END AS time_source,
       l.observed_time, l.service_name,
       CASE WHEN l.severity_number = 0 THEN 'unspecified'
            WHEN l.severity_number BETWEEN 1 AND 24
            THEN (ARRAY['trace', 'debug', 'info', 'warn', 'error', 'fatal'])[(l.severity_number + 3) / 4]
            ELSE l.severity_number::text END AS severity,
       l.severity_number, l.severity_text, l.severity_number >= 17 AS is_error,
       l.event_name, l.body_text, coalesce(l.body_json::jsonb, l.body) AS body,
       coalesce(l.attributes_json::jsonb, l.attributes) AS attributes,
       l.trace_id, encode(uuid_send(l.trace_id), 'hex') AS trace_id_hex,
       l.span_id, encode(l.span_id, 'hex') AS span_id_hex,
       r.attributes AS resource, c.name AS scope_name, c.version AS scope_version, l.id, l.project_id
FROM logs l
LEFT JOIN resources r ON r.id = l.resource_id AND r.project_id = l.project_id
LEFT JOIN scopes c    ON c.id = l.scope_id    AND c.project_id = l.project_id;
