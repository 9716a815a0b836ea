-- $1 project; $2 from, $3 its nanoseconds; $4 before, $5 its nanoseconds, $6 its id; $7 service; $8 trace; $9 span;
-- $10 severity; $11 event; $12 words; $13 limit.
--
-- Words that many records hold are soon found from the newest record backwards; words that few hold are found by their index.
-- Which is which nobody knows before: so 2,000 records are looked at, and only if they don't fill the page the index is asked.
-- In the order of an index (see `Order::Indexed`) the first part ends early; the second part has no such order, and is sorted.
WITH newest AS NOT MATERIALIZED (
    SELECT * FROM logs
    WHERE project_id = $1
      AND time BETWEEN $2 AND $4
      AND (time, time_nanos) >= ($2, $3)
      AND (time, time_nanos, id) < ($4, $5, $6)
    ORDER BY time DESC, time_nanos DESC, id DESC
    LIMIT 2000
), near AS MATERIALIZED (
    SELECT * FROM newest
    WHERE ($7::text IS NULL OR service_name = $7)
      AND ($8::uuid IS NULL OR trace_id = $8)
      AND ($9::bytea IS NULL OR span_id = $9)
      AND ($10 = 0 OR severity_number >= $10)
      AND ($11::text IS NULL OR event_name = $11)
      AND body_text IS NOT NULL AND to_tsvector('simple', left(body_text, 65536)) @@ plainto_tsquery('simple', $12)
    ORDER BY time DESC, time_nanos DESC, id DESC
    LIMIT $13
), enough AS MATERIALIZED (
    SELECT (SELECT count(*) FROM near) >= $13 OR (SELECT count(*) FROM newest) < 2000 AS reached
), far AS MATERIALIZED (
    SELECT * FROM logs
    -- `+ 0` keeps the planner from the index of times.
    WHERE project_id + 0 = $1
      AND NOT (SELECT reached FROM enough)
      AND time BETWEEN $2 AND $4
      AND (time, time_nanos) >= ($2, $3)
      AND (time, time_nanos, id) < ($4, $5, $6)
      AND ($7::text IS NULL OR service_name = $7)
      AND ($8::uuid IS NULL OR trace_id = $8)
      AND ($9::bytea IS NULL OR span_id = $9)
      AND ($10 = 0 OR severity_number >= $10)
      AND ($11::text IS NULL OR event_name = $11)
      -- Word for word the expression and the condition of the index logs_text: else it would not be used.
      AND body_text IS NOT NULL AND to_tsvector('simple', left(body_text, 65536)) @@ plainto_tsquery('simple', $12)
    ORDER BY time DESC, time_nanos DESC, id DESC
    LIMIT $13
), found AS (
    SELECT * FROM near WHERE (SELECT reached FROM enough)
    UNION ALL
    SELECT * FROM far
)
