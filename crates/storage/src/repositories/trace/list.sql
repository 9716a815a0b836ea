-- $1 project; $2 from, $3 its nanoseconds; $4 before, $5 its nanoseconds, $6 its trace; $7 limit.
-- A trace has a row for each of its days, and is listed at the first of them. 1970-01-01, where spans of unknown start
-- are, is first only for a trace that has no other day.
WITH page AS (
    SELECT trace_id, start_time, start_nanos
    FROM traces AS t
    WHERE project_id = $1
      AND day BETWEEN ($2::timestamptz AT TIME ZONE 'UTC')::date AND ($4::timestamptz AT TIME ZONE 'UTC')::date
      AND start_time BETWEEN $2 AND $4
      AND (start_time, start_nanos) >= ($2, $3)
      AND (start_time, start_nanos, trace_id) < ($4, $5, $6)
      -- OFFSET 0 keeps this a look-up by key for each row of the page, where a join would be planned as a scan of all
      -- partitions; and `+ 0` keeps the look-up from traces_start, which would be read whole for it.
      AND NOT EXISTS (
          SELECT FROM traces AS earlier
          WHERE earlier.trace_id = t.trace_id AND earlier.project_id + 0 = t.project_id
            AND earlier.day > '1970-01-01' AND earlier.day < coalesce(nullif(t.day, '1970-01-01'), 'infinity') OFFSET 0)
    ORDER BY start_time DESC, start_nanos DESC, trace_id DESC
    LIMIT $7
)
