//! Spans of which some are there already: through a staging table, which tells the new ones from the others.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{SystemTime, UNIX_EPOCH};

use llm_observatory_core::ids::{ProjectId, SpanId, TraceId};
use llm_observatory_core::time::Day;
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::{copy_events, rows, summary};
use crate::error::Error;
use crate::models::row::Row as _;
use crate::models::trace::{Span, SpanKey, SpanRow};
use crate::writers::connection::WriterConnection;
use crate::writers::copy::CopyWriter;
use crate::writers::{Written, micros};

const STAGE: &str = "/* trace: stage */ \
    CREATE TEMP TABLE IF NOT EXISTS staged_spans (LIKE trace_spans, arrival integer) ON COMMIT DELETE ROWS; \
    TRUNCATE staged_spans";

/// Of staged spans with the same key all but the most complete one.
fn drop_repeated() -> String {
    format!(
        "/* trace: drop repeated */ DELETE FROM staged_spans USING ( \
           SELECT arrival AS of, row_number() OVER ( \
             PARTITION BY trace_id, start_time, span_id, project_id ORDER BY {} DESC, arrival) AS place \
           FROM staged_spans AS span) AS ranked \
         WHERE arrival = of AND place > 1 RETURNING arrival",
        completeness("span")
    )
}

/// What is new, in the order of the key so that no two writers wait for each other crosswise.
fn insert_new() -> String {
    let columns = SpanRow::TABLE.columns.join(", ");
    format!(
        "/* trace: insert new */ INSERT INTO trace_spans AS span ({columns}) \
         SELECT {columns} FROM staged_spans ORDER BY trace_id, start_time, span_id, project_id \
         ON CONFLICT (trace_id, start_time, span_id, project_id) DO NOTHING RETURNING {}",
        key("span")
    )
}

/// What takes the place of a less complete span, of those between two starts.
fn complete() -> String {
    let assignments: Vec<_> = SpanRow::TABLE
        .columns
        .iter()
        .filter(|column| !["trace_id", "start_time", "span_id", "project_id"].contains(column))
        .map(|column| format!("{column} = staged.{column}"))
        .collect();
    format!(
        "/* trace: complete */ UPDATE trace_spans AS span SET {} FROM staged_spans AS staged \
         WHERE (span.trace_id, span.start_time, span.span_id, span.project_id) \
             = (staged.trace_id, staged.start_time, staged.span_id, staged.project_id) \
         AND span.start_time BETWEEN $1 AND $2 AND {} > {} RETURNING {}",
        assignments.join(", "),
        completeness("staged"),
        completeness("span"),
        key("span")
    )
}

const DROP_EVENTS: &str = "/* trace: drop events */ DELETE FROM trace_events AS event \
    USING unnest($1::uuid[], $2::timestamptz[], $3::bytea[], $4::integer[]) AS span (trace_id, start_time, span_id, project_id) \
    WHERE (event.trace_id, event.start_time, event.span_id, event.project_id) \
        = (span.trace_id, span.start_time, span.span_id, span.project_id) \
    AND event.start_time BETWEEN $5 AND $6";

/// Orders the versions of one span, so that any order of arrival keeps the same one: one that ended stands above one that
/// did not, a later end above an earlier one; what says more above what says less.
fn completeness(span: &str) -> String {
    format!(
        "ROW(coalesce({span}.end_time, '-infinity'), coalesce({span}.end_nanos, 0), coalesce({span}.status_code, -1), \
         octet_length({span}.attributes::text), {span}.attributes::text COLLATE \"C\", {span}.name COLLATE \"C\")"
    )
}

fn key(span: &str) -> String {
    format!("{span}.trace_id, {}, {span}.span_id, {span}.project_id", micros(&format!("{span}.start_time")))
}

fn span_key(row: &Row) -> SpanKey {
    let span_id: &[u8] = row.get(2);
    // The row came back from a statement over rows whose ids were valid.
    let span_id = SpanId::from_wire(span_id).expect("a span id that was just written");
    (TraceId::from_uuid(row.get(0)), row.get(1), span_id, ProjectId(row.get(3)))
}

