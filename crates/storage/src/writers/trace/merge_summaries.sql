-- Every assignment is a minimum, a maximum or a sum of the stored and the new summary, so any order of batches gives
-- the same.
WITH merged AS (
INSERT INTO traces AS t (trace_id, day, project_id, start_time, start_nanos, end_time, end_nanos, span_count, error_count,
                         root_start, root_span_id, root_name, root_service, services, llm_calls, speakers)
SELECT trace_id, '1970-01-01'::date + day, project_id,
       start_time, start_nanos, end_time, end_nanos, span_count, error_count,
       root_start, root_span_id, root_name, root_service,
       string_to_array(services, chr(31)), llm_calls, speakers
FROM unnest($1::uuid[], $2::integer[], $3::integer[], $4::timestamptz[], $5::smallint[], $6::timestamptz[], $7::smallint[],
            $8::bigint[], $9::bigint[], $10::timestamptz[], $11::bytea[], $12::text[], $13::text[], $14::text[], $15::bigint[],
            $16::smallint[])
     AS arrived (trace_id, day, project_id, start_time, start_nanos, end_time, end_nanos,
                 span_count, error_count, root_start, root_span_id, root_name, root_service, services, llm_calls,
                 speakers)
ON CONFLICT (trace_id, day, project_id) DO UPDATE SET
    start_time   = least(t.start_time, excluded.start_time),
    start_nanos  = CASE WHEN (excluded.start_time, excluded.start_nanos) < (t.start_time, t.start_nanos)
                        THEN excluded.start_nanos ELSE t.start_nanos END,
    end_time     = greatest(t.end_time, excluded.end_time),
    end_nanos    = CASE WHEN (excluded.end_time, excluded.end_nanos) > (t.end_time, t.end_nanos)
                        THEN excluded.end_nanos ELSE t.end_nanos END,
    span_count   = t.span_count + excluded.span_count,
    error_count  = t.error_count + excluded.error_count,
    root_start   = least(t.root_start, excluded.root_start),
    root_span_id = CASE WHEN t.root_start IS NULL OR (excluded.root_start, excluded.root_span_id) < (t.root_start, t.root_span_id)
                        THEN excluded.root_span_id ELSE t.root_span_id END,
    root_name    = CASE WHEN t.root_start IS NULL OR (excluded.root_start, excluded.root_span_id) < (t.root_start, t.root_span_id)
                        THEN excluded.root_name ELSE t.root_name END,
    root_service = CASE WHEN t.root_start IS NULL OR (excluded.root_start, excluded.root_span_id) < (t.root_start, t.root_span_id)
                        THEN excluded.root_service ELSE t.root_service END,
    services     = CASE WHEN t.services @> excluded.services THEN t.services ELSE t.services || excluded.services END,
    llm_calls    = t.llm_calls + excluded.llm_calls,
    speakers     = t.speakers | excluded.speakers
RETURNING trace_id, day, project_id, llm_calls, span_count, speakers,
          start_time < day::timestamp AT TIME ZONE 'UTC' + interval '1 hour' AS is_early,
          end_time >= (day + 1)::timestamp AT TIME ZONE 'UTC' AS crosses_midnight)
-- Traces whose calls may be inside each other: several on one day, or one beside midnight. And traces in which one span tells
-- a session or user that an LLM span lacks: both on one day (see `Speakers`), or beside midnight.
SELECT trace_id, day - '1970-01-01'::date, project_id, llm_calls, span_count, crosses_midnight, speakers
FROM merged
WHERE llm_calls >= 2 OR speakers & 3 = 3 OR speakers & 12 = 12
   OR is_early AND (llm_calls = 1 OR speakers & 10 <> 0) OR crosses_midnight AND (llm_calls = 1 OR speakers & 5 <> 0)
