//! Writes the calls that log records tell, as rows of LLM spans.

use llm_observatory_genai::prices::PriceBook;

use crate::error::{Error, Failure};
use crate::models::{LlmRow, LogRow};
use crate::postgres::writer::WriterConnection;
use crate::tally::LlmCounts;
use crate::writers::batch::Way;
use crate::writers::copy::copy_rows;
use crate::writers::{insert, transaction};

/// Parts of the calls that PostgreSQL does not take, after which no more parts are tried apart.
const MOST_REFUSED: usize = 100;

/// Writes the calls of `logs` in the open transaction. A call that is stored already stays as it is: the same record came in
/// another request.
///
/// [`Way::Staged`] comes after a way that failed. Then calls that PostgreSQL does not take are left out, and cost no record.
pub(super) async fn write(connection: &WriterConnection, logs: &[&LogRow], way: Way) -> Result<(), Error> {
    let mut calls: Vec<LlmRow> = logs.iter().filter_map(|log| log.call.as_deref().cloned()).collect();
    if calls.is_empty() {
        return Ok(());
    }
    let book = connection.prices().for_transaction(connection).await?;
    price(&mut calls, &book);
    let calls: Vec<&LlmRow> = calls.iter().collect();
    let new = match way {
        Way::Copy => copy_rows(connection, &calls).await.map(|_| calls)?,
        Way::Insert => insert_new(connection, &calls).await?,
        Way::Staged => insert_apart(connection, &calls).await?,
    };
    connection.tally().add(LlmCounts::of(new));
    Ok(())
}

/// Inserts calls in the open transaction, without those that are stored already and those that PostgreSQL does not take. They
/// have their costs. Returns how many were inserted.
pub(crate) async fn insert_calls(
    connection: &WriterConnection,
    mut calls: Vec<LlmRow>,
) -> Result<u64, Error> {
    calls.sort_by_key(LlmRow::key);
    Ok(insert_apart(connection, &calls.iter().collect::<Vec<_>>()).await?.len() as u64)
}

/// Sorts the calls by key, as all writers do, and computes their costs.
fn price(calls: &mut [LlmRow], book: &PriceBook) {
    calls.sort_by_key(LlmRow::key);
    calls.iter_mut().for_each(|call| call.price(book));
}

/// Inserts the calls that are not stored yet, and returns those.
pub(crate) async fn insert_new<'c>(
    connection: &WriterConnection,
    calls: &[&'c LlmRow],
) -> Result<Vec<&'c LlmRow>, Error> {
    let is_new = insert::insert(connection, calls).await?;
    Ok(calls.iter().zip(is_new).filter(|(_, is_new)| *is_new).map(|(call, _)| *call).collect())
}

/// As [`insert_new`], without the calls that PostgreSQL does not take.
async fn insert_apart<'c>(
    connection: &WriterConnection,
    calls: &[&'c LlmRow],
) -> Result<Vec<&'c LlmRow>, Error> {
    let inserted = by_halves(connection, calls, |part| insert_new(connection, part)).await?;
    Ok(inserted.into_iter().flatten().collect())
}

/// Writes calls in the open transaction, by `write`, without those that PostgreSQL does not take, which it finds by halves: each
/// part is behind a savepoint. Returns what `write` gave.
pub(crate) async fn by_halves<'c, C, T, W>(
    connection: &WriterConnection,
    calls: &'c [C],
    write: impl Fn(&'c [C]) -> W,
) -> Result<Vec<T>, Error>
where
    W: Future<Output = Result<T, Error>>,
{
    let (mut written, mut refused) = (Vec::new(), 0);
    let mut parts = vec![calls]; // the last part is next
    while let Some(part) = parts.pop() {
        match transaction::nested(connection, write(part)).await {
            Ok(one) => written.push(one),
            Err(error) if !is_of_calls(&error) => return Err(error),
            Err(error) if part.len() <= 1 || refused >= MOST_REFUSED => {
                refused += 1;
                tracing::debug!(calls = part.len(), %error, "calls of log records are left out");
            }
            Err(_) => {
                let (left, right) = part.split_at(part.len() / 2);
                parts.extend([right, left]);
            }
        }
    }
    Ok(written)
}

/// Whether it is the calls that PostgreSQL does not take.
fn is_of_calls(error: &Error) -> bool {
    matches!(error.failure(), Failure::Data | Failure::Duplicate | Failure::NoPartition)
}
