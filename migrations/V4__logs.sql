-- Log records.

CREATE TABLE logs (
    time                     timestamptz NOT NULL,
    observed_time            timestamptz,
    project_id               integer     NOT NULL,
    severity_number          integer     NOT NULL,
    flags                    integer,
    dropped_attributes_count integer,
    time_nanos               smallint    NOT NULL,
    observed_nanos           smallint,
    time_source              smallint    NOT NULL,
    id                       uuid        NOT NULL,
    resource_id              uuid        NOT NULL,
    scope_id                 uuid        NOT NULL,
    trace_id                 uuid,
    span_id                  bytea,
    service_name             text        NOT NULL,
    severity_text            text,
    event_name               text,
    body_text                text,
    body                     jsonb,
    body_layout              bytea,
    attributes               jsonb       NOT NULL,
    attributes_layout        bytea
) PARTITION BY RANGE (time);
COMMENT ON TABLE  logs IS 'One row is one log record, with every field of OTLP.';
COMMENT ON COLUMN logs.time IS 'When it happened, in whole microseconds; the partition column. See time_source.';
COMMENT ON COLUMN logs.observed_time IS 'When it was collected, in whole microseconds. Null when not told.';
COMMENT ON COLUMN logs.project_id IS 'The project.';
COMMENT ON COLUMN logs.severity_number IS 'OTLP SeverityNumber: 1-4 trace, 5-8 debug, 9-12 info, 13-16 warn, 17-20 error, 21-24 fatal, 0 not told.';
COMMENT ON COLUMN logs.flags IS 'OTLP flags (32 bits). Null for 0.';
COMMENT ON COLUMN logs.dropped_attributes_count IS 'OTLP dropped_attributes_count (32 bits). Null for 0.';
COMMENT ON COLUMN logs.time_nanos IS 'Nanoseconds (0 to 999) to be added to time.';
COMMENT ON COLUMN logs.observed_nanos IS 'Nanoseconds (0 to 999) to be added to observed_time.';
COMMENT ON COLUMN logs.time_source IS 'Where time comes from: 0 the record''s own time, 1 its observed time, 2 the moment at which it was received.';
COMMENT ON COLUMN logs.id IS 'Hash of the request that brought it and its place in there: orders records of the same time.';
COMMENT ON COLUMN logs.resource_id IS 'Where it comes from: resources.id.';
COMMENT ON COLUMN logs.scope_id IS 'The library that made it: scopes.id.';
COMMENT ON COLUMN logs.trace_id IS 'The trace that it belongs to, if any.';
COMMENT ON COLUMN logs.span_id IS 'The span that it belongs to, if any.';
COMMENT ON COLUMN logs.service_name IS 'service.name of its resource, repeated here so that a row reads alone.';
COMMENT ON COLUMN logs.severity_text IS 'The source''s own word for the severity. Null when empty.';
COMMENT ON COLUMN logs.event_name IS 'What kind of event it is. Null when it is none.';
COMMENT ON COLUMN logs.body_text IS 'The body, when it is text: the usual case.';
COMMENT ON COLUMN logs.body IS 'The body, when it is anything but text. Both are null when there is none.';
COMMENT ON COLUMN logs.body_layout IS 'The exact body, as an encoded opentelemetry.proto.common.v1.AnyValue, when text or JSON cannot express it.';
COMMENT ON COLUMN logs.attributes IS 'Record attributes.';
COMMENT ON COLUMN logs.attributes_layout IS 'What jsonb cannot tell of the attributes; see resources.attributes_layout.';
CREATE INDEX logs_time  ON logs (project_id, time);
CREATE INDEX logs_trace ON logs (trace_id, span_id) WHERE trace_id IS NOT NULL;
-- A tsvector holds at most 1 MiB: longer bodies are searchable by their beginning.
CREATE INDEX logs_text  ON logs USING gin (to_tsvector('simple', left(body_text, 65536))) WHERE body_text IS NOT NULL;
