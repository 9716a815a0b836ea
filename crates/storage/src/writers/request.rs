//! Commits requests with the ledger, each exactly once even if a client repeats it.

use std::sync::Arc;
use std::time::Instant;

use llm_observatory_core::ids::ProjectId;
use uuid::Uuid;

use super::batch::{Batch, RecordCounts, Way};
use super::dictionary::Dictionary;
use super::ledger::{self, Entry, Known};
use super::rejection::{RejectionRow, unstorable_places};
use super::{insert, transaction};
use crate::error::{Error, Failure};
use crate::postgres::writer::WriterConnection;

/// The rows of one request.
#[derive(Debug)]
pub struct RequestRows<B> {
    /// 128 bits of the hash of the decompressed request.
    pub hash: Uuid,
    /// Project of the request.
    pub project_id: ProjectId,
    /// Records of the request, without rejected ones, with their dictionary rows.
    pub batch: B,
    /// Number of records that were rejected before.
    pub rejected: u64,
    /// Dead letters of rejected records; may be fewer than `rejected`.
    pub rejections: Vec<RejectionRow>,
}

/// The outcome of a request in a committed transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Committed {
    /// This transaction stored the request.
    New(RecordCounts),
    /// An earlier transaction stored the request.
    Known {
        /// Number of its rejected records.
        rejected: u64,
        /// Places of the records that PostgreSQL did not take, at most 100.
        unstorable: Vec<String>,
        /// Number of repetitions of the request, with this one.
        duplicates: u64,
    },
}

impl<B: Batch> RequestRows<B> {
    /// The outcome of a request that was stored before.
    async fn recall(&self, connection: &WriterConnection, known: Known) -> Result<Committed, Error> {
        let Known { rejected, duplicates } = known;
        let unstorable = match rejected > self.rejected {
            true => unstorable_places(connection, self.hash, self.project_id, B::SIGNAL).await?,
            false => Vec::new(),
        };
        Ok(Committed::Known { rejected, unstorable, duplicates })
    }

    fn entry(&self) -> Entry {
        Entry {
            hash: self.hash,
            project_id: self.project_id,
            records: self.batch.records().len() as u64 + self.rejected,
            rejected: self.rejected,
        }
    }
}

/// Commits distinct requests in one transaction. Returns the outcome of each.
///
/// # Errors
/// [`Error::Postgres`] when PostgreSQL does not take a row and [`Error::Unavailable`] when the connection is lost:
/// nothing is committed. [`Error::InDoubt`] when the answer of COMMIT is lost: run it again, and the ledger tells
/// whether the requests were stored.
pub async fn commit_requests<B: Batch>(
    connection: &WriterConnection,
    dictionary: &Dictionary,
    requests: &[&RequestRows<B>],
) -> Result<Vec<Committed>, Error> {
    let batches: Vec<_> = requests.iter().map(|request| &request.batch).collect();
    B::ensure_dictionaries(&batches, connection, dictionary).await?;
    match transaction::run(connection, write(connection, requests, Way::Copy)).await {
        Err(error) if error.failure() == Failure::Duplicate => {
            transaction::run(connection, write(connection, requests, Way::Staged)).await
        }
        result => result,
    }
}

async fn write<B: Batch>(
    connection: &WriterConnection,
    requests: &[&RequestRows<B>],
    way: Way,
) -> Result<Vec<Committed>, Error> {
    let entries: Vec<_> = requests.iter().map(|request| request.entry()).collect();
    let known = ledger::record(connection, B::SIGNAL, &entries).await?;
    let new =
        || requests.iter().zip(&known).filter(|(_, known)| known.is_none()).map(|(request, _)| *request);
    let slices: Vec<_> = new().map(|request| request.batch.records()).collect();
    let mut written = match slices.iter().all(|slice| slice.is_empty()) {
        true => vec![RecordCounts::default(); slices.len()],
        false => B::write(&slices, connection, way).await?,
    }
    .into_iter();
    let rejections: Vec<_> = new().flat_map(|request| &request.rejections).collect();
    if !rejections.is_empty() {
        insert::insert(connection, &rejections).await?;
    }
    let mut outcomes = Vec::with_capacity(requests.len());
    for (request, known) in requests.iter().zip(known) {
        outcomes.push(match known {
            Some(known) => request.recall(connection, known).await?,
            None => Committed::New(written.next().unwrap_or_default()),
        });
    }
    Ok(outcomes)
}

