//! Export requests, committed with the ledger: each exactly once, however often it comes.

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
    /// 128 bits of the hash of its decompressed bytes.
    pub hash: Uuid,
    /// Whose it is.
    pub project_id: ProjectId,
    /// Its records, with all that they point at.
    pub batch: B,
    /// How many further records it had, which can never be stored.
    pub rejected: u64,
    /// Those of them that are kept.
    pub rejections: Vec<RejectionRow>,
}

/// What became of a request in a transaction that is committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Committed {
    /// It is stored now.
    New(RecordCounts),
    /// It was stored before.
    Known {
        /// How many of its records can never be stored.
        rejected: u64,
        /// Where those stand that PostgreSQL did not take.
        unstorable: Vec<String>,
        /// How often it has come again by now: 1 is the first time.
        duplicates: u64,
    },
}

impl<B: Batch> RequestRows<B> {
    /// What is known of a request that was committed before.
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

/// Commits the requests, no two of which may be the same, in one transaction. Returns what became of each.
///
/// # Errors
/// [`Error::Postgres`] and [`Error::Unavailable`]: nothing is committed. [`Error::InDoubt`]: perhaps all of it is. Run it again:
/// what was committed is known by then.
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

/// Commits one request whose records PostgreSQL did not take together: looks by halves for those that it does not take,
/// and stores the others. `reject` makes a dead letter: of the record with the first number, under the second one.
///
/// Returns what became of the request, and the numbers of the records that are rejected.
///
/// # Errors
/// As [`commit_requests`].
pub async fn commit_apart<B: Batch>(
    connection: &WriterConnection,
    dictionary: &Dictionary,
    request: &RequestRows<B>,
    search: Search,
    reject: impl Fn(usize, usize, &Error) -> Option<RejectionRow> + Sync,
) -> Result<(Committed, Vec<usize>), Error> {
    let of_all = match B::ensure_dictionaries(&[&request.batch], connection, dictionary).await {
        Ok(()) => None,
        // What all of its records point at can't be held, so none of them can.
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

/// How far unstorable records are looked for one by one. Beyond that, what PostgreSQL does not take together is rejected
/// together.
#[derive(Debug, Clone, Copy)]
pub struct Search {
    /// Most unstorable records of one request.
    pub most: usize,
    /// When it must come to an end, since a transaction has a limit too.
    pub until: Instant,
}

impl Search {
    fn is_over(&self, rejected: usize) -> bool {
        rejected >= self.most || Instant::now() >= self.until
    }
}

/// Whether PostgreSQL does not take a record, and will not the next time. A key that is there already was left out before,
/// so one that still stands in the way is not ours.
pub fn is_unstorable(error: &Error) -> bool {
    matches!(error.failure(), Failure::Data | Failure::Duplicate)
}

/// Stores the records that PostgreSQL takes. Returns the numbers of the others, each with its error.
async fn store_apart<B: Batch>(
    connection: &WriterConnection,
    records: &[B::Record],
    search: Search,
) -> Result<(RecordCounts, Vec<(usize, Arc<Error>)>), Error> {
    let (mut counts, mut unstorable) = (RecordCounts::default(), Vec::new());
    // Each part with the number of its first record; the last one is next.
    let mut parts = vec![(0, records)];
    while let Some((first, part)) = parts.pop() {
        match transaction::nested(connection, B::write(&[part], connection, Way::Staged)).await {
            Ok(stored) => stored.into_iter().for_each(|stored| counts += stored),
            // Whoever comes here has tried to make the partitions that are missing.
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
