AND time BETWEEN $2 AND $4
AND (time, time_nanos) >= ($2, $3)
AND (time, time_nanos, id) < ($4, $5, $6)
AND ($7::text IS NULL OR service_name = $7)
AND ($8::uuid IS NULL OR trace_id = $8)
AND ($9::bytea IS NULL OR span_id = $9)
AND ($10 = 0 OR severity_number >= $10)
AND ($11::text IS NULL OR event_name = $11)
AND ($12::text IS NULL OR body_text IS NOT NULL
                    AND to_tsvector('simple', left(body_text, 65536)) @@ plainto_tsquery('simple', $12))
ORDER BY time DESC, time_nanos DESC, id DESC
LIMIT $13
