-- Narrower rows and indexes of LLM spans. Of what PostgreSQL did for one, three quarters were its four indexes and the jsonb of its
-- details.

-- Models and sessions are found by a hash: eight bytes whatever their length, compared at once. Whoever asks compares the text too.
DROP INDEX trace_llm_spans_model;
CREATE INDEX trace_llm_spans_model
    ON trace_llm_spans (hashtextextended(coalesce(request_model, response_model), project_id), start_time)
    WHERE coalesce(request_model, response_model) IS NOT NULL;
COMMENT ON INDEX trace_llm_spans_model IS 'Finds the calls of a model, by a hash of project and name. A query compares the name too.';
DROP INDEX trace_llm_spans_session;
CREATE INDEX trace_llm_spans_session ON trace_llm_spans (hashtextextended(session_id, project_id), start_time)
    WHERE session_id IS NOT NULL;
COMMENT ON INDEX trace_llm_spans_session IS 'Finds the LLM spans of a session, by a hash of project and id. A query compares the id too.';

-- Each writer asks whether notes wait for spans; seldom one does.
CREATE INDEX llm_settling_with_logs ON llm_settling (trace_id) WHERE with_logs;
COMMENT ON INDEX llm_settling_with_logs IS 'Tells writers of spans whether a note waits for its spans.';

ALTER TABLE trace_llm_spans ADD COLUMN details_json text,
                            ADD COLUMN session_is_conversation boolean NOT NULL DEFAULT false;
DO $$
DECLARE
    member regclass;
BEGIN
    -- A new partition takes the comments from its parent; those that exist get them here.
    FOR member IN SELECT relid FROM pg_partition_tree('trace_llm_spans') LOOP
        EXECUTE format('COMMENT ON COLUMN %s.details_json IS %L', member,
                       'What else was read: {framework, metadata, parameters, conversation_id}, each if told, as the text of its JSON: cast it to jsonb, or see the view. Null for nothing, and in rows of before schema version 11, which have details.');
        EXECUTE format('COMMENT ON COLUMN %s.details IS %L', member, 'Filled by versions before schema version 11; see details_json.');
        EXECUTE format('COMMENT ON COLUMN %s.session_is_conversation IS %L', member,
                       'Whether the conversation that the span tells is its session, and stands there alone.');
    END LOOP;
END $$;

CREATE OR REPLACE VIEW llm_spans AS
SELECT l.project_id, l.trace_id, encode(uuid_send(l.trace_id), 'hex') AS trace_id_hex,
       l.span_id, encode(l.span_id, 'hex') AS span_id_hex,
       l.parent_span_id, encode(l.parent_span_id, 'hex') AS parent_span_id_hex,
       l.start_time, (l.duration_nanos / 1e6)::double precision AS duration_ms,
       l.service_name, l.name, l.kind, l.operation, l.dialect, l.reading_version, l.provider,
       coalesce(l.request_model, l.response_model) AS model, l.request_model, l.response_model, l.service_tier,
       l.input_tokens, l.cache_read_tokens, l.cache_creation_tokens, l.cache_creation_1h_tokens, l.input_audio_tokens,
       l.input_image_tokens, l.output_tokens, l.reasoning_tokens, l.output_audio_tokens, l.output_image_tokens,
       l.is_call, l.billable, l.usage_missing,
       CASE WHEN l.billable AND l.cost_currency IS NULL THEN trim_scale(l.cost_nanos * 1e-9) END AS cost_usd,
       trim_scale(l.reported_cost_nanos * 1e-9) AS reported_cost_usd, l.price_id,
       l.session_id, l.session_taken_over, l.user_id, l.user_taken_over, l.tool_name, l.tool_call_id, l.agent_name, l.agent_id,
       l.prompt_name, l.prompt_version,
       CASE coalesce(l.status_code, 0) WHEN 0 THEN 'unset' WHEN 1 THEN 'ok' WHEN 2 THEN 'error'
                                       ELSE l.status_code::text END AS status,
       coalesce(l.status_code = 2, false) AS is_error, l.error_type, l.finish_reasons, l.streaming,
       (l.time_to_first_token_nanos / 1e6)::double precision AS time_to_first_token_ms,
       l.tags,
       coalesce(l.details_json::jsonb, l.details) -> 'metadata' AS metadata,
       coalesce(l.details_json::jsonb, l.details) -> 'parameters' AS parameters,
       coalesce(l.details_json::jsonb, l.details) ->> 'framework' AS framework,
       CASE WHEN l.session_is_conversation THEN l.session_id
            ELSE coalesce(l.details_json::jsonb, l.details) ->> 'conversation_id' END AS conversation_id,
       l.response_id, coalesce(l.log_events, 0) AS log_events,
       l.log_id IS NOT NULL AS is_from_log, l.log_id
FROM trace_llm_spans l;
COMMENT ON VIEW llm_spans IS 'trace_llm_spans for people: one row is one LLM span, or one call that a log record tells. Filter by project_id and start_time: they have an index. Models and sessions have one of hashes: with session_id = ''s'' write hashtextextended(session_id, project_id) = hashtextextended(''s'', 1) too. Sum tokens where billable; cost_usd is null elsewhere. trace_id, start_time and span_id join spans.';
COMMENT ON COLUMN llm_spans.model IS 'The model: the one asked for, or else the one that answered. An index has its hash; see the view.';
COMMENT ON COLUMN llm_spans.session_id IS 'The session, or else the conversation. An index has its hash; see the view. Where the span tells none, that of the nearest span above it that does.';
