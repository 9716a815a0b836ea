-- $1 project; $2 from, $3 its nanoseconds; $4 before, $5 its nanoseconds, $6 its id; $7 limit. The words are among the
-- conditions.
--
-- Common words are soon found from the newest record backwards; rare words are found through their index. The statement
-- can't know which words are common: so it reads 2,000 records, and only if they don't fill the page it asks the index.
-- With `Order::Indexed` the first part reads in the order of an index and ends early. The second part has no such index
-- and sorts.
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