/// Commits one request that holds records that PostgreSQL does not take. Splits the records in halves to find these, and
/// stores the others. `reject(record, ordinal, error)` returns the dead letter of such a record, or `None` to keep
/// none.
///
/// Returns the outcome of the request, and the indexes of the rejected records.
///
/// # Errors
/// Those of [`commit_requests`].
pub async fn commit_apart<B: Batch>(
    connection: &WriterConnection,
    dictionary: &Dictionary,
    request: &RequestRows<B>,
    search: Search,
    reject: impl Fn(usize, usize, &Error) -> Option<RejectionRow> + Sync,
) -> Result<(Committed, Vec<usize>), Error> {
    let of_all = match B::ensure_dictionaries(&[&request.batch], connection, dictionary).await {
        Ok(()) => None,
        // PostgreSQL does not take a dictionary row, so no record that may refer to it can be stored.
        Err(error) if is_unstorable(&error) => Some(error),
        Err(error) => return Err(error),
    };
    let work = async {
        let entry = request.entry();
        if let Some(known) = ledger::record(connection, B::SIGNAL, &[entry]).await?.pop().flatten() {
            return Ok((request.recall(connection, known).await?, Vec::new()));
        }
        let (counts, unstorable) = match of_all {
            None => store_apart::<B>(connection, request.batch.records(), search).await?,
            Some(error) => {
                let error = Arc::new(error);
                let all = (0..request.batch.records().len()).map(|n| (n, error.clone()));
                (RecordCounts::default(), all.collect())
            }
        };
        let rejections = unstorable
            .iter()
            .enumerate()
            .filter_map(|(n, (record, error))| reject(*record, request.rejections.len() + n, error));
        let rejections: Vec<_> = request.rejections.iter().cloned().chain(rejections).collect();
        insert::insert(connection, &rejections.iter().collect::<Vec<_>>()).await?;
        let unstorable: Vec<_> = unstorable.into_iter().map(|(record, _)| record).collect();
        ledger::reject(connection, B::SIGNAL, &entry, unstorable.len()).await?;
        Ok((Committed::New(counts), unstorable))
    };
    transaction::run(connection, work).await
}

/// Limits of the search for records that PostgreSQL does not take. Beyond them, records that it does not take
/// together are rejected together.
#[derive(Debug, Clone, Copy)]
pub struct Search {
    /// Refused records of one request after which the search ends.
    pub most: usize,
    /// Time at which the search ends, so that the transaction can still commit in time.
    pub until: Instant,
}

impl Search {
    fn is_over(&self, rejected: usize) -> bool {
        rejected >= self.most || Instant::now() >= self.until
    }
}

/// Whether PostgreSQL does not take a record, now and at every retry. Staged writes ignore rows whose key is stored, so
/// [`Failure::Duplicate`] here comes from a unique constraint that an operator added.
fn is_unstorable(error: &Error) -> bool {
    matches!(error.failure(), Failure::Data | Failure::Duplicate)
}

/// Stores the records that PostgreSQL accepts. Returns the indexes of the others, each with its error.
async fn store_apart<B: Batch>(
    connection: &WriterConnection,
    records: &[B::Record],
    search: Search,
) -> Result<(RecordCounts, Vec<(usize, Arc<Error>)>), Error> {
    let (mut counts, mut unstorable) = (RecordCounts::default(), Vec::new());
    // Each part with the index of its first record. The last part is next.
    let mut parts = vec![(0, records)];
    while let Some((first, part)) = parts.pop() {
        match transaction::nested(connection, B::write(&[part], connection, Way::Staged)).await {
            Ok(stored) => stored.into_iter().for_each(|stored| counts += stored),
            // The caller has tried to create missing partitions before, so a record without one is rejected.
            Err(error) if !is_unstorable(&error) && error.failure() != Failure::NoPartition => {
                return Err(error);
            }
            Err(error) if part.len() <= 1 || search.is_over(unstorable.len()) => {
                let error = Arc::new(error);
                unstorable.extend((first..first + part.len()).map(|record| (record, error.clone())));
            }
            Err(_) => {
                let (left, right) = part.split_at(part.len() / 2);
                parts.extend([(first + left.len(), right), (first, left)]);
            }
        }
    }
    Ok((counts, unstorable))
}
