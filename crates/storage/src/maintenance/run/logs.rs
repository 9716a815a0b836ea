//! Finds the calls that stored log records tell and that are no rows yet: the version that stored the records did not know
//! their dialect.

use llm_observatory_core::ids::ProjectId;
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use super::batch::Batch;
use super::piece::Piece;
use super::record::{RECORDS_AT_ONCE, calls_of, declined};
use super::stretch::Cursor;
use crate::error::Error;
use crate::models::LogRow;
use crate::models::fields::Fields;
use crate::models::row::{ReadRow as _, Row as _};
use crate::models::time::moment;
use crate::pool::StoragePool;
use crate::statement::Statement;
use crate::writers::insert_calls;

/// The next log records behind the place `$5` to `$7`. `$3` and `$4` bound their times.
static LOOK: Statement = Statement::composed("reread: log records", || {
    format!(
        "SELECT {} FROM logs WHERE time >= $3 AND time < $4 AND (project_id, time, id) > ($5, $6, $7) \
         AND ($1::integer IS NULL OR project_id = $1) ORDER BY project_id, time, id LIMIT $2",
        LogRow::TABLE.select()
    )
});

/// Reads by the index of times, until the transaction ends. Of a day without recent statistics the planner expects a handful
/// of rows, and would read and sort all of them for each look.
static BY_INDEX: Statement =
    Statement::fixed("reread: by index", "SELECT set_config('enable_sort', 'off', true)");

/// The statements of this module.
pub(super) const STATEMENTS: &[&Statement] = &[&LOOK, &BY_INDEX];

pub(super) async fn batch(mut piece: Piece<'_>, pool: &StoragePool) -> Result<Batch, Error> {
    let connection = piece.connection;
    let book = connection.prices().for_transaction(connection).await?;
    connection.query_one(BY_INDEX.sql(), &[]).await?;
    let (rows, mut batch, mut calls) = (u64::from(piece.limit), Batch::default(), Vec::new());
    while batch.done < rows {
        piece.limit = (rows - batch.done).min(RECORDS_AT_ONCE as u64) as u32;
        let records = look(piece).await?;
        let Some(last) = records.last() else { break };
        piece.cursor = Cursor::Log(last.project_id, last.time.micros(), last.id);
        batch.done += records.len() as u64;
        batch.next = Some(piece.cursor);
        let read = calls_of(connection, records, &book).await?;
        calls.extend(read.into_iter().filter_map(|(_, call)| call));
    }
    let declined = declined(pool, &calls).await?;
    calls.retain(|call| !declined.contains(call.start_time.day()));
    batch.changed = insert_calls(connection, calls).await?;
    Ok(batch)
}

async fn look(piece: Piece<'_>) -> Result<Vec<LogRow>, Error> {
    let (from, until) = piece.stretch.moments();
    let (project, time, id) = match piece.cursor {
        Cursor::Log(ProjectId(project), time, id) => (project, moment(time), id),
        Cursor::Start(..) | Cursor::Span(_) | Cursor::Trace(..) => (i32::MIN, from, Uuid::nil()),
    };
    let others: [(&(dyn ToSql + Sync), Type); 5] = [
        (&from, Type::TIMESTAMPTZ),
        (&until, Type::TIMESTAMPTZ),
        (&project, Type::INT4),
        (&time, Type::TIMESTAMPTZ),
        (&id, Type::UUID),
    ];
    let rows = piece.look(&LOOK, &others).await?;
    rows.iter().map(|row| LogRow::read(&mut Fields::of(row))).collect()
}
