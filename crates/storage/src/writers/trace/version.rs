//! Versions of a span: which one remains, and how it replaces the stored one.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::SystemTime;

use llm_observatory_core::ids::{ProjectId, SpanId, TraceId};
use llm_observatory_core::time::Day;
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use crate::error::Error;
use crate::models::column::{Column as _, JsonText};
use crate::models::row::Row as _;
use crate::models::time::moment;
use crate::models::trace::{Span, SpanKey, SpanRow};
use crate::postgres::writer::WriterConnection;
use crate::statement::Statement;
use crate::writers::batch::micros;

/// The columns of the unique key, which all versions share.
const KEY: [&str; 4] = ["trace_id", "start_time", "span_id", "project_id"];

/// Replaces stored spans that start between `$1` and `$2` with more complete staged ones.
static COMPLETE: Statement = Statement::composed("trace: complete", || {
    let columns = SpanRow::TABLE.columns.iter().filter(|column| !KEY.contains(column));
    let assignments: Vec<_> = columns.map(|column| format!("{column} = staged.{column}")).collect();
    format!(
        "UPDATE trace_spans AS span SET {} FROM staged_spans AS staged \
         WHERE (span.trace_id, span.start_time, span.span_id, span.project_id) \
             = (staged.trace_id, staged.start_time, staged.span_id, staged.project_id) \
         AND span.start_time BETWEEN $1 AND $2 AND {} > {} RETURNING {}",
        assignments.join(", "),
        completeness("staged"),
        completeness("span"),
        key("span")
    )
});
static DROP_EVENTS: Statement = Statement::fixed(
    "trace: drop events",
    "DELETE FROM trace_events AS event \
     USING unnest($1::uuid[], $2::timestamptz[], $3::bytea[], $4::integer[]) AS span (trace_id, start_time, span_id, project_id) \
     WHERE (event.trace_id, event.start_time, event.span_id, event.project_id) \
         = (span.trace_id, span.start_time, span.span_id, span.project_id) \
     AND event.start_time BETWEEN $5 AND $6",
);

static DROP_READINGS: Statement = Statement::composed("trace: drop readings", || {
    format!(
        "DELETE FROM trace_llm_spans AS reading \
         USING unnest($1::uuid[], $2::timestamptz[], $3::bytea[], $4::integer[]) \
               AS span (trace_id, start_time, span_id, project_id) \
         WHERE (reading.trace_id, reading.start_time, reading.span_id, reading.project_id) \
             = (span.trace_id, span.start_time, span.span_id, span.project_id) \
         AND reading.start_time BETWEEN $5 AND $6 RETURNING {}, coalesce(reading.log_events, 0) > 0",
        key("reading")
    )
});

/// The statements of this module. They need the staging table.
pub(super) const STATEMENTS: &[&Statement] = &[&COMPLETE, &DROP_EVENTS, &DROP_READINGS];

/// SQL that orders the versions of one span, so that any order of writes keeps the same one. A version with an end is
/// greater than one without, then a later end is greater. Status, length of the attributes, attributes and name decide
/// between equal ends.
pub(super) fn completeness(span: &str) -> String {
    let attributes = JsonText::select(&format!("{span}."), "attributes_json");
    format!(
        "ROW(coalesce({span}.end_time, '-infinity'), coalesce({span}.end_nanos, 0), coalesce({span}.status_code, -1), \
         octet_length({attributes}), {attributes} COLLATE \"C\", {span}.name COLLATE \"C\")"
    )
}

/// SQL for the key of a span in a returned row. [`span_key`] reads it.
pub(super) fn key(span: &str) -> String {
    format!("{span}.trace_id, {}, {span}.span_id, {span}.project_id", micros(&format!("{span}.start_time")))
}

pub(super) fn span_key(row: &Row) -> SpanKey {
    let span_id: &[u8] = row.get(2);
    // The returned rows are rows of this batch, and their ids are valid.
    let span_id = SpanId::from_wire(span_id).expect("a span id that was just written");
    (TraceId::from_uuid(row.get(0)), row.get(1), span_id, ProjectId(row.get(3)))
}

