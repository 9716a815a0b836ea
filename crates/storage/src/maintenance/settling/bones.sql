-- The spans of one day of a trace. The day is a constant to the planner, which then opens the partitions of that day only.
-- The trace is all that an index is to be asked for: where statistics lag, an index of project and time looks as good.
SELECT span.span_id, span.parent_span_id, span.start_time,
       coalesce(reading.is_call, false) AS is_call,
       coalesce(reading.kind = 'tool', false) AS is_tool,
       reading.input_tokens IS NOT NULL OR reading.output_tokens IS NOT NULL AS tells_usage,
       reading.duration_nanos IS NOT NULL AND reading.status_code IS DISTINCT FROM 2 AND reading.error_type IS NULL
           AS should_tell,
       coalesce(reading.billable, false) AS billable,
       coalesce(reading.usage_missing, false) AS usage_missing,
       reading.span_id IS NOT NULL AS is_read,
       reading.session_id, coalesce(reading.session_taken_over, false), reading.user_id, coalesce(reading.user_taken_over, false),
       other.attributes, other.attributes_layout,
       CALL_COLUMNS
FROM trace_spans AS span
LEFT JOIN trace_llm_spans AS reading
    ON reading.trace_id = span.trace_id AND reading.start_time = span.start_time
    AND reading.span_id = span.span_id AND reading.project_id IS NOT DISTINCT FROM span.project_id
    AND reading.start_time >= ('1970-01-01'::date + $3::integer)::timestamp AT TIME ZONE 'UTC'
    AND reading.start_time < ('1970-01-01'::date + $3::integer + 1)::timestamp AT TIME ZONE 'UTC'
-- The attributes of a span that is no LLM span, where they tell who speaks.
LEFT JOIN LATERAL (SELECT coalesce(span.attributes_json, span.attributes::text) AS attributes, span.attributes_layout
                   WHERE reading.span_id IS NULL
                     AND coalesce(span.attributes_json, span.attributes::text) LIKE ANY (ARRAY[SPEAKER_KEYS])) AS other ON true
WHERE span.trace_id = $1 AND span.project_id = $2
    AND span.start_time >= ('1970-01-01'::date + $3::integer)::timestamp AT TIME ZONE 'UTC'
    AND span.start_time < ('1970-01-01'::date + $3::integer + 1)::timestamp AT TIME ZONE 'UTC'
