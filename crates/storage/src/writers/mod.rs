//! Ways to write rows.
//!
//! * [`CopyWriter`] sends rows of one table through binary COPY, and nothing else.
//! * [`TraceWriter`], [`MetricWriter`] and [`LogWriter`] gather rows, and write them with all that belongs to them
//!   (dictionaries, summaries) in one transaction; by INSERT unless configured otherwise.
//! * [`trace::commit`], [`metric::commit`] and [`log::commit`] are those transactions, for callers with batches and
//!   connections of their own.

pub mod copy;
pub mod dictionary;
mod insert;
pub mod log;
pub mod metric;
pub mod trace;
mod transaction;

use std::collections::BTreeSet;

use llm_observatory_core::time::Day;
use tokio_postgres::Client;

use crate::error::Error;
use crate::pool::StoragePool;

pub use copy::CopyWriter;
pub use dictionary::Dictionary;
pub use log::{LogBatch, LogWriter};
pub use metric::{MetricBatch, MetricWriter};
pub use trace::{TraceBatch, TraceWriter};

/// What became of the rows of a batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Rows that are stored now and were not before.
    pub stored: u64,
    /// Rows that were stored already.
    pub duplicates: u64,
}

/// The rows of one kind out of all batches.
fn all<B, R>(batches: &[B], rows: fn(&B) -> &Vec<R>) -> Vec<&R> {
    batches.iter().flat_map(rows).collect()
}

/// Makes the partitions that the days need.
async fn make_partitions(pool: &StoragePool, client: &Client, days: BTreeSet<Day>) -> Result<(), Error> {
    match pool.partitions().ensure(client, &days).await?.0.len() {
        0 => Ok(()),
        refused => Err(Error::TooManyDays(refused)),
    }
}
