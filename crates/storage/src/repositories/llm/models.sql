-- The calls of a range by provider and model, with their sums. models.rs names the parameters.
WITH summed AS (
    SELECT coalesce(provider, '') COLLATE "C" AS provider,
           coalesce(request_model, response_model, '') COLLATE "C" AS model,
           count(*) AS calls,
           count(*) FILTER (WHERE billable) AS billable_calls,
           count(*) FILTER (WHERE usage_missing) AS usage_missing_calls,
           count(*) FILTER (WHERE billable AND cost_nanos IS NULL
                                  AND (input_tokens IS NOT NULL OR output_tokens IS NOT NULL)) AS unpriced_calls,
           sum(input_tokens) FILTER (WHERE billable) AS input_tokens,
           sum(output_tokens) FILTER (WHERE billable) AS output_tokens,
           sum(cache_read_tokens) FILTER (WHERE billable) AS cache_read_tokens,
           sum(cache_creation_tokens) FILTER (WHERE billable) AS cache_creation_tokens,
           sum(cache_creation_1h_tokens) FILTER (WHERE billable) AS cache_creation_1h_tokens,
           sum(reasoning_tokens) FILTER (WHERE billable) AS reasoning_tokens,
           sum(input_audio_tokens) FILTER (WHERE billable) AS input_audio_tokens,
           sum(output_audio_tokens) FILTER (WHERE billable) AS output_audio_tokens,
           sum(input_image_tokens) FILTER (WHERE billable) AS input_image_tokens,
           sum(output_image_tokens) FILTER (WHERE billable) AS output_image_tokens,
           coalesce(sum(/* tokens */) FILTER (WHERE billable), 0) AS tokens,
           count(*) FILTER (WHERE billable AND cost_nanos IS NOT NULL AND cost_currency IS NOT NULL) AS foreign_calls,
           sum(cost_nanos) FILTER (WHERE billable AND cost_currency IS NULL) AS cost,
           sum(reported_cost_nanos) FILTER (WHERE billable) AS reported_cost,
           min(start_time) AS first_seen,
           max(start_time) AS last_seen
    FROM trace_llm_spans
    WHERE project_id = $1 AND start_time BETWEEN $2 AND $4
      AND (start_time, start_nanos) >= ($2, $3) AND (start_time, start_nanos) < ($4, $5)
      AND is_call /* where */
    GROUP BY 1, 2
),
-- A sum of bigint is numeric. It is cut to what a bigint holds, and stays null when nothing was told.
used AS (
    SELECT provider, model, calls, billable_calls, usage_missing_calls, unpriced_calls, foreign_calls,
           CASE WHEN input_tokens > 9223372036854775807 THEN 9223372036854775807 ELSE input_tokens END::bigint AS input_tokens,
           CASE WHEN output_tokens > 9223372036854775807 THEN 9223372036854775807 ELSE output_tokens END::bigint AS output_tokens,
           CASE WHEN cache_read_tokens > 9223372036854775807 THEN 9223372036854775807 ELSE cache_read_tokens END::bigint AS cache_read_tokens,
           CASE WHEN cache_creation_tokens > 9223372036854775807 THEN 9223372036854775807 ELSE cache_creation_tokens END::bigint AS cache_creation_tokens,
           CASE WHEN cache_creation_1h_tokens > 9223372036854775807 THEN 9223372036854775807 ELSE cache_creation_1h_tokens END::bigint AS cache_creation_1h_tokens,
           CASE WHEN reasoning_tokens > 9223372036854775807 THEN 9223372036854775807 ELSE reasoning_tokens END::bigint AS reasoning_tokens,
           CASE WHEN input_audio_tokens > 9223372036854775807 THEN 9223372036854775807 ELSE input_audio_tokens END::bigint AS input_audio_tokens,
           CASE WHEN output_audio_tokens > 9223372036854775807 THEN 9223372036854775807 ELSE output_audio_tokens END::bigint AS output_audio_tokens,
           CASE WHEN input_image_tokens > 9223372036854775807 THEN 9223372036854775807 ELSE input_image_tokens END::bigint AS input_image_tokens,
           CASE WHEN output_image_tokens > 9223372036854775807 THEN 9223372036854775807 ELSE output_image_tokens END::bigint AS output_image_tokens,
           CASE WHEN tokens > 9223372036854775807 THEN 9223372036854775807 ELSE tokens END::bigint AS tokens,
           CASE WHEN cost > 9223372036854775807 THEN 9223372036854775807 ELSE cost END::bigint AS cost,
           CASE WHEN abs(reported_cost) > 9223372036854775807 THEN sign(reported_cost) * 9223372036854775807
                ELSE reported_cost END::bigint AS reported_cost,
           first_seen, last_seen
    FROM summed
),
valued AS (
    SELECT *, /* value */ AS value FROM used WHERE $10 OR unpriced_calls > 0
)
SELECT provider, model, calls, billable_calls, usage_missing_calls, unpriced_calls, foreign_calls,
       input_tokens, output_tokens, cache_read_tokens, cache_creation_tokens,
       cache_creation_1h_tokens, reasoning_tokens, input_audio_tokens, output_audio_tokens,
       input_image_tokens, output_image_tokens, cost, reported_cost, first_seen, last_seen, value
FROM valued
WHERE (value, provider, model) > ($7, $8, $9)
ORDER BY value, provider, model
LIMIT $6
