//! Batches: the rows of one signal, with their dictionary rows, and the counts of a written batch.

use llm_observatory_core::signal::Signal;
use llm_observatory_core::time::Day;

use super::dictionary::Dictionary;
use crate::error::Error;
use crate::maintenance::partitions::DeclinedDays;
use crate::postgres::writer::WriterConnection;

/// How many records of a batch were stored, and how many were stored before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RecordCounts {
    /// Number of newly stored records.
    pub stored: u64,
    /// Number of records whose key was stored already.
    pub duplicates: u64,
    /// Number of duplicates that were more complete than the stored record, and replaced it.
    pub completed: u64,
}

impl RecordCounts {
    /// The counts of each slice if all its records are new.
    pub(super) fn all_stored<R>(slices: &[&[R]]) -> Vec<Self> {
        slices.iter().map(|slice| Self { stored: slice.len() as u64, ..Self::default() }).collect()
    }

    /// The counts of each slice if all its records are duplicates.
    pub(super) fn all_duplicates<R>(slices: &[&[R]]) -> Vec<Self> {
        slices.iter().map(|slice| Self { duplicates: slice.len() as u64, ..Self::default() }).collect()
    }

    /// Moves one record from the duplicates to the stored records.
    pub(super) fn is_new(&mut self) {
        self.stored += 1;
        self.duplicates -= 1;
    }
}

impl std::ops::AddAssign for RecordCounts {
    fn add_assign(&mut self, other: Self) {
        self.stored += other.stored;
        self.duplicates += other.duplicates;
        self.completed += other.completed;
    }
}

impl std::iter::Sum for RecordCounts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), |mut sum, counts| {
            sum += counts;
            sum
        })
    }
}

/// How the rows of a batch are written to their table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// COPY: the fastest way. It fails if a key is stored already.
    Copy,
    /// COPY into a staging table, and INSERT of the new rows from there.
    Staged,
    /// Prepared INSERT statements. They fail if a key is stored already.
    Insert,
}

/// The rows of one signal: records, and the dictionary rows that they refer to.
///
/// A batch holds the rows of one request or of several.
pub trait Batch: Default + Send + Sync {
    /// The row type of a record.
    type Record: Send + Sync;
    /// The signal of the records.
    const SIGNAL: Signal;

    /// The records.
    fn records(&self) -> &[Self::Record];

    /// The records, for changes.
    fn records_mut(&mut self) -> &mut Vec<Self::Record>;

    /// The day of the partition that the record needs.
    fn day(record: &Self::Record) -> Day;

    /// The signal whose tables records may also go to, beside their own.
    const ALSO: Option<Signal> = None;

    /// The day of the partition that the record needs there; `None` if it does not go there.
    fn day_also(_: &Self::Record) -> Option<Day> {
        None
    }

    /// Keeps the records of these days out of there. Returns the number of rows that are left out.
    fn leave_out(&mut self, _: &DeclinedDays) -> usize {
        0
    }

    /// Adds the rows of `other`.
    fn append(&mut self, other: Self);

    /// Whether the batch holds no rows of any kind.
    fn is_empty(&self) -> bool;

    /// Writes the dictionary rows that `dictionary` does not know as stored, outside of any transaction.
    ///
    /// # Errors
    /// [`Error::Postgres`] when PostgreSQL does not take a row, [`Error::Unavailable`] when the connection is lost.
    fn ensure_dictionaries(
        batches: &[&Self],
        connection: &WriterConnection,
        dictionary: &Dictionary,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Writes records and their dependent rows (events, trace summaries) in the open transaction. Returns the counts of
    /// each slice.
    ///
    /// # Errors
    /// [`Error::Postgres`] when PostgreSQL does not take a row, [`Error::Unavailable`] when the connection is lost. The
    /// caller must then roll back.
    fn write(
        slices: &[&[Self::Record]],
        connection: &WriterConnection,
        way: Way,
    ) -> impl Future<Output = Result<Vec<RecordCounts>, Error>> + Send;

    /// Writes the rows of the batch that are neither records nor dictionary rows, in the open transaction.
    ///
    /// Only [`commit`](super::commit) calls this. A request holds no such rows: [`Self::write`] writes all rows of
    /// its records, so that a rejected record takes its rows with it.
    ///
    /// # Errors
    /// Those of [`Self::write`].
    fn write_rest(&self, _: &WriterConnection) -> impl Future<Output = Result<(), Error>> + Send {
        async { Ok(()) }
    }
}

/// The rows of one kind of all batches.
pub(super) fn all<'b, B, R>(batches: &[&'b B], rows: fn(&B) -> &Vec<R>) -> Vec<&'b R> {
    batches.iter().flat_map(|batch| rows(batch)).collect()
}

/// The records of all slices, each with the index of its slice.
pub(super) fn numbered<'r, R>(slices: &[&'r [R]]) -> Vec<(usize, &'r R)> {
    slices.iter().enumerate().flat_map(|(n, slice)| slice.iter().map(move |record| (n, record))).collect()
}

/// SQL for a `timestamptz` column as microseconds since 1970, without rounding.
pub(crate) fn micros(column: &str) -> String {
    format!("(extract(epoch FROM {column}) * 1000000)::bigint")
}
