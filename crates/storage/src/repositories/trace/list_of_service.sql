-- $1 project; $2 from, $3 its nanoseconds; $4 before, $5 its nanoseconds, $6 its trace; $7 limit; $8 service.
-- As list.sql, with its notes. A service counts on whichever day of the trace it took part.
--
-- The traces of a service that has many are soon found from the newest trace backwards; those of one that has few are found
-- by their index. The statement can't know which is which: so it looks at 1,000 traces, and only if they don't fill
-- the page it asks the index.
WITH newest AS NOT MATERIALIZED (
    SELECT trace_id, project_id, day, start_time, start_nanos, services
    FROM traces
    WHERE project_id = $1
      AND day BETWEEN ($2::timestamptz AT TIME ZONE 'UTC')::date AND ($4::timestamptz AT TIME ZONE 'UTC')::date
      AND start_time BETWEEN $2 AND $4
      AND (start_time, start_nanos) >= ($2, $3)
      AND (start_time, start_nanos, trace_id) < ($4, $5, $6)
    ORDER BY start_time DESC, start_nanos DESC, trace_id DESC
    LIMIT 1000
), near AS MATERIALIZED (
    SELECT trace_id, start_time, start_nanos
    FROM newest AS t
    WHERE ($8 = ANY (services) OR EXISTS (
          SELECT FROM traces AS other
          WHERE other.trace_id = t.trace_id AND other.project_id + 0 = t.project_id AND $8 = ANY (other.services)
            AND (other.day > t.day OR other.day = '1970-01-01') OFFSET 0))
      AND NOT EXISTS (
          SELECT FROM traces AS earlier
          WHERE earlier.trace_id = t.trace_id AND earlier.project_id + 0 = t.project_id
            AND earlier.day > '1970-01-01' AND earlier.day < coalesce(nullif(t.day, '1970-01-01'), 'infinity') OFFSET 0)
    ORDER BY start_time DESC, start_nanos DESC, trace_id DESC
    LIMIT $7
), enough AS MATERIALIZED (
    SELECT (SELECT count(*) FROM near) >= $7 OR (SELECT count(*) FROM newest) < 1000 AS reached
), far AS MATERIALIZED (
    SELECT trace_id, start_time, start_nanos
    FROM (
        SELECT trace_id, project_id, day, start_time, start_nanos
        FROM traces
        WHERE project_id + 0 = $1
          AND NOT (SELECT reached FROM enough)
          AND observatory_service_keys(services) @> observatory_service_keys(ARRAY[$8]) AND $8 = ANY (services)
          AND day BETWEEN ($2::timestamptz AT TIME ZONE 'UTC')::date AND ($4::timestamptz AT TIME ZONE 'UTC')::date
          AND (start_time, start_nanos) >= ($2, $3)
          AND (start_time, start_nanos, trace_id) < ($4, $5, $6)
        UNION
        -- The service took part on another day: the trace is listed where it started.
        SELECT first.*
        FROM (
            SELECT trace_id, day FROM traces
            WHERE project_id + 0 = $1
              AND NOT (SELECT reached FROM enough)
              AND observatory_service_keys(services) @> observatory_service_keys(ARRAY[$8]) AND $8 = ANY (services)
              AND (day > ($2::timestamptz AT TIME ZONE 'UTC')::date OR day = '1970-01-01')
            OFFSET 0
        ) AS other
        CROSS JOIN LATERAL (
            SELECT trace_id, project_id, day, start_time, start_nanos
            FROM traces AS t
            WHERE t.trace_id = other.trace_id AND t.project_id + 0 = $1
              AND (t.day < other.day OR other.day = '1970-01-01')
              AND day BETWEEN ($2::timestamptz AT TIME ZONE 'UTC')::date AND ($4::timestamptz AT TIME ZONE 'UTC')::date
              AND (start_time, start_nanos) >= ($2, $3)
              AND (start_time, start_nanos, trace_id) < ($4, $5, $6)
            OFFSET 0
        ) AS first
        ORDER BY start_time DESC, start_nanos DESC, trace_id DESC
        OFFSET 0
    ) AS t
    WHERE NOT EXISTS (
          SELECT FROM traces AS earlier
          WHERE earlier.trace_id = t.trace_id AND earlier.project_id + 0 = t.project_id
            AND earlier.day > '1970-01-01' AND earlier.day < coalesce(nullif(t.day, '1970-01-01'), 'infinity') OFFSET 0)
    ORDER BY start_time DESC, start_nanos DESC, trace_id DESC
    LIMIT $7
), page AS (
    SELECT * FROM near WHERE (SELECT reached FROM enough) UNION ALL SELECT * FROM far
)