/// Deletes the events of replaced spans.
pub(super) async fn drop_events(connection: &WriterConnection, spans: &[&Span]) -> Result<(), Error> {
    for spans in by_day(spans).values() {
        let keys = Keys::of(spans);
        connection.execute_typed(DROP_EVENTS.sql(), &keys.parameters()).await?;
    }
    Ok(())
}

/// Deletes the readings of spans. Returns the keys of those that had one, and whether it was read with log records.
pub(super) async fn drop_readings(
    connection: &WriterConnection,
    spans: &[&Span],
) -> Result<HashMap<SpanKey, bool>, Error> {
    let mut dropped = HashMap::new();
    for spans in by_day(spans).values() {
        let keys = Keys::of(spans);
        let rows = connection.query_typed(DROP_READINGS.sql(), &keys.parameters()).await?;
        dropped.extend(rows.iter().map(|row| (span_key(row), row.get::<_, bool>(4))));
    }
    Ok(dropped)
}

/// The keys of spans of one day as one array for each column, and the bounds of their starts.
struct Keys {
    traces: Vec<Uuid>,
    starts: Vec<SystemTime>,
    ids: Vec<Vec<u8>>,
    projects: Vec<i32>,
    bounds: (SystemTime, SystemTime),
}

impl Keys {
    fn of(spans: &[&Span]) -> Self {
        Self {
            traces: spans.iter().map(|span| span.row.trace_id.uuid()).collect(),
            starts: spans.iter().map(|span| start(span)).collect(),
            ids: spans.iter().map(|span| span.row.span_id.as_bytes().to_vec()).collect(),
            projects: spans.iter().map(|span| span.row.project_id.0).collect(),
            bounds: bounds(spans),
        }
    }

    fn parameters(&self) -> [(&(dyn ToSql + Sync), Type); 6] {
        [
            (&self.traces, Type::UUID_ARRAY),
            (&self.starts, Type::TIMESTAMPTZ_ARRAY),
            (&self.ids, Type::BYTEA_ARRAY),
            (&self.projects, Type::INT4_ARRAY),
            (&self.bounds.0, Type::TIMESTAMPTZ),
            (&self.bounds.1, Type::TIMESTAMPTZ),
        ]
    }
}

/// Replaces stored spans with more complete staged ones, and returns their keys.
pub(super) async fn complete_those(
    connection: &WriterConnection,
    spans: &[&Span],
) -> Result<HashSet<SpanKey>, Error> {
    let mut completed = HashSet::new();
    for spans in by_day(spans).values() {
        let (first, last) = bounds(spans);
        let parameters: [(&(dyn ToSql + Sync), Type); 2] =
            [(&first, Type::TIMESTAMPTZ), (&last, Type::TIMESTAMPTZ)];
        completed.extend(connection.query_typed(COMPLETE.sql(), &parameters).await?.iter().map(span_key));
    }
    Ok(completed)
}

/// The spans by day. A statement that is planned for one day opens and locks the partitions of that day only; without a
/// day it would take those of all days.
fn by_day<'s>(spans: &[&'s Span]) -> BTreeMap<Day, Vec<&'s Span>> {
    let mut days: BTreeMap<Day, Vec<&Span>> = BTreeMap::new();
    spans.iter().for_each(|span| days.entry(span.row.start_time.day()).or_default().push(span));
    days
}

/// The earliest and the latest start of the spans.
fn bounds(spans: &[&Span]) -> (SystemTime, SystemTime) {
    let starts = || spans.iter().map(|span| start(span));
    (starts().min().unwrap_or(SystemTime::UNIX_EPOCH), starts().max().unwrap_or(SystemTime::UNIX_EPOCH))
}

fn start(span: &Span) -> SystemTime {
    moment(span.row.start_time.micros())
}
