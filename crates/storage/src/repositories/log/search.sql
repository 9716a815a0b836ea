-- $1 project; $2 from, $3 its nanoseconds; $4 before, $5 its nanoseconds, $6 its id; $7 limit. Words are among the conditions.
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
    WHERE true /* conditions */
    ORDER BY time DESC, time_nanos DESC, id DESC
    LIMIT $7
), enough AS MATERIALIZED (
    SELECT (SELECT count(*) FROM near) >= $7 OR (SELECT count(*) FROM newest) < 2000 AS reached
), far AS MATERIALIZED (
    SELECT * FROM logs
    -- `+ 0` keeps the planner from the index of times.
    WHERE project_id + 0 = $1
      AND NOT (SELECT reached FROM enough)
      AND time BETWEEN $2 AND $4
      AND (time, time_nanos) >= ($2, $3)
      AND (time, time_nanos, id) < ($4, $5, $6)
      /* conditions */
    ORDER BY time DESC, time_nanos DESC, id DESC
    LIMIT $7
), found AS (
    SELECT * FROM near WHERE (SELECT reached FROM enough)
    UNION ALL
    SELECT * FROM far
)
