//! Ways to write rows.
//!
//! * [`CopyWriter`] sends rows of one table through binary COPY, and nothing else.
//! * [`TraceWriter`], [`MetricWriter`] and [`LogWriter`] gather rows, and write them with all that belongs to them
//!   (dictionaries, summaries) in one transaction; by INSERT unless configured otherwise.
//! * [`commit`] is that transaction, for callers with batches and connections of their own; [`commit_requests`] is the
//!   same with the [`ledger`], which makes a request that comes again harmless.

pub mod copy;
pub mod dictionary;
mod insert;
pub mod ledger;
pub mod log;
pub mod metric;
pub mod rejection;
pub mod request;
pub mod trace;
mod transaction;

use std::collections::BTreeSet;

use llm_observatory_core::time::Day;
use tokio_postgres::Client;

use crate::config::WriteMethod;
use crate::error::{Error, Failure};
use crate::pool::StoragePool;

pub use crate::postgres::{WriterConnection, writer as connection};
pub use copy::CopyWriter;
pub use dictionary::Dictionary;
pub use log::{LogBatch, LogWriter};
pub use metric::{MetricBatch, MetricWriter};
pub use rejection::RejectionRow;
pub use request::{Outcome, Request, Search, commit_apart, commit_requests, is_refusal};
pub use trace::{TraceBatch, TraceWriter};

/// Every fixed statement with its name, module by module.
pub const STATEMENTS: &[&[(&str, &str)]] = &[ledger::STATEMENTS, rejection::STATEMENTS, trace::STATEMENTS];

/// What became of the records of a batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Records that are stored now and were not before.
    pub stored: u64,
    /// Records whose key was there already.
    pub duplicates: u64,
    /// Those of the duplicates that were more complete than what was there, and took its place.
    pub completed: u64,
}

impl std::ops::AddAssign for Written {
    fn add_assign(&mut self, other: Self) {
        self.stored += other.stored;
        self.duplicates += other.duplicates;
        self.completed += other.completed;
    }
}

/// How the rows of a batch go into their table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// COPY: the fastest, and it fails when a key is there already.
    Copy,
    /// COPY into a staging table, and from there what is new.
    Staged,
    /// Prepared INSERT statements, which fail likewise.
    Insert,
}

/// The rows of one signal: its records, and the dictionary rows that they point at.
pub trait Rows: Sync {
    /// One record.
    type Record: Sync;
    /// The signal in the tables of the ledger: 1 traces, 2 metrics, 3 logs.
    const SIGNAL: i16;

    /// The records.
    fn records(&self) -> &[Self::Record];

    /// Writes the dictionary rows that are not known to be there, outside of any transaction.
    fn ensure_dictionaries(
        batches: &[&Self],
        connection: &WriterConnection,
        dictionary: &Dictionary,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Writes records with all that depends on them, within the transaction that is open. Gives what became of each slice.
    fn write(
        slices: &[&[Self::Record]],
        connection: &WriterConnection,
        way: Way,
    ) -> impl Future<Output = Result<Vec<Written>, Error>> + Send;
}

/// Writes the batches in one transaction and returns after COMMIT. A record that is stored already is left as it is,
/// unless the new one is a span that is more complete.
///
/// # Errors
/// What PostgreSQL says. After a lost connection it is unknown whether the batch was committed: run it again, spans and
/// data points are not stored twice.
pub async fn commit<B: Rows>(
    connection: &WriterConnection,
    dictionary: &Dictionary,
    batches: &[B],
    method: WriteMethod,
) -> Result<Written, Error> {
    let batches: Vec<_> = batches.iter().collect();
    B::ensure_dictionaries(&batches, connection, dictionary).await?;
    let slices: Vec<_> = batches.iter().map(|batch| batch.records()).collect();
    let run = |way| transaction::run(connection, B::write(&slices, connection, way));
    let way = match method {
        WriteMethod::Insert => Way::Insert,
        WriteMethod::Copy => Way::Copy,
    };
    let written = match run(way).await {
        Err(error) if error.failure() == Failure::Duplicate => run(Way::Staged).await?,
        result => result?,
    };
    Ok(written.into_iter().fold(Written::default(), |mut all, one| {
        all += one;
        all
    }))
}

/// The rows of one kind out of all batches.
fn all<'b, B, R>(batches: &[&'b B], rows: fn(&B) -> &Vec<R>) -> Vec<&'b R> {
    batches.iter().flat_map(|batch| rows(batch)).collect()
}

/// The records of all slices, each with the number of its slice.
fn numbered<'r, R>(slices: &[&'r [R]]) -> Vec<(usize, &'r R)> {
    slices.iter().enumerate().flat_map(|(n, slice)| slice.iter().map(move |record| (n, record))).collect()
}

/// Every record of the slices is new.
fn all_stored<R>(slices: &[&[R]]) -> Vec<Written> {
    slices.iter().map(|slice| Written { stored: slice.len() as u64, ..Written::default() }).collect()
}

/// A `timestamptz` column as microseconds since 1970, exactly.
fn micros(column: &str) -> String {
    format!("(extract(epoch FROM {column}) * 1000000)::bigint")
}

/// Makes the partitions that the days need.
async fn make_partitions(pool: &StoragePool, client: &Client, days: BTreeSet<Day>) -> Result<(), Error> {
    match pool.partitions().ensure(client, &days).await?.0.len() {
        0 => Ok(()),
        refused => Err(Error::TooManyDays(refused)),
    }
}
