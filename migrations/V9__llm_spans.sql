-- The readings of LLM spans, in a table beside the spans: narrow rows that can be listed, summed, priced and read again
-- without touching the spans.

CREATE TABLE trace_llm_spans (
    start_time                timestamptz NOT NULL,
    duration_nanos            bigint,
    input_tokens              bigint,
    output_tokens             bigint,
    cache_read_tokens         bigint,
    cache_creation_tokens     bigint,
    cache_creation_1h_tokens  bigint,
    reasoning_tokens          bigint,
    input_audio_tokens        bigint,
    output_audio_tokens       bigint,
    input_image_tokens        bigint,
    output_image_tokens       bigint,
    cost_nanos                bigint,
    price_id                  bigint,
    reported_cost_nanos       bigint,
    time_to_first_token_nanos bigint,
    project_id                integer     NOT NULL,
    status_code               integer,
    start_nanos               smallint    NOT NULL,
    reading_version           smallint    NOT NULL,
    log_events                smallint,
    is_call                   boolean     NOT NULL,
    billable                  boolean     NOT NULL,
    usage_missing             boolean     NOT NULL,
    may_be_hidden             boolean     NOT NULL,
    session_taken_over        boolean     NOT NULL,
    user_taken_over           boolean     NOT NULL,
    streaming                 boolean,
    trace_id                  uuid        NOT NULL,
    span_id                   bytea       NOT NULL,
    parent_span_id            bytea,
    log_id                    uuid,
    kind                      text        NOT NULL,
    dialect                   text        NOT NULL,
    service_name              text        NOT NULL,
    name                      text        NOT NULL,
    operation                 text,
    provider                  text,
    request_model             text,
    response_model            text,
    response_id               text,
    service_tier              text,
    session_id                text,
    user_id                   text,
    tool_name                 text,
    tool_call_id              text,
    agent_name                text,
    agent_id                  text,
    prompt_name               text,
    prompt_version            text,
    error_type                text,
    cost_currency             text,
    finish_reasons            text[],
    tags                      text[],
    details                   jsonb,
    details_layout            bytea,
    PRIMARY KEY (trace_id, start_time, span_id, project_id)
) PARTITION BY RANGE (start_time);
COMMENT ON TABLE  trace_llm_spans IS 'One row is the reading of one LLM span, or of a call that a log record tells: what people filter, count and pay. The span itself, with all that was said, is the row of trace_spans with the same key; the log record is the row of logs that log_id names.';
COMMENT ON COLUMN trace_llm_spans.start_time IS 'When the span started, in whole microseconds; the partition column.';
COMMENT ON COLUMN trace_llm_spans.duration_nanos IS 'Nanoseconds from start to end. Null while the span has not ended, and where a log record does not tell.';
COMMENT ON COLUMN trace_llm_spans.input_tokens IS 'Tokens in, cached ones included. Null when not told, as all counts.';
COMMENT ON COLUMN trace_llm_spans.output_tokens IS 'Tokens out, reasoning included.';
COMMENT ON COLUMN trace_llm_spans.cache_read_tokens IS 'The part of input_tokens that the provider read from its cache.';
COMMENT ON COLUMN trace_llm_spans.cache_creation_tokens IS 'The part of input_tokens that the provider wrote to its cache.';
COMMENT ON COLUMN trace_llm_spans.cache_creation_1h_tokens IS 'The part of cache_creation_tokens that the provider keeps for an hour; the rest it keeps for five minutes.';
COMMENT ON COLUMN trace_llm_spans.reasoning_tokens IS 'The part of output_tokens that is reasoning.';
COMMENT ON COLUMN trace_llm_spans.input_audio_tokens IS 'The part of input_tokens that is audio.';
COMMENT ON COLUMN trace_llm_spans.output_audio_tokens IS 'The part of output_tokens that is audio.';
COMMENT ON COLUMN trace_llm_spans.input_image_tokens IS 'The part of input_tokens that is images.';
COMMENT ON COLUMN trace_llm_spans.output_image_tokens IS 'The part of output_tokens that is images.';
COMMENT ON COLUMN trace_llm_spans.cost_nanos IS 'What the call costs by the prices known here, in billionths of cost_currency, whether it is billable or not. Null when no price is known, and for steps that are no calls.';
COMMENT ON COLUMN trace_llm_spans.price_id IS 'The price that cost_nanos was computed from: model_prices.id, or a price that the program brings along. Null with cost_nanos.';
COMMENT ON COLUMN trace_llm_spans.reported_cost_nanos IS 'What the application says that the call cost, in billionths of a US dollar.';
COMMENT ON COLUMN trace_llm_spans.time_to_first_token_nanos IS 'Nanoseconds from the start to the first part of the answer.';
COMMENT ON COLUMN trace_llm_spans.project_id IS 'The project.';
COMMENT ON COLUMN trace_llm_spans.status_code IS 'OTLP StatusCode: 0 unset, 1 ok, 2 error. Null when the span carried no status at all.';
COMMENT ON COLUMN trace_llm_spans.start_nanos IS 'Nanoseconds (0 to 999) to be added to start_time.';
COMMENT ON COLUMN trace_llm_spans.reading_version IS 'The version of the reading: of the rules by which this row was read from its span. It rises when they change.';
COMMENT ON COLUMN trace_llm_spans.log_events IS 'Number of log records that were read with the span. Null for none.';
COMMENT ON COLUMN trace_llm_spans.is_call IS 'Whether the step calls a model itself, as far as the span alone tells.';
COMMENT ON COLUMN trace_llm_spans.billable IS 'Whether the call counts: of several spans of one call exactly one does. Sum tokens and cost where it is true.';
COMMENT ON COLUMN trace_llm_spans.usage_missing IS 'Whether it is a billable call that succeeded and told no tokens.';
COMMENT ON COLUMN trace_llm_spans.may_be_hidden IS 'Whether it is a call of a client that may be inside a call of another trace.';
COMMENT ON COLUMN trace_llm_spans.session_taken_over IS 'Whether the span tells no session, and session_id is that of the nearest span above it that tells one.';
COMMENT ON COLUMN trace_llm_spans.user_taken_over IS 'Whether the span tells no user, and user_id is that of the nearest span above it that tells one.';
COMMENT ON COLUMN trace_llm_spans.streaming IS 'Whether the answer was streamed.';
COMMENT ON COLUMN trace_llm_spans.trace_id IS 'The trace.';
COMMENT ON COLUMN trace_llm_spans.span_id IS 'The W3C span id, 8 bytes.';
COMMENT ON COLUMN trace_llm_spans.parent_span_id IS 'The span that called it, or in which its log record was written. Null for a root.';
COMMENT ON COLUMN trace_llm_spans.log_id IS 'The log record that tells this call, where no span does: logs.id. Its time is start_time and duration_nanos together. trace_id, if the record has none, and span_id are then hashes that no row of traces or trace_spans has. Null for the row of a span.';
COMMENT ON COLUMN trace_llm_spans.kind IS 'What kind of step it is: llm, embedding, agent, workflow, tool, retriever, reranker, guardrail, evaluator, prompt or other.';
COMMENT ON COLUMN trace_llm_spans.dialect IS 'The dialect that the span speaks: whose names and rules its instrumentation follows.';
COMMENT ON COLUMN trace_llm_spans.service_name IS 'service.name of the resource of the span.';
COMMENT ON COLUMN trace_llm_spans.name IS 'Name of the span, repeated here so that a row reads alone.';
COMMENT ON COLUMN trace_llm_spans.operation IS 'The operation, by OpenTelemetry''s names: chat, embeddings, execute_tool ...';
COMMENT ON COLUMN trace_llm_spans.provider IS 'Who serves the model, by OpenTelemetry''s names: openai, anthropic, aws.bedrock ...';
COMMENT ON COLUMN trace_llm_spans.request_model IS 'The model that was asked for.';
COMMENT ON COLUMN trace_llm_spans.response_model IS 'The model that answered.';
COMMENT ON COLUMN trace_llm_spans.response_id IS 'The provider''s id of the response. Calls at the same time with the same one are one call.';
COMMENT ON COLUMN trace_llm_spans.service_tier IS 'The tier of service that answered: default, batch, flex, priority.';
COMMENT ON COLUMN trace_llm_spans.session_id IS 'The session, or else the conversation: of the span, or else of a span above it.';
COMMENT ON COLUMN trace_llm_spans.user_id IS 'The end user on whose behalf the call was made, told by the span, or else by a span above it.';
COMMENT ON COLUMN trace_llm_spans.tool_name IS 'Name of the tool.';
COMMENT ON COLUMN trace_llm_spans.tool_call_id IS 'The model''s id of the tool call.';
COMMENT ON COLUMN trace_llm_spans.agent_name IS 'Name of the agent.';
COMMENT ON COLUMN trace_llm_spans.agent_id IS 'Id of the agent.';
COMMENT ON COLUMN trace_llm_spans.prompt_name IS 'Name of the managed prompt.';
COMMENT ON COLUMN trace_llm_spans.prompt_version IS 'Version of the managed prompt.';
COMMENT ON COLUMN trace_llm_spans.error_type IS 'What class of error ended the call.';
COMMENT ON COLUMN trace_llm_spans.cost_currency IS 'The currency of cost_nanos, by ISO 4217. Null for US dollars, and without a cost.';
COMMENT ON COLUMN trace_llm_spans.finish_reasons IS 'Why the model stopped, for each choice: stop, length, tool_call, content_filter, error, or the provider''s own word. Null when not told.';
COMMENT ON COLUMN trace_llm_spans.tags IS 'Tags, sorted. Null for none.';
COMMENT ON COLUMN trace_llm_spans.details IS 'What else was read: {framework, metadata, parameters, conversation_id}, each if told. Null for nothing.';
COMMENT ON COLUMN trace_llm_spans.details_layout IS 'What jsonb cannot tell of the details; see resources.attributes_layout.';

