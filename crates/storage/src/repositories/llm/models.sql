-- The calls of a range by provider and model, with their sums. models.rs names the parameters. A sum of bigint is
-- numeric, which is cut to what a bigint holds.
WITH used AS (
    SELECT coalesce(provider, '') COLLATE "C" AS provider,
           coalesce(request_model, response_model, '') COLLATE "C" AS model,
           count(*) AS calls,
           count(*) FILTER (WHERE billable) AS billable_calls,
           count(*) FILTER (WHERE usage_missing) AS usage_missing_calls,
           count(*) FILTER (WHERE billable AND cost_nanos IS NULL
                                  AND (input_tokens IS NOT NULL OR output_tokens IS NOT NULL)) AS unpriced_calls,
           least(sum(input_tokens) FILTER (WHERE billable), 9223372036854775807)::bigint AS input_tokens,
           least(sum(output_tokens) FILTER (WHERE billable), 9223372036854775807)::bigint AS output_tokens,
           least(sum(cache_read_tokens) FILTER (WHERE billable), 9223372036854775807)::bigint AS cache_read_tokens,
           least(sum(cache_creation_tokens) FILTER (WHERE billable), 9223372036854775807)::bigint AS cache_creation_tokens,
           least(sum(cache_creation_1h_tokens) FILTER (WHERE billable), 9223372036854775807)::bigint AS cache_creation_1h_tokens,
           least(sum(reasoning_tokens) FILTER (WHERE billable), 9223372036854775807)::bigint AS reasoning_tokens,
           least(sum(input_audio_tokens) FILTER (WHERE billable), 9223372036854775807)::bigint AS input_audio_tokens,
           least(sum(output_audio_tokens) FILTER (WHERE billable), 9223372036854775807)::bigint AS output_audio_tokens,
           least(sum(input_image_tokens) FILTER (WHERE billable), 9223372036854775807)::bigint AS input_image_tokens,
           least(sum(output_image_tokens) FILTER (WHERE billable), 9223372036854775807)::bigint AS output_image_tokens,
           least(coalesce(sum(/* tokens */) FILTER (WHERE billable), 0), 9223372036854775807)::bigint AS tokens,
           least(sum(cost_nanos) FILTER (WHERE billable), 9223372036854775807)::bigint AS cost,
           greatest(least(sum(reported_cost_nanos) FILTER (WHERE billable), 9223372036854775807), -9223372036854775807)::bigint AS reported_cost,
           min(start_time) AS first_seen,
           max(start_time) AS last_seen
    FROM trace_llm_spans
    WHERE project_id = $1 AND start_time BETWEEN $2 AND $4
      AND (start_time, start_nanos) >= ($2, $3) AND (start_time, start_nanos) < ($4, $5)
      AND is_call /* where */
    GROUP BY 1, 2
), valued AS (
    SELECT *, /* value */ AS value FROM used WHERE $10 OR unpriced_calls > 0
)
SELECT provider, model, calls, billable_calls, usage_missing_calls, unpriced_calls,
       input_tokens, output_tokens, cache_read_tokens, cache_creation_tokens,
       cache_creation_1h_tokens, reasoning_tokens, input_audio_tokens, output_audio_tokens, input_image_tokens, output_image_tokens,
       cost, reported_cost, first_seen, last_seen, value
FROM valued
WHERE (value, provider, model) > ($7, $8, $9)
ORDER BY value, provider, model
LIMIT $6
