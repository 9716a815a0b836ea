//! Reads the rows of calls again that log records tell, each from its record. A row whose record is gone stays as it is.

use std::collections::HashMap;

use llm_observatory_genai::prices::PriceBook;
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use super::batch::Batch;
use super::keys::{KEYS, Keys};
use super::piece::Piece;
use super::record::{RECORDS_AT_ONCE, calls_of, declined};
use super::stretch::Cursor;
use crate::error::Error;
use crate::maintenance::settling::rows;
use crate::models::row::Row as _;
use crate::models::time::moment;
use crate::models::{LlmRow, LogRow};
use crate::pool::StoragePool;
use crate::postgres::writer::WriterConnection;
use crate::statement::Statement;
use crate::writers::{by_halves, insert_new};

/// Log records by project, time and id. `$4` and `$5` bound their times. OFFSET keeps this a look-up for each, whatever the
/// planner expects of the table.
static RECORDS: Statement = Statement::composed("reread: records of calls", || {
    format!(
        "SELECT {} FROM unnest($1::integer[], $2::timestamptz[], $3::uuid[]) AS of (project_id, time, id) \
         CROSS JOIN LATERAL (SELECT * FROM logs WHERE logs.project_id = of.project_id AND logs.time = of.time \
                                                AND logs.id = of.id AND logs.time BETWEEN $4 AND $5 OFFSET 0) AS log",
        LogRow::TABLE.select_from("log")
    )
});
static DROP: Statement = Statement::composed("reread: drop calls", || {
    format!(
        "DELETE FROM trace_llm_spans AS llm USING {KEYS} AS of (trace_id, start_time, span_id, project_id) \
         WHERE (llm.trace_id, llm.start_time, llm.span_id, llm.project_id) \
             = (of.trace_id, of.start_time, of.span_id, of.project_id) AND llm.start_time >= $5 AND llm.start_time < $6"
    )
});

/// The statements of this module.
pub(super) const STATEMENTS: &[&Statement] = &[&RECORDS, &DROP];

pub(super) async fn batch(piece: Piece<'_>, pool: &StoragePool) -> Result<Batch, Error> {
    let connection = piece.connection;
    let book = connection.prices().for_transaction(connection).await?;
    let mut stored = piece.llm_spans().await?;
    let next = stored.last().map(|row| Cursor::Span(row.key()));
    stored.retain(|row| row.log_id.is_some());
    let mut changed: Vec<Replacement<'_>> = Vec::new();
    for part in stored.chunks(RECORDS_AT_ONCE) {
        let mut read = read_again(connection, part, &book).await?;
        let again = part.iter().filter_map(|row| Some((row, row.log_id.and_then(|id| read.remove(&id))?)));
        changed.extend(again.filter(|(row, now)| now.as_ref() != Some(row)));
    }
    let changed = replace(piece, pool, changed).await?;
    Ok(Batch { done: stored.len() as u64, changed, next })
}

/// A stored row, and what takes its place; `None` if its record tells no call.
type Replacement<'r> = (&'r LlmRow, Option<LlmRow>);

/// Puts each row in the place of a stored one, as far as its day has a partition. Returns how many were replaced. A stored row
/// stays where PostgreSQL does not take the new one.
async fn replace(piece: Piece<'_>, pool: &StoragePool, mut rows: Vec<Replacement<'_>>) -> Result<u64, Error> {
    let new: Vec<_> = rows.iter().filter_map(|(_, new)| new.clone()).collect();
    let declined = declined(pool, &new).await?;
    rows.retain(|(_, new)| new.as_ref().is_none_or(|new| !declined.contains(new.start_time.day())));
    if rows.is_empty() {
        return Ok(0);
    }
    Keys::of(piece.stretch, rows.iter().map(|(old, _)| old.key())).lock(piece.connection).await?;
    let replaced = by_halves(piece.connection, &rows, |part| replace_all(piece, part)).await?;
    Ok(replaced.iter().sum())
}

/// Returns the number of the rows.
async fn replace_all(piece: Piece<'_>, rows: &[Replacement<'_>]) -> Result<u64, Error> {
    let old = Keys::of(piece.stretch, rows.iter().map(|(old, _)| old.key()));
    piece.connection.execute_typed(DROP.sql(), &old.parameters()).await?;
    let mut new: Vec<_> = rows.iter().filter_map(|(_, new)| new.as_ref()).collect();
    new.sort_by_key(|row| row.key());
    insert_new(piece.connection, &new).await?;
    Ok(rows.len() as u64)
}

/// What the records of these rows tell by the rules of now, by the ids of those records that are still stored.
async fn read_again(
    connection: &WriterConnection,
    stored: &[LlmRow],
    book: &PriceBook,
) -> Result<HashMap<Uuid, Option<LlmRow>>, Error> {
    let projects: Vec<_> = stored.iter().map(|row| row.project_id.0).collect();
    let times: Vec<_> = stored.iter().map(|row| moment(row.log_time().micros())).collect();
    let ids: Vec<_> = stored.iter().map(|row| row.log_id).collect();
    let (first, last) = (times.iter().min(), times.iter().max());
    let parameters: [(&(dyn ToSql + Sync), Type); 5] = [
        (&projects, Type::INT4_ARRAY),
        (&times, Type::TIMESTAMPTZ_ARRAY),
        (&ids, Type::UUID_ARRAY),
        (&first, Type::TIMESTAMPTZ),
        (&last, Type::TIMESTAMPTZ),
    ];
    let records: Vec<LogRow> = rows(connection, &RECORDS, &parameters).await?;
    let calls = calls_of(connection, records, book).await?;
    Ok(calls.into_iter().collect())
}