/// Writes the spans, which are sorted by key, each with the number of its slice.
pub(super) async fn write(
    connection: &WriterConnection,
    slices: &[&[Span]],
    spans: &[(usize, &Span)],
) -> Result<Vec<Written>, Error> {
    let all: Vec<_> = spans.iter().map(|(_, span)| *span).collect();
    connection.batch_execute(STAGE).await?;
    CopyWriter::new().stage_rows(connection, "staged_spans", &rows(&all)).await?;
    let dropped: HashSet<usize> =
        query(connection, &drop_repeated()).await?.iter().map(|row| row.get::<_, i32>(0) as usize).collect();
    let new: HashSet<_> = query(connection, &insert_new()).await?.iter().map(span_key).collect();
    let kept: HashMap<_, _> = spans
        .iter()
        .enumerate()
        .filter(|(n, _)| !dropped.contains(n))
        .map(|(_, (slice, span))| (span.row.key(), (*slice, *span)))
        .collect();
    let there: Vec<_> =
        kept.iter().filter(|(key, _)| !new.contains(*key)).map(|(_, (_, span))| *span).collect();
    let more_complete = complete_those(connection, &there).await?;
    let mut written: Vec<_> =
        slices.iter().map(|slice| Written { duplicates: slice.len() as u64, ..Written::default() }).collect();
    for (slice, _) in new.iter().filter_map(|key| kept.get(key)) {
        written[*slice].stored += 1;
        written[*slice].duplicates -= 1;
    }
    for (slice, _) in more_complete.iter().filter_map(|key| kept.get(key)) {
        written[*slice].completed += 1;
    }
    let of = |keys: &HashSet<SpanKey>| -> Vec<&Span> {
        let mut spans: Vec<_> = keys.iter().filter_map(|key| Some(kept.get(key)?.1)).collect();
        spans.sort_by_key(|span| span.row.key());
        spans
    };
    let (stored, completed) = (of(&new), of(&more_complete));
    drop_events(connection, &completed).await?;
    copy_events(connection, &[&stored[..], &completed[..]].concat()).await?;
    summary::merge(connection, &stored, &completed).await?;
    Ok(written)
}

async fn query(connection: &WriterConnection, sql: &str) -> Result<Vec<Row>, Error> {
    Ok(connection.query(&connection.statement(sql).await?, &[]).await?)
}

/// Removes the events of what was there before.
async fn drop_events(connection: &WriterConnection, spans: &[&Span]) -> Result<(), Error> {
    for spans in by_day(spans).values() {
        let traces: Vec<_> = spans.iter().map(|span| span.row.trace_id.uuid()).collect();
        let starts: Vec<_> = spans.iter().map(|span| start(span)).collect();
        let ids: Vec<_> = spans.iter().map(|span| span.row.span_id.as_bytes().to_vec()).collect();
        let projects: Vec<_> = spans.iter().map(|span| span.row.project_id.0).collect();
        let (first, last) = bounds(spans);
        let parameters: [(&(dyn ToSql + Sync), Type); 6] = [
            (&traces, Type::UUID_ARRAY),
            (&starts, Type::TIMESTAMPTZ_ARRAY),
            (&ids, Type::BYTEA_ARRAY),
            (&projects, Type::INT4_ARRAY),
            (&first, Type::TIMESTAMPTZ),
            (&last, Type::TIMESTAMPTZ),
        ];
        connection.execute_typed(DROP_EVENTS, &parameters).await?;
    }
    Ok(())
}

/// Lets those of the staged spans take their place that say more than what is there; gives their keys.
async fn complete_those(connection: &WriterConnection, spans: &[&Span]) -> Result<HashSet<SpanKey>, Error> {
    let (complete, mut completed) = (complete(), HashSet::new());
    for spans in by_day(spans).values() {
        let (first, last) = bounds(spans);
        let parameters: [(&(dyn ToSql + Sync), Type); 2] =
            [(&first, Type::TIMESTAMPTZ), (&last, Type::TIMESTAMPTZ)];
        completed.extend(connection.query_typed(&complete, &parameters).await?.iter().map(span_key));
    }
    Ok(completed)
}

/// The spans of each day. A statement that names a day, and is planned for just that one, opens and locks the partitions of
/// that day only; one that does not takes those of all days that there ever were.
fn by_day<'s>(spans: &[&'s Span]) -> BTreeMap<Day, Vec<&'s Span>> {
    let mut days: BTreeMap<Day, Vec<&Span>> = BTreeMap::new();
    spans.iter().for_each(|span| days.entry(span.row.start_time.day()).or_default().push(span));
    days
}

/// The first and the last start of some spans.
fn bounds(spans: &[&Span]) -> (SystemTime, SystemTime) {
    let starts = || spans.iter().map(|span| start(span));
    (starts().min().unwrap_or(UNIX_EPOCH), starts().max().unwrap_or(UNIX_EPOCH))
}

fn start(span: &Span) -> SystemTime {
    summary::moment(span.row.start_time.micros())
}
