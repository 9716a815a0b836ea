//! Writes the calls that log records tell, as rows of LLM spans.

use llm_observatory_genai::prices::PriceBook;

use crate::error::{Error, Failure};
use crate::models::{LlmRow, LogRow};
use crate::postgres::writer::WriterConnection;
use crate::tally::LlmCounts;
use crate::writers::batch::Way;
use crate::writers::copy::copy_rows;
use crate::writers::{insert, transaction};

/// Writes the calls of `logs` in the open transaction. A call that is stored already stays as it is: the same record came in
/// another request.
///
/// [`Way::Staged`] comes after a way that failed. Then PostgreSQL may not take the calls, and that costs no record: they are
/// left out.
pub(super) async fn write(connection: &WriterConnection, logs: &[&LogRow], way: Way) -> Result<(), Error> {
    let mut calls: Vec<LlmRow> = logs.iter().filter_map(|log| log.call.as_deref().cloned()).collect();
    if calls.is_empty() {
        return Ok(());
    }
    let book = connection.prices().for_transaction(connection).await?;
    price(&mut calls, &book);
    match way {
        Way::Copy => {
            copy_rows(connection, &calls.iter().collect::<Vec<_>>()).await?;
        }
        Way::Insert => insert_new(connection, &mut calls).await?,
        Way::Staged => {
            let inserted = transaction::nested(connection, insert_new(connection, &mut calls)).await;
            match inserted {
                Err(error) if is_of_calls(&error) => {
                    tracing::debug!(calls = calls.len(), %error, "calls of log records are not stored");
                    return Ok(());
                }
                inserted => inserted?,
            }
        }
    }
    connection.tally().add(LlmCounts::of(&calls));
    Ok(())
}

/// Sorts the calls by key, as all writers do, and computes their costs.
fn price(calls: &mut [LlmRow], book: &PriceBook) {
    calls.sort_by_key(LlmRow::key);
    calls.iter_mut().for_each(|call| call.price(book));
}

/// Inserts the calls that are not stored yet, and keeps those.
async fn insert_new(connection: &WriterConnection, calls: &mut Vec<LlmRow>) -> Result<(), Error> {
    let is_new = insert::insert(connection, &calls.iter().collect::<Vec<_>>()).await?;
    let mut is_new = is_new.into_iter();
    calls.retain(|_| is_new.next().unwrap_or(false));
    Ok(())
}

/// Whether it is the calls that PostgreSQL does not take.
fn is_of_calls(error: &Error) -> bool {
    matches!(error.failure(), Failure::Data | Failure::Duplicate | Failure::NoPartition)
}
