//! Computes the cost of stored LLM spans by the prices of now.
//!
//! Rows are read without locks, with the version of each, and only those whose cost changes are written, if they still have that
//! version. Where another transaction was faster, the batch is looked at again. A row that a writer adds or replaces meanwhile
//! has the prices of now already: each transaction that writes costs holds the prices' lock in share mode, which whoever changes
//! a price takes exclusively.
//!
//! A batch goes in the order of starts, which is about that of the rows in their table: so it touches few pages of it.

use llm_observatory_genai::prices::Cost;
use tokio_postgres::types::{ToSql, Type};

use super::batch::Batch;
use super::piece::Piece;
use super::stretch::Cursor;
use crate::error::Error;
use crate::models::fields::Fields;
use crate::models::llm::foreign;
use crate::models::llm::priced::PricedRow;
use crate::models::row::ReadRow as _;
use crate::models::time::moment;
use crate::statement::Statement;

/// Keeps the planner to the plans that these statements are made for, however old its statistics are: by the index of starts, and
/// by the place of each row, one after the other. Starting workers takes longer than reading a batch.
static PLANS: Statement = Statement::fixed(
    "reprice: plans",
    "SELECT set_config(name, value, true) FROM (VALUES ('enable_sort', 'off'), ('enable_hashjoin', 'off'), \
       ('enable_mergejoin', 'off'), ('max_parallel_workers_per_gather', '0')) AS setting (name, value)",
);
/// The next rows behind the key `$5` to `$8`. `$3` and `$4` bound their start; [`Piece::look`] has `$1` and `$2`.
static LOOK: Statement = Statement::composed("reprice: look", || {
    format!(
        "SELECT {} FROM trace_llm_spans WHERE start_time >= $3 AND start_time < $4 \
         AND (project_id, start_time, trace_id, span_id) > ($5, $6, $7, $8) AND ($1::integer IS NULL OR project_id = $1) \
         ORDER BY project_id, start_time, trace_id, span_id LIMIT $2",
        PricedRow::COLUMNS
    )
});
/// Locks rows in the order of the parameters, which is that of the key, as all writers do.
static WRITE: Statement = Statement::fixed(
    "reprice: write",
    "UPDATE trace_llm_spans AS llm SET cost_nanos = of.cost, cost_currency = of.currency, price_id = of.price \
     FROM unnest($3::text[], $4::text[], $5::bigint[], $6::text[], $7::bigint[]) AS of (place, version, cost, currency, price) \
     WHERE llm.ctid = of.place::tid AND llm.xmin = of.version::xid AND llm.start_time >= $1 AND llm.start_time < $2",
);

/// The statements of this module.
pub(super) const STATEMENTS: &[&Statement] = &[&PLANS, &LOOK, &WRITE];

/// Does the next rows by the prices of this version, which the open transaction keeps from changing.
pub(super) async fn batch(piece: Piece<'_>, version: i64) -> Result<Batch, Error> {
    let book = piece.connection.prices().of_version(piece.connection, version).await?;
    piece.connection.query_typed(PLANS.sql(), &[]).await?;
    let mut changed = 0;
    loop {
        let rows = look(piece).await?;
        let meant = rows.iter().filter(|row| piece.scope.names(row.models()));
        let mut stale: Vec<_> = meant.map(|row| (row, row.cost_by(&book))).collect();
        stale.retain(|(row, cost)| *cost != row.cost);
        stale.sort_by_key(|(row, _)| row.key);
        let written = write(piece, &stale).await?;
        changed += written;
        if written == stale.len() as u64 {
            let next = rows.last().map(|row| Cursor::Span(row.key));
            return Ok(Batch { done: rows.len() as u64, changed, next });
        }
    }
}

async fn look(piece: Piece<'_>) -> Result<Vec<PricedRow>, Error> {
    let (from, until) = piece.stretch.moments();
    // No trace has the id of zeros, so all rows lie behind it.
    let (trace, span, project) = piece.cursor.key();
    let (trace, span, project) =
        (trace.unwrap_or_default(), span.unwrap_or_default(), project.unwrap_or_default());
    let start = moment(piece.cursor.micros());
    let others: [(&(dyn ToSql + Sync), Type); 6] = [
        (&from, Type::TIMESTAMPTZ),
        (&until, Type::TIMESTAMPTZ),
        (&project, Type::INT4),
        (&start, Type::TIMESTAMPTZ),
        (&trace, Type::UUID),
        (&span, Type::BYTEA),
    ];
    let rows = piece.look(&LOOK, &others).await?;
    rows.iter().map(|row| PricedRow::read(&mut Fields::of(row))).collect()
}

/// Writes the costs of rows that still have the version in which they were read. Returns their number.
async fn write(piece: Piece<'_>, rows: &[(&PricedRow, Option<Cost>)]) -> Result<u64, Error> {
    if rows.is_empty() {
        return Ok(0);
    }
    let (from, until) = piece.stretch.moments();
    let places: Vec<_> = rows.iter().map(|(row, _)| row.place.as_str()).collect();
    let versions: Vec<_> = rows.iter().map(|(row, _)| row.version.as_str()).collect();
    let amounts: Vec<_> = rows.iter().map(|(_, cost)| cost.map(|cost| cost.amount)).collect();
    let currencies: Vec<_> = rows.iter().map(|(_, cost)| foreign(cost.as_ref())).collect();
    let prices: Vec<_> = rows.iter().map(|(_, cost)| cost.map(|cost| cost.price_id)).collect();
    let parameters: [(&(dyn ToSql + Sync), Type); 7] = [
        (&from, Type::TIMESTAMPTZ),
        (&until, Type::TIMESTAMPTZ),
        (&places, Type::TEXT_ARRAY),
        (&versions, Type::TEXT_ARRAY),
        (&amounts, Type::INT8_ARRAY),
        (&currencies, Type::TEXT_ARRAY),
        (&prices, Type::INT8_ARRAY),
    ];
    Ok(piece.connection.execute_typed(WRITE.sql(), &parameters).await?)
}
