INSERT INTO llm_settling AS note (noted_at, due, again_at, from_day, to_day, project_id, asks, attempts, with_logs, trace_id)
SELECT now(), coalesce(later, now()), later, '1970-01-01'::date + from_day, '1970-01-01'::date + to_day, project_id, 0, 0, with_logs, trace_id
FROM unnest($1::uuid[], $2::integer[], $3::integer[], $4::integer[], $5::boolean[], $6::boolean[], $7::boolean[])
     AS came (trace_id, project_id, from_day, to_day, with_logs, is_new, again)
CROSS JOIN LATERAL (SELECT CASE WHEN again THEN now() + $8::bigint * interval '1 millisecond' END AS later) AS look
WHERE is_new OR EXISTS (SELECT FROM llm_settling AS waiting
                        WHERE waiting.trace_id = came.trace_id AND waiting.project_id = came.project_id AND waiting.with_logs)
ORDER BY trace_id, project_id
ON CONFLICT (trace_id, project_id) DO UPDATE SET
    due       = least(note.due, excluded.due),
    again_at  = greatest(note.again_at, excluded.again_at),
    from_day  = least(note.from_day, excluded.from_day),
    to_day    = greatest(note.to_day, excluded.to_day),
    asks      = note.asks + 1,
    with_logs = note.with_logs OR excluded.with_logs
