//! Commits batches without the ledger.

use super::batch::{Batch, RecordCounts, Way};
use super::dictionary::Dictionary;
use super::transaction;
use crate::config::WriteMethod;
use crate::error::{Error, Failure};
use crate::postgres::writer::WriterConnection;

/// Writes the batches in one transaction, and returns after COMMIT. A stored record remains as it is; only a more
/// complete version of a span replaces the stored one.
///
/// # Errors
/// [`Error::Postgres`] when PostgreSQL does not take a row and [`Error::Unavailable`] when the connection is lost:
/// nothing is committed. [`Error::InDoubt`] when the answer of COMMIT is lost: run it again. This stores log
/// records a second time, but no span or data point.
pub async fn commit<B: Batch>(
    connection: &WriterConnection,
    dictionary: &Dictionary,
    batches: &[B],
    method: WriteMethod,
) -> Result<RecordCounts, Error> {
    let batches: Vec<&B> = batches.iter().collect();
    B::ensure_dictionaries(&batches, connection, dictionary).await?;
    let slices: Vec<_> = batches.iter().map(|batch| batch.records()).collect();
    let run = |way| {
        let (slices, batches) = (&slices, &batches);
        transaction::run(connection, async move {
            for batch in batches {
                batch.write_rest(connection).await?;
            }
            B::write(slices, connection, way).await
        })
    };
    let way = match method {
        WriteMethod::Insert => Way::Insert,
        WriteMethod::Copy => Way::Copy,
    };
    let counts = match run(way).await {
        Err(error) if error.failure() == Failure::Duplicate => run(Way::Staged).await?,
        result => result?,
    };
    Ok(counts.into_iter().sum())
}
