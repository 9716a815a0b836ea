//! Computes the cost of stored LLM spans by the prices of now.
//!
//! Rows are read without locks, and only those whose cost changes are locked, read again and written. A row that a writer
//! adds or replaces meanwhile has the prices of now already: each transaction that writes costs holds the prices' lock in
//! share mode, which whoever changes a price takes exclusively.

use std::time::SystemTime;

use llm_observatory_core::ids::ProjectId;
use llm_observatory_genai::prices::{Cost, PriceBook};
use tokio_postgres::types::{ToSql, Type};

use super::batch::{Batch, RunScope};
use super::stretch::{Cursor, Keys, Stretch};
use crate::error::Error;
use crate::models::LlmRow;
use crate::models::fields::Fields;
use crate::models::llm::foreign;
use crate::models::row::{ReadRow as _, Row as _};
use crate::models::time::moment;
use crate::postgres::writer::WriterConnection;
use crate::statement::Statement;

/// The next rows behind the key `$3` to `$6`, of the project `$7` if there is one. `$1` and `$2` bound their start.
static LOOK: Statement = Statement::composed("reprice: look", || {
    format!(
        "SELECT {} FROM trace_llm_spans AS llm WHERE llm.start_time >= $1 AND llm.start_time < $2 \
         AND (llm.trace_id, llm.start_time, llm.span_id, llm.project_id) > ($3, $4, $5, $6) \
         AND ($7::integer IS NULL OR llm.project_id = $7) \
         ORDER BY llm.trace_id, llm.start_time, llm.span_id, llm.project_id LIMIT $8",
        LlmRow::TABLE.select_from("llm")
    )
});
/// Locks rows in the order of the key, which all writers follow. `$5` and `$6` bound their start.
static LOCK: Statement = Statement::composed("reprice: lock", || {
    format!(
        "SELECT {} FROM unnest($1::uuid[], $2::timestamptz[], $3::bytea[], $4::integer[]) \
                        AS of (trace_id, start_time, span_id, project_id) \
         JOIN trace_llm_spans AS llm USING (trace_id, start_time, span_id, project_id) \
         WHERE llm.start_time >= $5 AND llm.start_time < $6 \
         ORDER BY llm.trace_id, llm.start_time, llm.span_id, llm.project_id FOR NO KEY UPDATE OF llm",
        LlmRow::TABLE.select_from("llm")
    )
});
static WRITE: Statement = Statement::fixed(
    "reprice: write",
    "UPDATE trace_llm_spans AS llm SET cost_nanos = of.cost, cost_currency = of.currency, price_id = of.price \
     FROM unnest($1::uuid[], $2::timestamptz[], $3::bytea[], $4::integer[], $7::bigint[], $8::text[], $9::bigint[]) \
          AS of (trace_id, start_time, span_id, project_id, cost, currency, price) \
     WHERE (llm.trace_id, llm.start_time, llm.span_id, llm.project_id) \
         = (of.trace_id, of.start_time, of.span_id, of.project_id) AND llm.start_time >= $5 AND llm.start_time < $6",
);

/// The statements of this module.
pub(super) const STATEMENTS: &[&Statement] = &[&LOOK, &LOCK, &WRITE];

pub(super) async fn batch(
    connection: &WriterConnection,
    stretch: Stretch,
    cursor: Cursor,
    scope: &RunScope,
    limit: u32,
) -> Result<Batch, Error> {
    let book = connection.prices().for_transaction(connection).await?;
    let rows = look(connection, stretch, cursor, scope.project, limit).await?;
    let changed = rows.iter().filter(|row| is_meant(row, scope) && cost(row, &book) != row.cost);
    let keys: Keys = changed.map(LlmRow::key).collect();
    let changed = match keys.traces.is_empty() {
        true => 0,
        false => write(connection, stretch, &keys, &book).await?,
    };
    Ok(Batch { done: rows.len() as u64, changed, next: rows.last().map(|row| Cursor::Span(row.key())) })
}

async fn look(
    connection: &WriterConnection,
    stretch: Stretch,
    cursor: Cursor,
    project: Option<ProjectId>,
    limit: u32,
) -> Result<Vec<LlmRow>, Error> {
    let (from, until) = stretch.moments();
    // No trace has the id of zeros, so all rows lie behind it.
    let (trace, span, of) = cursor.key();
    let (trace, span, of) = (trace.unwrap_or_default(), span.unwrap_or_default(), of.unwrap_or_default());
    let (start, project, limit) =
        (moment(cursor.micros()), project.map(|project| project.0), i64::from(limit));
    let parameters: [(&(dyn ToSql + Sync), Type); 8] = [
        (&from, Type::TIMESTAMPTZ),
        (&until, Type::TIMESTAMPTZ),
        (&trace, Type::UUID),
        (&start, Type::TIMESTAMPTZ),
        (&span, Type::BYTEA),
        (&of, Type::INT4),
        (&project, Type::INT4),
        (&limit, Type::INT8),
    ];
    let rows = connection.query_typed(LOOK.sql(), &parameters).await?;
    rows.iter().map(read).collect()
}

async fn write(
    connection: &WriterConnection,
    stretch: Stretch,
    keys: &Keys,
    book: &PriceBook,
) -> Result<u64, Error> {
    let (from, until) = stretch.moments();
    let locked = connection.query_typed(LOCK.sql(), &of(keys, &from, &until)).await?;
    let locked = locked.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let costs: Vec<_> = locked.iter().map(|row| cost(row, book)).collect();
    let keys: Keys = locked.iter().map(LlmRow::key).collect();
    let amounts: Vec<_> = costs.iter().map(|cost| cost.map(|cost| cost.amount)).collect();
    let prices: Vec<_> = costs.iter().map(|cost| cost.map(|cost| cost.price_id)).collect();
    let currencies: Vec<_> = costs.iter().map(|cost| foreign(cost.as_ref()).map(str::to_owned)).collect();
    let mut parameters = of(&keys, &from, &until).to_vec();
    parameters.push((&amounts, Type::INT8_ARRAY));
    parameters.push((&currencies, Type::TEXT_ARRAY));
    parameters.push((&prices, Type::INT8_ARRAY));
    Ok(connection.execute_typed(WRITE.sql(), &parameters).await?)
}

/// The parameters `$1` to `$6` of a statement about these rows.
fn of<'k>(
    keys: &'k Keys,
    from: &'k SystemTime,
    until: &'k SystemTime,
) -> [(&'k (dyn ToSql + Sync), Type); 6] {
    [
        (&keys.traces, Type::UUID_ARRAY),
        (&keys.starts, Type::TIMESTAMPTZ_ARRAY),
        (&keys.spans, Type::BYTEA_ARRAY),
        (&keys.projects, Type::INT4_ARRAY),
        (from, Type::TIMESTAMPTZ),
        (until, Type::TIMESTAMPTZ),
    ]
}

fn read(row: &tokio_postgres::Row) -> Result<LlmRow, Error> {
    LlmRow::read(&mut Fields::of(row))
}

/// Whether the run is about this row.
fn is_meant(row: &LlmRow, scope: &RunScope) -> bool {
    let names = [&row.reading.request_model, &row.reading.response_model];
    scope.model.as_ref().is_none_or(|model| names.contains(&&Some(model.clone())))
}

/// The cost by the prices of now.
fn cost(row: &LlmRow, book: &PriceBook) -> Option<Cost> {
    book.cost(row.project_id, &row.reading, row.start_time, row.duration_nanos).ok()
}
