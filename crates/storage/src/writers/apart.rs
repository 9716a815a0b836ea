//! Calls in other traces that may be the same call: see `genai::repeats`.

use std::time::SystemTime;

use llm_observatory_core::ids::{ProjectId, TraceId};
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use crate::error::Error;
use crate::models::llm::call::CallRow;
use crate::models::time::moment;
use crate::postgres::writer::WriterConnection;
use crate::statement::Statement;

/// How long before the span of its client a call is looked for. Its own writer looks for the client's span whatever its age.
/// Some frameworks begin a call only when its answer begins: so long before such a call its client's span is looked for, and
/// known by its response.
const REACH_MICROS: i64 = 30 * 1_000_000;
/// Most calls of other traces that are looked at for one trace, or for one batch.
const MAX_CALLS: i64 = 10_000;

/// Spans of clients that may be inside a call of another trace, by the index that has no others.
static HIDDEN_CALLS: Statement =
    Statement::composed("apart: hidden", || in_stretches("reading.may_be_hidden"));
static CALLS: Statement = Statement::composed("apart: around", || in_stretches("true"));

/// The statements of this module.
pub(super) const STATEMENTS: &[&Statement] = &[&HIDDEN_CALLS, &CALLS];

/// Calls of spans that start in one of some stretches of time. `$4` and `$5` tell the planner the days.
fn in_stretches(condition: &str) -> String {
    format!(
        "SELECT {} FROM unnest($1::timestamptz[], $2::timestamptz[]) AS stretch (from_time, to_time) \
         JOIN trace_llm_spans AS reading ON reading.start_time BETWEEN stretch.from_time AND stretch.to_time \
         WHERE reading.project_id = $3 AND reading.start_time BETWEEN $4 AND $5 \
         AND reading.service_name = ANY ($6) AND reading.trace_id <> $7 AND reading.is_call AND reading.log_id IS NULL \
         AND {condition} LIMIT $8",
        CallRow::COLUMNS
    )
}

/// Spans of clients in other traces than `trace` that start in the time of these calls, or not long before it where a call
/// tells its response. The calls are all of one project.
pub(crate) async fn hidden(
    connection: &WriterConnection,
    calls: &[&CallRow],
    trace: Option<TraceId>,
) -> Result<Vec<CallRow>, Error> {
    let stretch = |call: &&CallRow| {
        let reach = if call.response.is_some() { REACH_MICROS } else { 0 };
        ((call.start.micros() - reach).max(0), call.end.micros())
    };
    look(connection, &HIDDEN_CALLS, calls, calls.iter().map(stretch).collect(), trace).await
}

/// Calls in other traces than `trace` that start shortly before these, or in the time of one that tells its response. The calls
/// are all of one project.
pub(crate) async fn around(
    connection: &WriterConnection,
    calls: &[&CallRow],
    trace: Option<TraceId>,
) -> Result<Vec<CallRow>, Error> {
    let stretch = |call: &&CallRow| {
        let until = if call.response.is_some() { call.end } else { call.start };
        ((call.start.micros() - REACH_MICROS).max(0), until.micros())
    };
    look(connection, &CALLS, calls, calls.iter().map(stretch).collect(), trace).await
}

async fn look(
    connection: &WriterConnection,
    statement: &'static Statement,
    calls: &[&CallRow],
    stretches: Vec<(i64, i64)>,
    trace: Option<TraceId>,
) -> Result<Vec<CallRow>, Error> {
    let stretches = joined(stretches);
    let [from, to]: [Vec<SystemTime>; 2] = [
        stretches.iter().map(|(from, _)| moment(*from)).collect(),
        stretches.iter().map(|(_, to)| moment(*to)).collect(),
    ];
    let (Some(first), Some(last), Some(ProjectId(project))) =
        (from.first(), to.last(), calls.first().map(|call| call.project_id))
    else {
        return Ok(Vec::new());
    };
    let mut services: Vec<&str> = calls.iter().map(|call| &*call.service).collect();
    services.sort_unstable();
    services.dedup();
    let trace = trace.map_or(Uuid::nil(), |trace| trace.uuid()); // no trace has the id of zeros
    let parameters: [(&(dyn ToSql + Sync), Type); 8] = [
        (&from, Type::TIMESTAMPTZ_ARRAY),
        (&to, Type::TIMESTAMPTZ_ARRAY),
        (&project, Type::INT4),
        (first, Type::TIMESTAMPTZ),
        (last, Type::TIMESTAMPTZ),
        (&services, Type::TEXT_ARRAY),
        (&trace, Type::UUID),
        (&MAX_CALLS, Type::INT8),
    ];
    let rows = connection.query_typed(statement.sql(), &parameters).await?;
    if rows.len() as i64 >= MAX_CALLS {
        tracing::warn!(
            limit = MAX_CALLS,
            "more calls of other traces may be the same calls than are looked at"
        );
    }
    Ok(rows.iter().filter_map(|row| CallRow::read(row, 0)).collect())
}

/// The same stretches, sorted, those that overlap as one.
fn joined(mut stretches: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    stretches.sort_unstable();
    stretches.dedup_by(|next, kept| {
        let overlaps = next.0 <= kept.1;
        if overlaps {
            kept.1 = kept.1.max(next.1);
        }
        overlaps
    });
    stretches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_that_overlap_are_one() {
        assert_eq!(joined(vec![(5, 9), (1, 3), (3, 4), (8, 8)]), [(1, 4), (5, 9)]);
        assert_eq!(joined(Vec::new()), []);
    }
}
