//! Keeps the summaries of traces in `traces` exact with every batch. There is one row per trace and day.

use std::borrow::Cow;
use std::time::SystemTime;

use llm_observatory_core::ids::{ProjectId, TraceId};
use llm_observatory_core::text::Text;
use llm_observatory_core::time::Day;
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use super::entry::Entry;
use crate::error::Error;
use crate::models::Speakers;
use crate::models::time::moment;
use crate::models::trace::TraceRow;
use crate::postgres::writer::WriterConnection;
use crate::statement::Statement;

static MERGE: Statement = Statement::fixed("trace: merge summaries", include_str!("merge_summaries.sql"));
static RECOMPUTE: Statement =
    Statement::fixed("trace: recompute summaries", include_str!("recompute_summaries.sql"));

/// The statements of this module.
pub(super) const STATEMENTS: &[&Statement] = &[&MERGE, &RECOMPUTE];

/// What `traces` says of a trace and day with calls of models, after a merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Total {
    pub(super) trace_id: TraceId,
    pub(super) day: Day,
    pub(super) project_id: ProjectId,
    pub(super) llm_calls: i64,
    pub(super) span_count: i64,
    /// Whether a span ends on a later day than `day`.
    pub(super) crosses_midnight: bool,
    pub(super) speakers: Speakers,
}

/// What LLM spans of traces and days lack, in the order of these.
pub(super) type Lacking = Vec<((TraceId, Day, ProjectId), Speakers)>;

/// Adds stored spans to the summaries of their traces, and recomputes the summaries of traces in which a span replaced
/// another one. Returns the totals of traces and days of which other spans may say something of these.
pub(super) async fn add(
    connection: &WriterConnection,
    stored: &[Entry<'_>],
    completed: &[Entry<'_>],
    lacking: &Lacking,
) -> Result<Vec<Total>, Error> {
    let mut summaries: Vec<TraceRow> = Vec::new();
    // Spans are sorted by key, so spans of one trace, day and project are neighbours, unless projects share a trace id.
    for entry in stored {
        let (trace, project) = entry.trace;
        match summaries.last_mut() {
            Some(last) if last.key() == (trace, entry.day(), project) => last.add(&entry.span.row),
            _ => summaries.push(TraceRow::of(&entry.span.row)),
        }
        if let Some(last) = summaries.last_mut() {
            last.llm_calls += i64::from(entry.is_call());
            last.speakers |= entry.speakers.telling_only();
        }
    }
    // A replaced span is counted already. Its summary with zero spans locks the row of its trace in the same order.
    summaries.extend(completed.iter().map(|entry| TraceRow {
        span_count: 0,
        error_count: 0,
        speakers: entry.speakers.telling_only(),
        ..TraceRow::of(&entry.span.row)
    }));
    for summary in &mut summaries {
        let key = summary.key();
        let of_trace = &lacking[lacking.partition_point(|(of, _)| *of < key)..];
        of_trace
            .iter()
            .take_while(|(of, _)| *of == key)
            .for_each(|(_, speakers)| summary.speakers |= *speakers);
    }
    let totals = merge(connection, summaries).await?;
    recompute(connection, completed).await?;
    Ok(totals)
}

/// Merges summaries into the stored ones.
///
/// PostgreSQL locks the rows in the order of their key, which all writers follow, so that they do not deadlock.
pub(super) async fn merge(
    connection: &WriterConnection,
    mut summaries: Vec<TraceRow>,
) -> Result<Vec<Total>, Error> {
    if summaries.is_empty() {
        return Ok(Vec::new());
    }
    summaries.sort_by_key(TraceRow::key);
    summaries.dedup_by(|later, kept| {
        let same = later.key() == kept.key();
        if same {
            kept.merge(later);
        }
        same
    });
    let mut columns = SummaryColumns::default();
    summaries.iter().for_each(|summary| columns.push(summary));
    columns.merge(connection).await
}

async fn recompute(connection: &WriterConnection, completed: &[Entry<'_>]) -> Result<(), Error> {
    if completed.is_empty() {
        return Ok(());
    }
    let mut traces: Vec<_> =
        completed.iter().map(|entry| (entry.day().0, entry.trace.0.uuid(), entry.trace.1.0)).collect();
    traces.sort_unstable();
    traces.dedup();
    // Unprepared and day by day, so that PostgreSQL plans it for the partitions of that day and locks no others.
    for traces in traces.chunk_by(|one, next| one.0 == next.0) {
        let day = traces[0].0;
        let ids: Vec<_> = traces.iter().map(|trace| trace.1).collect();
        let projects: Vec<_> = traces.iter().map(|trace| trace.2).collect();
        let parameters: [(&(dyn ToSql + Sync), Type); 3] =
            [(&ids, Type::UUID_ARRAY), (&projects, Type::INT4_ARRAY), (&day, Type::INT4)];
        connection.execute_typed(RECOMPUTE.sql(), &parameters).await?;
    }
    Ok(())
}

/// Summaries as one array per column: the parameters of `MERGE`.
#[derive(Debug, Default)]
struct SummaryColumns<'s> {
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
    root_span_id: Vec<Option<&'s [u8]>>,
    root_name: Vec<Option<&'s str>>,
    root_service: Vec<Option<&'s str>>,
    services: Vec<Cow<'s, str>>,
    llm_calls: Vec<i64>,
    speakers: Vec<i16>,
}

impl<'s> SummaryColumns<'s> {
    fn push(&mut self, summary: &'s TraceRow) {
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
        self.root_span_id.push(root.map(|root| &root.span_id.as_bytes()[..]));
        self.root_name.push(root.map(|root| root.name.as_str()));
        self.root_service.push(root.map(|root| root.service.as_str()));
        self.services.push(joined(&summary.services));
        self.llm_calls.push(summary.llm_calls);
        self.speakers.push(summary.speakers.0);
    }

    async fn merge(&self, connection: &WriterConnection) -> Result<Vec<Total>, Error> {
        let statement = connection.statement(MERGE.sql()).await?;
        let totals = connection
            .query(
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
                    &self.llm_calls,
                    &self.speakers,
                ],
            )
            .await?;
        Ok(totals.iter().map(total).collect())
    }
}

fn total(row: &Row) -> Total {
    Total {
        trace_id: TraceId::from_uuid(row.get(0)),
        day: Day(row.get(1)),
        project_id: ProjectId(row.get(2)),
        llm_calls: row.get(3),
        span_count: row.get(4),
        crosses_midnight: row.get(5),
        speakers: Speakers(row.get(6)),
    }
}

/// Joins names with the ASCII unit separator, since PostgreSQL has no arrays of arrays of different lengths. U+FFFD
/// replaces the separator in a name.
fn joined(services: &[Text]) -> Cow<'_, str> {
    match services {
        [one] if !one.contains(SEPARATOR) => Cow::Borrowed(one.as_str()),
        many => {
            let names: Vec<_> = many.iter().map(|name| name.replace(SEPARATOR, "\u{fffd}")).collect();
            Cow::Owned(names.join("\u{1f}"))
        }
    }
}

const SEPARATOR: char = '\u{1f}';
