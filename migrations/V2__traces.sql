-- Traces, spans and span events.

CREATE TABLE traces (
    start_time     timestamptz NOT NULL,
    end_time       timestamptz NOT NULL,
    root_start     timestamptz,
    span_count     bigint      NOT NULL,
    error_count    bigint      NOT NULL,
    day            date        NOT NULL,
    project_id     integer     NOT NULL,
    start_nanos    smallint    NOT NULL,
    end_nanos      smallint    NOT NULL,
    trace_id       uuid        NOT NULL,
    root_span_id   bytea,
    root_name      text,
    root_service   text,
    services       text[]      NOT NULL,
    PRIMARY KEY (trace_id, day, project_id)
) PARTITION BY RANGE (day);
COMMENT ON TABLE  traces IS 'What one day knows of one trace: a summary of the spans that started on that day. A reader merges the days of a trace by min, max and sum, so late and unordered spans cannot spoil it.';
COMMENT ON COLUMN traces.start_time IS 'Earliest start of its spans, in whole microseconds.';
COMMENT ON COLUMN traces.end_time IS 'Latest end of its spans (a span that has not ended counts with its start), in whole microseconds.';
COMMENT ON COLUMN traces.root_start IS 'Start of the root span; of several roots the earliest is kept. Null while no root is known.';
COMMENT ON COLUMN traces.span_count IS 'Number of spans.';
COMMENT ON COLUMN traces.error_count IS 'Number of spans whose status is ERROR.';
COMMENT ON COLUMN traces.day IS 'UTC day on which the spans started; the partition column.';
COMMENT ON COLUMN traces.project_id IS 'The project.';
COMMENT ON COLUMN traces.start_nanos IS 'Nanoseconds (0 to 999) to be added to start_time.';
COMMENT ON COLUMN traces.end_nanos IS 'Nanoseconds (0 to 999) to be added to end_time.';
COMMENT ON COLUMN traces.trace_id IS 'The trace id: the same 128 bits as the W3C trace id.';
COMMENT ON COLUMN traces.root_span_id IS 'Id of the root span.';
COMMENT ON COLUMN traces.root_name IS 'Name of the root span.';
COMMENT ON COLUMN traces.root_service IS 'service.name of the root span.';
COMMENT ON COLUMN traces.services IS 'Every service.name that took part. May name one twice.';
CREATE INDEX traces_start ON traces (project_id, start_time, trace_id);