-- An index entry holds at most about 2,700 bytes, and a text from outside may be longer. So indexes have the first 500
-- characters, and a query by index compares these too.
CREATE INDEX trace_llm_spans_start ON trace_llm_spans (project_id, start_time);
CREATE INDEX trace_llm_spans_model ON trace_llm_spans (project_id, left(coalesce(request_model, response_model), 500), start_time)
    WHERE coalesce(request_model, response_model) IS NOT NULL;
CREATE INDEX trace_llm_spans_hidden ON trace_llm_spans (project_id, start_time) WHERE may_be_hidden;
CREATE INDEX trace_llm_spans_session ON trace_llm_spans (project_id, left(session_id, 500), start_time)
    WHERE session_id IS NOT NULL;

-- Partitions for the last days that spans have. The daemon makes those of other days when rows come for them: all at once
-- would take more locks than PostgreSQL has by default.
SELECT observatory_ensure_partition('trace_llm_spans', NULL, '2000-01-01', 'undated'),
       observatory_ensure_partition('trace_llm_spans', '2100-01-01', NULL, 'far_future');
SELECT observatory_ensure_partition('trace_llm_spans', day, day + 1, to_char(day, 'YYYYMMDD'))
FROM (SELECT to_date(right(leaf.relname, 8), 'YYYYMMDD') AS day
      FROM pg_inherits JOIN pg_class leaf ON leaf.oid = inhrelid
      WHERE inhparent = 'trace_spans'::regclass AND leaf.relname ~ '_[0-9]{8}$'
      ORDER BY day DESC LIMIT 100) AS days;

