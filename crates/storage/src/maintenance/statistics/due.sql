-- $1 partitioned tables; $2 other tables; $3 rows, and $4 part of the known rows, by which a table must have grown.
-- PostgreSQL counts changes since the last ANALYZE, and loses the count in a crash. So the growth in pages counts too:
-- times the rows per page at the last ANALYZE, or 10 (a page holds 7 spans or 20 log records) for a table that was
-- never analysed.
WITH sized AS (
    SELECT c.oid, i.inhparent AS parent, greatest(c.reltuples, 0)::float8 AS known,
           pg_stat_get_mod_since_analyze(c.oid)::float8 AS changed,
           greatest(pg_stat_get_live_tuples(c.oid),
                    pg_relation_size(c.oid) / current_setting('block_size')::float8
                        * CASE WHEN c.reltuples > 0 AND c.relpages > 0 THEN c.reltuples / c.relpages ELSE 10 END) AS rows
    FROM pg_class AS c
    LEFT JOIN pg_inherits AS i ON i.inhrelid = c.oid
    WHERE c.relkind = 'r'
      AND (i.inhparent = ANY ($1::text[]::regclass[]) OR c.oid = ANY ($2::text[]::regclass[]))
), grown AS (
    SELECT oid, known, greatest(changed, rows - known) AS growth FROM sized
    UNION ALL
    SELECT p.oid, greatest(p.reltuples, 0), sum(s.rows) - greatest(p.reltuples, 0)
    FROM sized AS s
    JOIN pg_class AS p ON p.oid = s.parent
    GROUP BY p.oid, p.reltuples
)
SELECT oid::regclass::text
FROM grown
WHERE growth >= greatest($3, $4 * known)
ORDER BY growth / greatest(known, 1) DESC, oid
