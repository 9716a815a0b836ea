//! Summaries of traces: what one day knows of one trace, kept exact with every batch.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use llm_observatory_core::ids::{ProjectId, TraceId};
use llm_observatory_core::time::Day;
use uuid::Uuid;

use crate::error::Error;
use crate::models::trace::{Span, TraceRow};
use crate::writers::connection::WriterConnection;

const MERGE: &str = include_str!("merge_summaries.sql");
const RECOMPUTE: &str = include_str!("recompute_summaries.sql");

/// The statements of this module, with their names.
pub const STATEMENTS: &[(&str, &str)] =
    &[("trace: merge summaries", MERGE), ("trace: recompute summaries", RECOMPUTE)];

/// Adds the spans to the summaries of their traces, and computes those anew in which a span took another one's place.
///
/// Rows are locked in the order of their key, so that no two writers wait for each other crosswise.
pub(super) async fn merge(
    connection: &WriterConnection,
    stored: &[&Span],
    completed: &[&Span],
) -> Result<(), Error> {
    let mut summaries: BTreeMap<(TraceId, Day, ProjectId), TraceRow> = BTreeMap::new();
    let stored = stored.iter().map(|span| TraceRow::of(&span.row));
    // A span that was counted before counts nothing, but its trace is locked with the others.
    let locked =
        completed.iter().map(|span| TraceRow { span_count: 0, error_count: 0, ..TraceRow::of(&span.row) });
    for row in stored.chain(locked) {
        match summaries.entry((row.trace_id, row.day, row.project_id)) {
            std::collections::btree_map::Entry::Occupied(mut summary) => summary.get_mut().merge(row),
            std::collections::btree_map::Entry::Vacant(place) => _ = place.insert(row),
        }
    }
    if summaries.is_empty() {
        return Ok(());
    }
    let mut columns = SummaryColumns::default();
    summaries.into_values().for_each(|summary| columns.push(summary));
    columns.merge(connection).await?;
    recompute(connection, completed).await
}

async fn recompute(connection: &WriterConnection, completed: &[&Span]) -> Result<(), Error> {
    if completed.is_empty() {
        return Ok(());
    }
    let mut traces: Vec<_> = completed
        .iter()
        .map(|span| (span.row.trace_id.uuid(), span.row.start_time.day().0, span.row.project_id.0))
        .collect();
    traces.sort_unstable();
    traces.dedup();
    let ids: Vec<_> = traces.iter().map(|trace| trace.0).collect();
    let days: Vec<_> = traces.iter().map(|trace| trace.1).collect();
    let projects: Vec<_> = traces.iter().map(|trace| trace.2).collect();
    let statement = connection.statement(RECOMPUTE).await?;
    connection.execute(&statement, &[&ids, &days, &projects]).await?;
    Ok(())
}

/// Summaries side by side: one array for each column, the parameters of [`MERGE`].
#[derive(Debug, Default)]
struct SummaryColumns {
    trace_id: Vec<Uuid>,
    day: Vec<i32>,
    project_id: Vec<i32>,
    start: Vec<SystemTime>,
    start_nanos: Vec<i16>,
    end: Vec<SystemTime>,
    end_nanos: Vec<i16>,
    span_count: Vec<i64>,
    error_count: Vec<i64>,
    root_start: Vec<Option<SystemTime>>,
    root_span_id: Vec<Option<Vec<u8>>>,
    root_name: Vec<Option<String>>,
    root_service: Vec<Option<String>>,
    services: Vec<String>,
}

impl SummaryColumns {
    fn push(&mut self, summary: TraceRow) {
        self.trace_id.push(summary.trace_id.uuid());
        self.day.push(summary.day.0);
        self.project_id.push(summary.project_id.0);
        self.start.push(moment(summary.start_time.micros()));
        self.start_nanos.push(summary.start_time.sub_micros());
        self.end.push(moment(summary.end_time.micros()));
        self.end_nanos.push(summary.end_time.sub_micros());
        self.span_count.push(summary.span_count);
        self.error_count.push(summary.error_count);
        let root = summary.root.as_ref();
        self.root_start.push(root.map(|root| moment(root.start_micros)));
        self.root_span_id.push(root.map(|root| root.span_id.as_bytes().to_vec()));
        self.root_name.push(root.map(|root| root.name.to_string()));
        self.root_service.push(root.map(|root| root.service.to_string()));
        // PostgreSQL has no ragged arrays of arrays: names are joined by the ASCII unit separator, which no name holds.
        let services: Vec<_> =
            summary.services.iter().map(|name| name.replace('\u{1f}', "\u{fffd}")).collect();
        self.services.push(services.join("\u{1f}"));
    }

    async fn merge(&self, connection: &WriterConnection) -> Result<(), Error> {
        let statement = connection.statement(MERGE).await?;
        connection
            .execute(
                &statement,
                &[
                    &self.trace_id,
                    &self.day,
                    &self.project_id,
                    &self.start,
                    &self.start_nanos,
                    &self.end,
                    &self.end_nanos,
                    &self.span_count,
                    &self.error_count,
                    &self.root_start,
                    &self.root_span_id,
                    &self.root_name,
                    &self.root_service,
                    &self.services,
                ],
            )
            .await?;
        Ok(())
    }
}

/// The driver's own form of a time. (Arithmetic with intervals in SQL goes through doubles, which lose microseconds
/// from the year 2255 on.)
pub(super) fn moment(micros: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_micros(micros.unsigned_abs())
}
