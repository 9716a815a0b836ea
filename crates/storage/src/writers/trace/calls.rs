//! Sums up the readings of traces anew, after they changed.

use std::collections::BTreeMap;

use llm_observatory_core::ids::{ProjectId, TraceId};
use llm_observatory_core::time::Day;
use tokio_postgres::types::{ToSql, Type};

use crate::error::Error;
use crate::postgres::writer::WriterConnection;
use crate::statement::Statement;

/// All traces are of one day, which is a constant to the planner. No index is asked for the project of a reading: where
/// statistics lag, one of project and time looks as good as that of the trace.
static RECOUNT: Statement = Statement::fixed(
    "trace: recount calls",
    "UPDATE traces AS t SET llm_calls = sums.calls, speakers = t.speakers | coalesce(sums.speakers, 0)::smallint \
     FROM unnest($1::uuid[], $2::integer[]) AS changed (trace_id, project_id) \
     CROSS JOIN LATERAL ( \
         SELECT count(*) FILTER (WHERE l.is_call) AS calls, \
                bit_or(CASE WHEN l.session_id IS NULL THEN 2 WHEN l.session_taken_over THEN 0 ELSE 1 END \
                       | CASE WHEN l.user_id IS NULL THEN 8 WHEN l.user_taken_over THEN 0 ELSE 4 END) AS speakers \
         FROM trace_llm_spans AS l \
         WHERE l.trace_id = changed.trace_id AND l.project_id IS NOT DISTINCT FROM changed.project_id AND l.log_id IS NULL \
         AND l.start_time >= ('1970-01-01'::date + $3::integer)::timestamp AT TIME ZONE 'UTC' \
         AND l.start_time < ('1970-01-01'::date + $3::integer + 1)::timestamp AT TIME ZONE 'UTC') AS sums \
     WHERE t.trace_id = changed.trace_id AND t.project_id = changed.project_id \
     AND t.day = '1970-01-01'::date + $3::integer",
);

/// The statements of this module.
pub(super) const STATEMENTS: &[&Statement] = &[&RECOUNT];

/// Counts the calls of these traces and days, and notes what their readings tell and lack: see `Speakers`. The caller holds the locks of their rows in `traces`.
pub(crate) async fn recount(
    connection: &WriterConnection,
    traces: impl IntoIterator<Item = (Day, TraceId, ProjectId)>,
) -> Result<(), Error> {
    let mut days: BTreeMap<Day, Vec<_>> = BTreeMap::new();
    traces.into_iter().for_each(|(day, trace, project)| days.entry(day).or_default().push((trace, project)));
    for (Day(day), mut traces) in days {
        traces.sort_unstable();
        traces.dedup();
        let ids: Vec<_> = traces.iter().map(|(trace, _)| trace.uuid()).collect();
        let projects: Vec<_> = traces.iter().map(|(_, project)| project.0).collect();
        let parameters: [(&(dyn ToSql + Sync), Type); 3] =
            [(&ids, Type::UUID_ARRAY), (&projects, Type::INT4_ARRAY), (&day, Type::INT4)];
        connection.execute_typed(RECOUNT.sql(), &parameters).await?;
    }
    Ok(())
}
