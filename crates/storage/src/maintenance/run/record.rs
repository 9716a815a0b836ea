//! What stored log records tell by the rules of now.

use llm_observatory_genai::prices::PriceBook;
use llm_observatory_genai::{Observation, log_call};
use uuid::Uuid;

use crate::error::Error;
use crate::maintenance::family::Family;
use crate::maintenance::partitions::DeclinedDays;
use crate::maintenance::settling::scopes;
use crate::models::{LlmRow, LogRow, ObservedLog};
use crate::pool::StoragePool;
use crate::postgres::writer::WriterConnection;

/// Most log records that are held in memory at once, with all that was said in them.
pub(super) const RECORDS_AT_ONCE: usize = 200;

/// The call that each record tells, with its cost; `None` for a record that tells none.
pub(super) async fn calls_of(
    connection: &WriterConnection,
    mut records: Vec<LogRow>,
    book: &PriceBook,
) -> Result<Vec<(Uuid, Option<LlmRow>)>, Error> {
    let mut calls = Vec::with_capacity(records.len());
    records.sort_by_key(|record| record.project_id);
    for records in records.chunk_by(|one, next| one.project_id == next.project_id) {
        let ids = records.iter().map(|record| record.scope_id);
        let scopes = scopes(connection, records[0].project_id, ids).await?;
        for record in records {
            let observed = ObservedLog::new(record, scopes.get(&record.scope_id))?;
            let told = observed.observe(|observation| match observation {
                Observation::Log(log) => log_call(log),
                Observation::Span(_) => None,
            });
            let call = told.map(|call| {
                let mut row = LlmRow::of_log(&observed.as_sent(record), call);
                row.price(book);
                row
            });
            calls.push((record.id, call));
        }
    }
    Ok(calls)
}

/// The days of these calls that get no partition.
pub(super) async fn declined(pool: &StoragePool, calls: &[LlmRow]) -> Result<DeclinedDays, Error> {
    let days = calls.iter().map(|call| call.start_time.day()).collect();
    pool.ensure_partitions(Family::Traces, &days).await
}