CREATE OR REPLACE VIEW observatory_partitions AS
SELECT parent.relname AS parent, leaf.relname AS partition, pg_get_expr(leaf.relpartbound, leaf.oid) AS bounds
FROM pg_inherits
JOIN pg_class parent ON parent.oid = inhparent
JOIN pg_class leaf   ON leaf.oid = inhrelid
WHERE parent.relname IN ('traces', 'trace_spans', 'trace_events', 'trace_llm_spans', 'metric_data_points', 'logs')
  AND leaf.relkind = 'r';

ALTER TABLE traces ADD COLUMN llm_calls bigint NOT NULL DEFAULT 0,
                   ADD COLUMN speakers smallint NOT NULL DEFAULT 0;
DO $$
DECLARE
    member regclass;
BEGIN
    -- A new partition takes the comment from its parent; those that exist get it here.
    FOR member IN SELECT relid FROM pg_partition_tree('traces') LOOP
        EXECUTE format('COMMENT ON COLUMN %s.llm_calls IS %L', member,
                       'Number of its spans that call a model. Which of several are billable may depend on spans that come later.');
        EXECUTE format('COMMENT ON COLUMN %s.speakers IS %L', member,
                       'Bits: 1 a span tells a session, 2 an LLM span came without one, neither its own nor one of a span above it in the same batch; 4 and 8 the same of users.');
    END LOOP;
