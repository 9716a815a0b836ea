//! Log records.

use llm_observatory_core::signal::Signal;
use llm_observatory_core::time::Day;

use super::batch::{Batch, RecordCounts, Way, all};
use super::buffered::BufferedWriter;
use super::copy::copy_rows;
use super::dictionary::Dictionary;
use super::insert;
use crate::error::Error;
use crate::models::{LogRow, ResourceRow, ScopeRow};
use crate::postgres::writer::WriterConnection;

/// Gathers log records and writes them; see [`BufferedWriter`].
pub type LogWriter = BufferedWriter<LogBatch>;

/// Log records with all that they point at.
#[derive(Debug, Clone, Default)]
pub struct LogBatch {
    /// Where they come from.
    pub resources: Vec<ResourceRow>,
    /// The libraries that made them.
    pub scopes: Vec<ScopeRow>,
    /// The records.
    pub logs: Vec<LogRow>,
}

impl Batch for LogBatch {
    type Record = LogRow;
    const SIGNAL: Signal = Signal::Logs;

    fn records(&self) -> &[LogRow] {
        &self.logs
    }

    fn records_mut(&mut self) -> &mut Vec<LogRow> {
        &mut self.logs
    }

    fn day(log: &LogRow) -> Day {
        log.time.day()
    }

    fn append(&mut self, mut other: Self) {
        self.resources.append(&mut other.resources);
        self.scopes.append(&mut other.scopes);
        self.logs.append(&mut other.logs);
    }

    fn is_empty(&self) -> bool {
        self.resources.is_empty() && self.scopes.is_empty() && self.logs.is_empty()
    }

    async fn ensure_dictionaries(
        batches: &[&Self],
        connection: &WriterConnection,
        dictionary: &Dictionary,
    ) -> Result<(), Error> {
        dictionary.ensure(connection, &all(batches, |batch| &batch.resources)).await?;
        dictionary.ensure(connection, &all(batches, |batch| &batch.scopes)).await
    }

    /// Log records have no key: all are new.
    async fn write(
        slices: &[&[LogRow]],
        connection: &WriterConnection,
        way: Way,
    ) -> Result<Vec<RecordCounts>, Error> {
        let mut logs: Vec<&LogRow> = slices.iter().copied().flatten().collect();
        logs.sort_by_key(|log| (log.project_id, log.time));
        match way {
            Way::Copy | Way::Staged => _ = copy_rows(connection, &logs).await?,
            Way::Insert => insert::insert_new(connection, &logs).await?,
        }
        Ok(RecordCounts::all_stored(slices))
    }
}

impl LogWriter {
    /// Gathers one record that knows its resource and scope only by id; both should be written too.
    ///
    /// # Errors
    /// As [`BufferedWriter::write`].
    pub async fn write_log(&self, log: LogRow) -> Result<(), Error> {
        self.write(LogBatch { logs: vec![log], ..LogBatch::default() }).await
    }
}
