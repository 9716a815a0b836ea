//! Writes spans of which some are stored already, through a staging table that separates new spans from stored ones.

use std::collections::{HashMap, HashSet};

use tokio_postgres::Row;

use super::calls::recount;
use super::entry::{Entry, rows, spans};
use super::events::copy_events;
use super::llm::Readings;
use super::summary;
use super::version::{complete_those, completeness, drop_events, drop_readings, key, span_key};
use crate::error::Error;
use crate::models::row::Row as _;
use crate::models::trace::{Span, SpanKey, SpanRow};
use crate::postgres::writer::WriterConnection;
use crate::statement::Statement;
use crate::writers::batch::RecordCounts;
use crate::writers::copy::stage_rows;
use crate::writers::settling::{Notes, notes_wait};

static STAGE: Statement = Statement::script(
    "trace: stage",
    "CREATE TEMP TABLE IF NOT EXISTS staged_spans (LIKE trace_spans, arrival integer) ON COMMIT DELETE ROWS; \
     TRUNCATE staged_spans",
);
/// Deletes staged spans with the same key, except the most complete one.
static DROP_REPEATED: Statement = Statement::composed("trace: drop repeated", || {
    format!(
        "DELETE FROM staged_spans USING ( \
           SELECT arrival AS of, row_number() OVER ( \
             PARTITION BY trace_id, start_time, span_id, project_id ORDER BY {} DESC, arrival) AS place \
           FROM staged_spans AS span) AS ranked \
         WHERE arrival = of AND place > 1 RETURNING arrival",
        completeness("span")
    )
});
/// Inserts new spans in the order of the key, which all writers follow, so that they do not deadlock.
static INSERT_NEW: Statement = Statement::composed("trace: insert new", || {
    format!(
        "INSERT INTO trace_spans AS span ({0}) \
         SELECT {0} FROM staged_spans ORDER BY trace_id, start_time, span_id, project_id \
         ON CONFLICT (trace_id, start_time, span_id, project_id) DO NOTHING RETURNING {1}",
        SpanRow::TABLE.names(),
        key("span")
    )
});

/// The statements of this module.
pub(super) const STATEMENTS: &[&Statement] = &[&STAGE, &DROP_REPEATED, &INSERT_NEW];

/// Writes the spans, which are sorted by key. Returns the counts of each slice.
pub(super) async fn write(
    connection: &WriterConnection,
    slices: &[&[Span]],
    entries: &[Entry<'_>],
) -> Result<Vec<RecordCounts>, Error> {
    connection.batch_execute(STAGE.sql()).await?;
    stage_rows(connection, "staged_spans", &rows(entries)).await?;
    let dropped: HashSet<usize> =
        query(connection, &DROP_REPEATED).await?.iter().map(|row| row.get::<_, i32>(0) as usize).collect();
    let new: HashSet<_> = query(connection, &INSERT_NEW).await?.iter().map(span_key).collect();
    let kept: HashMap<_, _> = entries
        .iter()
        .enumerate()
        .filter(|(n, _)| !dropped.contains(n))
        .map(|(_, entry)| (entry.key(), *entry))
        .collect();
    let there: Vec<_> =
        kept.iter().filter(|(key, _)| !new.contains(*key)).map(|(_, entry)| entry.span).collect();
    let more_complete = complete_those(connection, &there).await?;
    let of = |keys: &HashSet<SpanKey>| -> Vec<Entry<'_>> {
        let mut entries: Vec<_> = keys.iter().filter_map(|key| kept.get(key).copied()).collect();
        entries.sort_by_key(Entry::key);
        entries
    };
    let (stored, completed) = (of(&new), of(&more_complete));
    let mut counts = RecordCounts::all_duplicates(slices);
    stored.iter().for_each(|entry| counts[entry.slice].is_new());
    completed.iter().for_each(|entry| counts[entry.slice].completed += 1);
    drop_events(connection, &spans(&completed)).await?;
    let written = [&stored[..], &completed[..]].concat();
    copy_events(connection, &written).await?;
    let readings = Readings::of(connection, &written).await?;
    let totals = summary::add(connection, &stored, &completed, &readings.lacking()).await?;
    let notes = replace_readings(connection, &readings, &spans(&written), &spans(&completed)).await?;
    readings.settle(connection, &totals, notes, notes_wait(connection).await?).await?;
    Ok(counts)
}

/// Replaces the readings of spans, under the locks of their traces: who settles a trace holds its lock too. Also the
/// readings of new spans, since one may be left of a span whose day was dropped. Returns the traces to settle.
async fn replace_readings(
    connection: &WriterConnection,
    readings: &Readings<'_>,
    written: &[&Span],
    completed: &[&Span],
) -> Result<Notes, Error> {
    let dropped = drop_readings(connection, written).await?;
    readings.copy(connection).await?;
    let changed = completed.iter().filter(|span| span.llm.is_some() || dropped.contains_key(&span.row.key()));
    let of_day = |span: &SpanRow| (span.start_time.day(), span.trace_id, span.project_id);
    recount(connection, changed.map(|span| of_day(&span.row))).await?;
    let mut notes = Notes::default();
    for row in completed.iter().map(|span| &span.row) {
        let had_logs = dropped.get(&row.key()).copied().unwrap_or(false);
        notes.add(row.trace_id, row.project_id, row.start_time.day(), had_logs);
    }
    Ok(notes)
}

async fn query(connection: &WriterConnection, statement: &'static Statement) -> Result<Vec<Row>, Error> {
    Ok(connection.query(&connection.statement(statement.sql()).await?, &[]).await?)
}