END $$;

-- Traces to be settled.
CREATE TABLE llm_settling (
    noted_at   timestamptz NOT NULL,
    due        timestamptz NOT NULL,
    again_at   timestamptz,
    from_day   date        NOT NULL,
    to_day     date        NOT NULL,
    project_id integer     NOT NULL,
    asks       integer     NOT NULL,
    attempts   integer     NOT NULL,
    with_logs  boolean     NOT NULL,
    trace_id   uuid        NOT NULL,
    PRIMARY KEY (trace_id, project_id)
) WITH (autovacuum_vacuum_scale_factor = 0.05);
COMMENT ON TABLE  llm_settling IS 'One row is a trace that is to be settled: its calls may be inside each other or repeat those of another trace, or its spans may take over a session, or log records of its spans came. A job takes the rows that are due.';
COMMENT ON COLUMN llm_settling.noted_at IS 'When it was noted first.';
COMMENT ON COLUMN llm_settling.due IS 'When it is to be settled.';
COMMENT ON COLUMN llm_settling.again_at IS 'Not before this time it is settled for the last time, since others may write what belongs to it. Null for at once.';
COMMENT ON COLUMN llm_settling.from_day IS 'UTC day of the earliest span or log record for which it was noted.';
COMMENT ON COLUMN llm_settling.to_day IS 'UTC day of the latest of them.';
COMMENT ON COLUMN llm_settling.project_id IS 'The project.';
COMMENT ON COLUMN llm_settling.asks IS 'How often it was noted. The job deletes the row only if nobody noted it again meanwhile.';
COMMENT ON COLUMN llm_settling.attempts IS 'How often the job looked in vain for the spans of the log records. Each wait is longer.';
COMMENT ON COLUMN llm_settling.with_logs IS 'Whether spans are to be read again with their log records.';
COMMENT ON COLUMN llm_settling.trace_id IS 'The trace.';
CREATE INDEX llm_settling_due ON llm_settling (due);

-- Prices that people set, over those that the program brings along.
CREATE TABLE model_prices (
    id          bigint      NOT NULL,
    created_at  timestamptz NOT NULL,
    replaced_at timestamptz,
    valid_from  timestamptz NOT NULL,
    project_id  integer,
    provider    text        NOT NULL,
    model       text        NOT NULL,
    currency    text        NOT NULL,
    source      text        NOT NULL,
    rates       jsonb       NOT NULL,
    PRIMARY KEY (id, created_at)
);
COMMENT ON TABLE  model_prices IS 'One row is a price of a model that people set, from a moment on. Rows are never changed or deleted, only marked as replaced, so that a cost can always be explained.';
COMMENT ON COLUMN model_prices.id IS 'Hash of all that decides a cost, so of all but the source. trace_llm_spans.price_id names it.';
COMMENT ON COLUMN model_prices.created_at IS 'When it was set.';
COMMENT ON COLUMN model_prices.replaced_at IS 'When another price took its place, or it was withdrawn. Null while it counts.';
COMMENT ON COLUMN model_prices.valid_from IS 'It counts for spans that start from then on.';
COMMENT ON COLUMN model_prices.project_id IS 'The project. Null for all projects.';
COMMENT ON COLUMN model_prices.provider IS 'Who serves the model; * for anyone.';
COMMENT ON COLUMN model_prices.model IS 'The model, as the provider calls it. A * at the end stands for anything.';
COMMENT ON COLUMN model_prices.currency IS 'The currency of the rates, by ISO 4217.';
COMMENT ON COLUMN model_prices.source IS 'Where the price comes from, in the words of who set it.';
COMMENT ON COLUMN model_prices.rates IS 'What each unit costs: [{unit, service, from, price}]: price is in billionths of the currency for 1,000,000 units, from the fewest input tokens of a call that it is for.';

