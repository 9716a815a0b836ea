//! Batches: rows of one signal with all that they point at, and what becomes of their records.

use llm_observatory_core::signal::Signal;
use llm_observatory_core::time::Day;

use super::dictionary::Dictionary;
use crate::error::Error;
use crate::postgres::writer::WriterConnection;

/// What became of the records of a batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RecordCounts {
    /// Records that are stored now and were not before.
    pub stored: u64,
    /// Records whose key was there already.
    pub duplicates: u64,
    /// Those of the duplicates that were more complete than what was there, and took its place.
    pub completed: u64,
}

impl RecordCounts {
    /// Every record of each slice is new.
    pub(super) fn all_stored<R>(slices: &[&[R]]) -> Vec<Self> {
        slices.iter().map(|slice| Self { stored: slice.len() as u64, ..Self::default() }).collect()
    }

    /// Every record of each slice is there already.
    pub(super) fn all_duplicates<R>(slices: &[&[R]]) -> Vec<Self> {
        slices.iter().map(|slice| Self { duplicates: slice.len() as u64, ..Self::default() }).collect()
    }

    /// One of the records that counted as duplicates is new.
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

/// How the rows of a batch go into their table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// COPY: the fastest, and it fails when a key is there already.
    Copy,
    /// COPY into a staging table, and from there what is new.
    Staged,
    /// Prepared INSERT statements, which fail when a key is there already.
    Insert,
}

/// Rows of one signal: its records, and the dictionary rows that they point at.
///
/// A batch may be one request's, or be put together from several.
pub trait Batch: Default + Send + Sync {
    /// One record.
    type Record: Send + Sync;
    /// Whose records these are.
    const SIGNAL: Signal;

    /// The records.
    fn records(&self) -> &[Self::Record];

    /// The records, to take some out.
    fn records_mut(&mut self) -> &mut Vec<Self::Record>;

    /// The day whose partition the record needs.
    fn day(record: &Self::Record) -> Day;

    /// Adds what `other` holds.
    fn append(&mut self, other: Self);

    /// Whether there is nothing to write.
    fn is_empty(&self) -> bool;

    /// Writes the dictionary rows that are not known to be stored, outside of any transaction.
    ///
    /// # Errors
    /// [`Error::Postgres`] and [`Error::Unavailable`].
    fn ensure_dictionaries(
        batches: &[&Self],
        connection: &WriterConnection,
        dictionary: &Dictionary,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Writes records with all that depends on them, within the transaction that is open. Returns what became of each slice.
    ///
    /// # Errors
    /// [`Error::Postgres`] and [`Error::Unavailable`]; then the transaction must be rolled back.
    fn write(
        slices: &[&[Self::Record]],
        connection: &WriterConnection,
        way: Way,
    ) -> impl Future<Output = Result<Vec<RecordCounts>, Error>> + Send;

    /// Writes what a batch holds besides records and dictionary rows, within the transaction that is open.
    ///
    /// Only [`commit`](super::commit) does so. What comes with a request belongs to its records: they are written, halved or
    /// rejected with all that is theirs, by [`Self::write`].
    ///
    /// # Errors
    /// As [`Self::write`].
    fn write_rest(&self, _: &WriterConnection) -> impl Future<Output = Result<(), Error>> + Send {
        async { Ok(()) }
    }
}

/// The rows of one kind out of all batches.
pub(super) fn all<'b, B, R>(batches: &[&'b B], rows: fn(&B) -> &Vec<R>) -> Vec<&'b R> {
    batches.iter().flat_map(|batch| rows(batch)).collect()
}

/// The records of all slices, each with the number of its slice.
pub(super) fn numbered<'r, R>(slices: &[&'r [R]]) -> Vec<(usize, &'r R)> {
    slices.iter().enumerate().flat_map(|(n, slice)| slice.iter().map(move |record| (n, record))).collect()
}

/// A `timestamptz` column as microseconds since 1970, exactly.
pub(super) fn micros(column: &str) -> String {
    format!("(extract(epoch FROM {column}) * 1000000)::bigint")
}
