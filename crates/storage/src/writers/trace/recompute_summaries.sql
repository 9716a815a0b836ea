-- A span replaced another one, so sums and minima can't be derived from the difference alone. The merge before this
-- statement locked the rows of these traces. A writer with spans that this statement does not see yet adds them when it
-- gets the lock. All traces are of one day, which is a constant to the planner.
WITH spans AS (
    SELECT s.*, '1970-01-01'::date + $3::integer AS day
    FROM unnest($1::uuid[], $2::integer[]) AS changed (trace_id, project_id)
    JOIN trace_spans s ON s.trace_id = changed.trace_id AND s.project_id = changed.project_id
        AND s.start_time >= ('1970-01-01'::date + $3::integer)::timestamp AT TIME ZONE 'UTC'
        AND s.start_time < ('1970-01-01'::date + $3::integer + 1)::timestamp AT TIME ZONE 'UTC'),
starts AS (
    SELECT DISTINCT ON (trace_id, day, project_id) trace_id, day, project_id, start_time, start_nanos FROM spans
    ORDER BY trace_id, day, project_id, start_time, start_nanos),
ends AS (
    SELECT DISTINCT ON (trace_id, day, project_id) trace_id, day, project_id, end_time, end_nanos
    FROM (SELECT trace_id, day, project_id, end_time, end_nanos FROM spans WHERE end_time IS NOT NULL
          UNION ALL SELECT trace_id, day, project_id, start_time, start_nanos FROM spans) AS ends
    ORDER BY trace_id, day, project_id, end_time DESC, end_nanos DESC),
roots AS (
    SELECT DISTINCT ON (trace_id, day, project_id) trace_id, day, project_id, start_time, span_id, name, service_name
    FROM spans WHERE parent_span_id IS NULL
    ORDER BY trace_id, day, project_id, start_time, span_id),
sums AS (
    SELECT trace_id, day, project_id, count(*) AS span_count, count(*) FILTER (WHERE status_code = 2) AS error_count,
           array_agg(DISTINCT replace(service_name, chr(31), chr(65533))) FILTER (WHERE service_name <> '') AS services
    FROM spans GROUP BY trace_id, day, project_id)
UPDATE traces t SET
    start_time = a.start_time, start_nanos = a.start_nanos, end_time = z.end_time, end_nanos = z.end_nanos,
    span_count = s.span_count, error_count = s.error_count, services = coalesce(s.services, '{}'),
    root_start = r.start_time, root_span_id = r.span_id, root_name = r.name, root_service = r.service_name
FROM sums s
JOIN starts a USING (trace_id, day, project_id)
JOIN ends z USING (trace_id, day, project_id)
LEFT JOIN roots r USING (trace_id, day, project_id)
WHERE t.trace_id = s.trace_id AND t.project_id = s.project_id AND t.day = '1970-01-01'::date + $3::integer