CREATE TABLE price_version (
    version bigint  NOT NULL,
    one     boolean PRIMARY KEY CHECK (one)
);
COMMENT ON TABLE  price_version IS 'One row: how often prices changed. A writer compares it with the version that it knows.';
COMMENT ON COLUMN price_version.version IS 'Rises with every change of model_prices, in the same transaction.';
COMMENT ON COLUMN price_version.one IS 'True: there is one row.';
INSERT INTO price_version (version, one) VALUES (0, true);

CREATE TABLE llm_runs (
    rows_done         bigint      NOT NULL,
    rows_changed      bigint      NOT NULL,
    rows_total        bigint,
    price_version     bigint,
    started_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    finished_at       timestamptz,
    from_time         timestamptz NOT NULL,
    to_time           timestamptz NOT NULL,
    cursor_start_time timestamptz,
    project_id        integer,
    cursor_project_id integer,
    id                uuid        PRIMARY KEY,
    cursor_id         uuid,
    cursor_span_id    bytea,
    kind              text        NOT NULL,
    cursor_table      text        NOT NULL,
    model             text
);
COMMENT ON TABLE  llm_runs IS 'One row is a run of reprice or reread over stored LLM spans: what it is about, and how far it came. A run that was interrupted goes on from there.';
COMMENT ON COLUMN llm_runs.rows_done IS 'Number of rows that it looked at since it began, or began anew.';
COMMENT ON COLUMN llm_runs.rows_changed IS 'Number of changes that it made to rows.';
COMMENT ON COLUMN llm_runs.rows_total IS 'About how many rows there were at its start, for a progress bar. Null when nothing was known.';
COMMENT ON COLUMN llm_runs.price_version IS 'The version of the prices by which it computes costs; see price_version. When prices change, it begins anew. Null before its first row, and for reread.';
COMMENT ON COLUMN llm_runs.started_at IS 'When it was started.';
COMMENT ON COLUMN llm_runs.updated_at IS 'When it last told how far it came.';
COMMENT ON COLUMN llm_runs.finished_at IS 'When it finished. Null until then.';
COMMENT ON COLUMN llm_runs.from_time IS 'It is about spans that start from then on.';
COMMENT ON COLUMN llm_runs.to_time IS 'It is about spans that start before.';
COMMENT ON COLUMN llm_runs.cursor_start_time IS 'start_time of the last row that is done, or time of the last log record. Until one is done, the time from which it looks.';
COMMENT ON COLUMN llm_runs.project_id IS 'It is about this project. Null for all.';
COMMENT ON COLUMN llm_runs.cursor_project_id IS 'Project of the last row that is done. Null until one is, as the others of the cursor.';
COMMENT ON COLUMN llm_runs.id IS 'Id of the run.';
COMMENT ON COLUMN llm_runs.cursor_id IS 'Trace, or log record, of the last row that is done.';
COMMENT ON COLUMN llm_runs.cursor_span_id IS 'Span of the last row that is done, where rows are spans.';
COMMENT ON COLUMN llm_runs.kind IS 'reprice or reread.';
COMMENT ON COLUMN llm_runs.cursor_table IS 'The table that it goes through now: traces, trace_llm_spans or logs, one after the other.';
COMMENT ON COLUMN llm_runs.model IS 'It is about spans of this model; a * at its end stands for anything. Null for all.';

