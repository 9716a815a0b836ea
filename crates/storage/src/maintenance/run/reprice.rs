//! Computes the cost of stored LLM spans by the prices of now.
//!
//! Rows are read without locks, and only those whose cost changes are locked, read again and written. A row that a writer
//! adds or replaces meanwhile has the prices of now already: each transaction that writes costs holds the prices' lock in
//! share mode, which whoever changes a price takes exclusively.

use llm_observatory_genai::prices::PriceBook;
use tokio_postgres::types::Type;

use super::batch::Batch;
use super::keys::{KEYS, Keys};
use super::piece::Piece;
use super::stretch::Cursor;
use crate::error::Error;
use crate::models::LlmRow;
use crate::models::llm::foreign;
use crate::statement::Statement;

static WRITE: Statement = Statement::composed("reprice: write", || {
    format!(
        "UPDATE trace_llm_spans AS llm SET cost_nanos = of.cost, cost_currency = of.currency, price_id = of.price \
         FROM {}, $7::bigint[], $8::text[], $9::bigint[]) \
              AS of (trace_id, start_time, span_id, project_id, cost, currency, price) \
         WHERE (llm.trace_id, llm.start_time, llm.span_id, llm.project_id) \
             = (of.trace_id, of.start_time, of.span_id, of.project_id) AND llm.start_time >= $5 AND llm.start_time < $6",
        KEYS.trim_end_matches(')')
    )
});

/// The statements of this module.
pub(super) const STATEMENTS: &[&Statement] = &[&WRITE];

pub(super) async fn batch(piece: Piece<'_>) -> Result<Batch, Error> {
    let book = piece.connection.prices().for_transaction(piece.connection).await?;
    let rows = piece.llm_spans().await?;
    let is_meant =
        |row: &&LlmRow| piece.scope.names([&row.reading.request_model, &row.reading.response_model]);
    let changed = rows.iter().filter(is_meant).filter(|row| row.cost_by(&book) != row.cost);
    let keys = Keys::of(piece.stretch, changed.map(LlmRow::key));
    let changed = if keys.is_empty() { 0 } else { write(piece, &keys, &book).await? };
    Ok(Batch { done: rows.len() as u64, changed, next: rows.last().map(|row| Cursor::Span(row.key())) })
}

async fn write(piece: Piece<'_>, keys: &Keys, book: &PriceBook) -> Result<u64, Error> {
    let locked = keys.lock(piece.connection).await?;
    let costs: Vec<_> = locked.iter().map(|row| row.cost_by(book)).collect();
    let keys = Keys::of(piece.stretch, locked.iter().map(LlmRow::key));
    let amounts: Vec<_> = costs.iter().map(|cost| cost.map(|cost| cost.amount)).collect();
    let prices: Vec<_> = costs.iter().map(|cost| cost.map(|cost| cost.price_id)).collect();
    let currencies: Vec<_> = costs.iter().map(|cost| foreign(cost.as_ref()).map(str::to_owned)).collect();
    let mut parameters = keys.parameters();
    parameters.push((&amounts, Type::INT8_ARRAY));
    parameters.push((&currencies, Type::TEXT_ARRAY));
    parameters.push((&prices, Type::INT8_ARRAY));
    Ok(piece.connection.execute_typed(WRITE.sql(), &parameters).await?)
}