CREATE TABLE trace_spans (
    start_time               timestamptz NOT NULL,
    end_time                 timestamptz,
    duration_nanos           bigint,
    input_tokens             bigint,
    output_tokens            bigint,
    cache_read_tokens        bigint,
    cache_creation_tokens    bigint,
    reasoning_tokens         bigint,
    project_id               integer     NOT NULL,
    kind                     integer     NOT NULL,
    status_code              integer,
    flags                    integer,
    dropped_attributes_count integer,
    dropped_events_count     integer,
    dropped_links_count      integer,
    start_nanos              smallint    NOT NULL,
    end_nanos                smallint,
    trace_id                 uuid        NOT NULL,
    resource_id              uuid        NOT NULL,
    scope_id                 uuid        NOT NULL,
    span_id                  bytea       NOT NULL,
    parent_span_id           bytea,
    name                     text        NOT NULL,
    service_name             text        NOT NULL,
    trace_state              text,
    status_message           text,
    llm_operation            text,
    llm_provider             text,
    llm_request_model        text,
    llm_response_model       text,
    llm_session_id           text,
    llm_user_id              text,
    attributes               jsonb       NOT NULL,
    attributes_layout        bytea,
    links                    jsonb,
    links_otlp               bytea,
    PRIMARY KEY (trace_id, start_time, span_id, project_id)
) PARTITION BY RANGE (start_time);
COMMENT ON TABLE  trace_spans IS 'One row is one span, with every field of OTLP.';
COMMENT ON COLUMN trace_spans.start_time IS 'When it started, in whole microseconds; the partition column. 1970-01-01 is OTLP''s "unknown".';
COMMENT ON COLUMN trace_spans.end_time IS 'When it ended, in whole microseconds. Null while it has not ended.';
COMMENT ON COLUMN trace_spans.duration_nanos IS 'Nanoseconds from start to end; 0 when the clock ran backwards. Null while it has not ended.';
COMMENT ON COLUMN trace_spans.input_tokens IS 'LLM: tokens in, cached ones included. Null when not told.';
COMMENT ON COLUMN trace_spans.output_tokens IS 'LLM: tokens out, reasoning included. Null when not told.';
COMMENT ON COLUMN trace_spans.cache_read_tokens IS 'LLM: the part of input_tokens that was read from a cache.';
COMMENT ON COLUMN trace_spans.cache_creation_tokens IS 'LLM: the part of input_tokens that was written to a cache.';
COMMENT ON COLUMN trace_spans.reasoning_tokens IS 'LLM: the part of output_tokens that was reasoning.';
COMMENT ON COLUMN trace_spans.project_id IS 'The project.';
COMMENT ON COLUMN trace_spans.kind IS 'OTLP SpanKind: 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer.';
COMMENT ON COLUMN trace_spans.status_code IS 'OTLP StatusCode: 0 unset, 1 ok, 2 error. Null when the span carried no status at all.';
COMMENT ON COLUMN trace_spans.flags IS 'OTLP flags (32 bits): the low 8 are the W3C trace flags, 0x100 and 0x200 tell of a remote parent. Null for 0.';
COMMENT ON COLUMN trace_spans.dropped_attributes_count IS 'OTLP dropped_attributes_count (32 bits). Null for 0.';
COMMENT ON COLUMN trace_spans.dropped_events_count IS 'OTLP dropped_events_count (32 bits). Null for 0.';
COMMENT ON COLUMN trace_spans.dropped_links_count IS 'OTLP dropped_links_count (32 bits). Null for 0.';
COMMENT ON COLUMN trace_spans.start_nanos IS 'Nanoseconds (0 to 999) to be added to start_time.';
COMMENT ON COLUMN trace_spans.end_nanos IS 'Nanoseconds (0 to 999) to be added to end_time.';
COMMENT ON COLUMN trace_spans.trace_id IS 'The trace id: the same 128 bits as the W3C trace id.';
COMMENT ON COLUMN trace_spans.resource_id IS 'Where it comes from: resources.id.';
COMMENT ON COLUMN trace_spans.scope_id IS 'The library that made it: scopes.id.';
COMMENT ON COLUMN trace_spans.span_id IS 'The W3C span id, 8 bytes.';
COMMENT ON COLUMN trace_spans.parent_span_id IS 'The span that called it. Null for a root.';
COMMENT ON COLUMN trace_spans.name IS 'Name of the span.';
COMMENT ON COLUMN trace_spans.service_name IS 'service.name of its resource, repeated here so that a row reads alone.';
COMMENT ON COLUMN trace_spans.trace_state IS 'W3C tracestate. Null when empty.';
COMMENT ON COLUMN trace_spans.status_message IS 'What went wrong. Null when empty.';
COMMENT ON COLUMN trace_spans.llm_operation IS 'LLM: the operation, by OpenTelemetry''s names: chat, embeddings, execute_tool ...';
COMMENT ON COLUMN trace_spans.llm_provider IS 'LLM: who serves the model.';
COMMENT ON COLUMN trace_spans.llm_request_model IS 'LLM: the model that was asked for.';
COMMENT ON COLUMN trace_spans.llm_response_model IS 'LLM: the model that answered.';
COMMENT ON COLUMN trace_spans.llm_session_id IS 'LLM: the conversation or session.';
COMMENT ON COLUMN trace_spans.llm_user_id IS 'LLM: the end user on whose behalf the call was made.';
COMMENT ON COLUMN trace_spans.attributes IS 'Span attributes.';
COMMENT ON COLUMN trace_spans.attributes_layout IS 'What jsonb cannot tell of the attributes; see resources.attributes_layout.';
COMMENT ON COLUMN trace_spans.links IS 'Span links, for people: [{trace_id, span_id, trace_state, attributes}]. Null when there are none.';
COMMENT ON COLUMN trace_spans.links_otlp IS 'The same links exactly, as an encoded opentelemetry.proto.trace.v1.Span with only links set.';
CREATE INDEX trace_spans_start ON trace_spans USING brin (start_time) WITH (autosummarize = on);

CREATE TABLE trace_events (
    start_time               timestamptz NOT NULL,
    time                     timestamptz NOT NULL,
    project_id               integer     NOT NULL,
    ordinal                  integer     NOT NULL,
    dropped_attributes_count integer,
    time_nanos               smallint    NOT NULL,
    trace_id                 uuid        NOT NULL,
    span_id                  bytea       NOT NULL,
    name                     text        NOT NULL,
    attributes               jsonb       NOT NULL,
    attributes_layout        bytea,
    PRIMARY KEY (trace_id, start_time, span_id, ordinal, project_id)
) PARTITION BY RANGE (start_time);
COMMENT ON TABLE  trace_events IS 'One row is one event of a span, kept in the partition of its span.';
COMMENT ON COLUMN trace_events.start_time IS 'When its span started, in whole microseconds; the partition column.';
COMMENT ON COLUMN trace_events.time IS 'When the event happened, in whole microseconds.';
COMMENT ON COLUMN trace_events.project_id IS 'The project.';
COMMENT ON COLUMN trace_events.ordinal IS 'Its place among the events of the span, from 0.';
COMMENT ON COLUMN trace_events.dropped_attributes_count IS 'OTLP dropped_attributes_count (32 bits). Null for 0.';
COMMENT ON COLUMN trace_events.time_nanos IS 'Nanoseconds (0 to 999) to be added to time.';
COMMENT ON COLUMN trace_events.trace_id IS 'The trace.';
COMMENT ON COLUMN trace_events.span_id IS 'The span.';
COMMENT ON COLUMN trace_events.name IS 'Name of the event; "exception" by convention for exceptions.';
COMMENT ON COLUMN trace_events.attributes IS 'Event attributes.';
COMMENT ON COLUMN trace_events.attributes_layout IS 'What jsonb cannot tell of the attributes; see resources.attributes_layout.';