-- The columns of spans that held a first reading. The binary before still writes them.
COMMENT ON COLUMN trace_spans.input_tokens IS 'Unused: see trace_llm_spans. Filled by versions before schema version 9.';
COMMENT ON COLUMN trace_spans.output_tokens IS 'Unused: see trace_llm_spans. Filled by versions before schema version 9.';
COMMENT ON COLUMN trace_spans.cache_read_tokens IS 'Unused: see trace_llm_spans. Filled by versions before schema version 9.';
COMMENT ON COLUMN trace_spans.cache_creation_tokens IS 'Unused: see trace_llm_spans. Filled by versions before schema version 9.';
COMMENT ON COLUMN trace_spans.reasoning_tokens IS 'Unused: see trace_llm_spans. Filled by versions before schema version 9.';
COMMENT ON COLUMN trace_spans.llm_operation IS 'Unused: see trace_llm_spans. Filled by versions before schema version 9.';
COMMENT ON COLUMN trace_spans.llm_provider IS 'Unused: see trace_llm_spans. Filled by versions before schema version 9.';
COMMENT ON COLUMN trace_spans.llm_request_model IS 'Unused: see trace_llm_spans. Filled by versions before schema version 9.';
COMMENT ON COLUMN trace_spans.llm_response_model IS 'Unused: see trace_llm_spans. Filled by versions before schema version 9.';
COMMENT ON COLUMN trace_spans.llm_session_id IS 'Unused: see trace_llm_spans. Filled by versions before schema version 9.';
COMMENT ON COLUMN trace_spans.llm_user_id IS 'Unused: see trace_llm_spans. Filled by versions before schema version 9.';

-- The view of spans without its LLM columns, which llm_spans has. A join here would cost every query: PostgreSQL 15 drops no
-- join with a partitioned table, and a range of start_time does not reach the outer side of one, so a query about today
-- would read the LLM spans of all days.
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
       r.attributes AS resource, c.name AS scope_name, c.version AS scope_version, s.project_id
FROM trace_spans s
LEFT JOIN resources r ON r.id = s.resource_id AND r.project_id = s.project_id
LEFT JOIN scopes c    ON c.id = s.scope_id    AND c.project_id = s.project_id;
COMMENT ON VIEW spans IS 'trace_spans for people. Filter by start_time or trace_id; trace_id joins traces, log_records and span_events. What an LLM span says is in llm_spans: trace_id, start_time, span_id and project_id join it.';
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
COMMENT ON COLUMN spans.resource IS 'Attributes of the resource that it comes from.';
COMMENT ON COLUMN spans.scope_name IS 'Name of the instrumentation scope.';
COMMENT ON COLUMN spans.scope_version IS 'Version of the instrumentation scope.';
COMMENT ON COLUMN spans.project_id IS 'The project.';

CREATE VIEW llm_spans AS
SELECT l.project_id, l.trace_id, encode(uuid_send(l.trace_id), 'hex') AS trace_id_hex,
       l.span_id, encode(l.span_id, 'hex') AS span_id_hex,
       l.parent_span_id, encode(l.parent_span_id, 'hex') AS parent_span_id_hex,
       l.start_time, (l.duration_nanos / 1e6)::double precision AS duration_ms,
       l.service_name, l.name, l.kind, l.operation, l.dialect, l.reading_version, l.provider,
       left(coalesce(l.request_model, l.response_model), 500) AS model, l.request_model, l.response_model, l.service_tier,
       l.input_tokens, l.cache_read_tokens, l.cache_creation_tokens, l.cache_creation_1h_tokens, l.input_audio_tokens,
       l.input_image_tokens, l.output_tokens, l.reasoning_tokens, l.output_audio_tokens, l.output_image_tokens,
       l.is_call, l.billable, l.usage_missing,
       CASE WHEN l.billable AND l.cost_currency IS NULL THEN trim_scale(l.cost_nanos * 1e-9) END AS cost_usd,
       trim_scale(l.reported_cost_nanos * 1e-9) AS reported_cost_usd, l.price_id,
       left(l.session_id, 500) AS session_id, l.session_taken_over, l.user_id, l.user_taken_over, l.tool_name, l.tool_call_id, l.agent_name, l.agent_id,
       l.prompt_name, l.prompt_version,
       CASE coalesce(l.status_code, 0) WHEN 0 THEN 'unset' WHEN 1 THEN 'ok' WHEN 2 THEN 'error'
                                       ELSE l.status_code::text END AS status,
       coalesce(l.status_code = 2, false) AS is_error, l.error_type, l.finish_reasons, l.streaming,
       (l.time_to_first_token_nanos / 1e6)::double precision AS time_to_first_token_ms,
       l.tags, l.details -> 'metadata' AS metadata, l.details -> 'parameters' AS parameters,
       l.details ->> 'framework' AS framework, l.details ->> 'conversation_id' AS conversation_id,
       l.response_id, coalesce(l.log_events, 0) AS log_events,
       l.log_id IS NOT NULL AS is_from_log, l.log_id
FROM trace_llm_spans l;
COMMENT ON VIEW llm_spans IS 'trace_llm_spans for people: one row is one LLM span, or one call that a log record tells. Filter by project_id and start_time, with model or session_id where you can: these have indexes. Sum tokens where billable; cost_usd is null elsewhere. trace_id, start_time and span_id join spans.';
COMMENT ON COLUMN llm_spans.project_id IS 'The project.';
COMMENT ON COLUMN llm_spans.trace_id IS 'The trace id, as all tables have it: filter and join by it. A literal of 32 hexadecimal digits is understood.';
COMMENT ON COLUMN llm_spans.trace_id_hex IS 'The trace id in hexadecimal, to be shown. No index knows it: filter by trace_id.';
COMMENT ON COLUMN llm_spans.span_id IS 'The W3C span id, 8 bytes.';
COMMENT ON COLUMN llm_spans.span_id_hex IS 'The span id in hexadecimal.';
COMMENT ON COLUMN llm_spans.parent_span_id IS 'The span that called it. Null for a root.';
COMMENT ON COLUMN llm_spans.parent_span_id_hex IS 'The id of the span that called it in hexadecimal. Null for a root.';
COMMENT ON COLUMN llm_spans.start_time IS 'When it started, in whole microseconds.';
COMMENT ON COLUMN llm_spans.duration_ms IS 'Milliseconds from start to end. Null while it has not ended.';
COMMENT ON COLUMN llm_spans.service_name IS 'service.name of its resource.';
COMMENT ON COLUMN llm_spans.name IS 'Name of the span.';
COMMENT ON COLUMN llm_spans.kind IS 'What kind of step it is: llm, embedding, agent, workflow, tool, retriever, reranker, guardrail, evaluator, prompt or other.';
COMMENT ON COLUMN llm_spans.operation IS 'The operation, by OpenTelemetry''s names: chat, embeddings, execute_tool ...';
COMMENT ON COLUMN llm_spans.dialect IS 'The dialect that it speaks: whose names and rules its instrumentation follows.';
COMMENT ON COLUMN llm_spans.reading_version IS 'The version of the rules by which it was read.';
COMMENT ON COLUMN llm_spans.provider IS 'Who serves the model, by OpenTelemetry''s names: openai, anthropic, aws.bedrock ...';
COMMENT ON COLUMN llm_spans.model IS 'The model: the one asked for, or else the one that answered; its first 500 characters. An index finds it.';
COMMENT ON COLUMN llm_spans.request_model IS 'The model that was asked for. No index knows it: filter by model.';
COMMENT ON COLUMN llm_spans.response_model IS 'The model that answered. No index knows it: filter by model.';
COMMENT ON COLUMN llm_spans.service_tier IS 'The tier of service that answered: default, batch, flex, priority.';
COMMENT ON COLUMN llm_spans.input_tokens IS 'Tokens in, cached ones included. Null when not told, as all counts.';
COMMENT ON COLUMN llm_spans.cache_read_tokens IS 'The part of input_tokens that the provider read from its cache.';
COMMENT ON COLUMN llm_spans.cache_creation_tokens IS 'The part of input_tokens that the provider wrote to its cache.';
COMMENT ON COLUMN llm_spans.cache_creation_1h_tokens IS 'The part of cache_creation_tokens that the provider keeps for an hour.';
COMMENT ON COLUMN llm_spans.input_audio_tokens IS 'The part of input_tokens that is audio.';
COMMENT ON COLUMN llm_spans.input_image_tokens IS 'The part of input_tokens that is images.';
COMMENT ON COLUMN llm_spans.output_tokens IS 'Tokens out, reasoning included.';
COMMENT ON COLUMN llm_spans.reasoning_tokens IS 'The part of output_tokens that is reasoning.';
COMMENT ON COLUMN llm_spans.output_audio_tokens IS 'The part of output_tokens that is audio.';
COMMENT ON COLUMN llm_spans.output_image_tokens IS 'The part of output_tokens that is images.';
COMMENT ON COLUMN llm_spans.is_call IS 'Whether the step calls a model itself. Never null.';
COMMENT ON COLUMN llm_spans.billable IS 'Whether the call counts: of calls inside each other exactly one does. Sum tokens where it is true. Never null.';
COMMENT ON COLUMN llm_spans.usage_missing IS 'Whether it is a billable call that succeeded and told no tokens. Never null.';
COMMENT ON COLUMN llm_spans.cost_usd IS 'What it costs by the prices known here, in US dollars. Null when it is not billable, so that sums are right, when no price is known, and when the price is in another currency.';
COMMENT ON COLUMN llm_spans.reported_cost_usd IS 'What the application says that it cost, in US dollars, whether it is billable or not.';
COMMENT ON COLUMN llm_spans.price_id IS 'The price that the cost was computed from; observatory query explains it.';
COMMENT ON COLUMN llm_spans.session_id IS 'The session, or else the conversation; its first 500 characters. An index finds it. Where the span tells none, that of the nearest span above it that does.';
COMMENT ON COLUMN llm_spans.session_taken_over IS 'Whether session_id is that of a span above it. Never null.';
COMMENT ON COLUMN llm_spans.user_id IS 'The end user on whose behalf the call was made. Where the span tells none, that of the nearest span above it that does.';
COMMENT ON COLUMN llm_spans.user_taken_over IS 'Whether user_id is that of a span above it. Never null.';
COMMENT ON COLUMN llm_spans.tool_name IS 'Name of the tool.';
COMMENT ON COLUMN llm_spans.tool_call_id IS 'The model''s id of the tool call.';
COMMENT ON COLUMN llm_spans.agent_name IS 'Name of the agent.';
COMMENT ON COLUMN llm_spans.agent_id IS 'Id of the agent.';
COMMENT ON COLUMN llm_spans.prompt_name IS 'Name of the managed prompt.';
COMMENT ON COLUMN llm_spans.prompt_version IS 'Version of the managed prompt.';
COMMENT ON COLUMN llm_spans.status IS 'unset, ok or error; unset too when the span carried no status; the number of a status that OTLP does not name.';
COMMENT ON COLUMN llm_spans.is_error IS 'Whether the status is error. Never null.';
COMMENT ON COLUMN llm_spans.error_type IS 'What class of error ended the call.';
COMMENT ON COLUMN llm_spans.finish_reasons IS 'Why the model stopped, for each choice. Null when not told.';
COMMENT ON COLUMN llm_spans.streaming IS 'Whether the answer was streamed.';
COMMENT ON COLUMN llm_spans.time_to_first_token_ms IS 'Milliseconds from the start to the first part of the answer.';
COMMENT ON COLUMN llm_spans.tags IS 'Tags, sorted. Null for none.';
COMMENT ON COLUMN llm_spans.metadata IS 'What the application noted beside the call, as a JSON object. Null for nothing.';
COMMENT ON COLUMN llm_spans.parameters IS 'Parameters of the request: temperature, top_p, top_k, max_tokens, seed, stop, frequency_penalty, presence_penalty, choice_count, reasoning_effort. Null when none was told.';
COMMENT ON COLUMN llm_spans.framework IS 'The framework that made the call, where the instrumentation names one.';
COMMENT ON COLUMN llm_spans.conversation_id IS 'The conversation, where it is named apart from the session.';
COMMENT ON COLUMN llm_spans.response_id IS 'The provider''s id of the response.';
COMMENT ON COLUMN llm_spans.log_events IS 'Number of log records that were read with the span. Never null.';
COMMENT ON COLUMN llm_spans.is_from_log IS 'Whether a log record tells this call and no span: traces and spans then know nothing of its span_id. Never null.';
COMMENT ON COLUMN llm_spans.log_id IS 'That log record: log_records.id. Null for a span.';
