//! Log records.

use tokio::sync::Mutex;

use super::connection::WriterConnection;
use super::copy::CopyWriter;
use super::dictionary::Dictionary;
use super::{Rows, Way, Written, all, all_stored, commit, insert, make_partitions};
use crate::error::Error;
use crate::models::{LogRow, ResourceRow, ScopeRow};
use crate::pool::StoragePool;

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

impl LogBatch {
    /// Adds what `other` holds.
    pub fn append(&mut self, mut other: Self) {
        self.resources.append(&mut other.resources);
        self.scopes.append(&mut other.scopes);
        self.logs.append(&mut other.logs);
    }

    fn is_empty(&self) -> bool {
        self.resources.is_empty() && self.scopes.is_empty() && self.logs.is_empty()
    }
}

impl Rows for LogBatch {
    type Record = LogRow;
    const SIGNAL: i16 = 3;

    fn records(&self) -> &[LogRow] {
        &self.logs
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
    ) -> Result<Vec<Written>, Error> {
        let mut logs: Vec<&LogRow> = slices.iter().copied().flatten().collect();
        logs.sort_by_key(|log| (log.project_id, log.time));
        match way {
            Way::Copy | Way::Staged => _ = CopyWriter::new().write_rows(connection, &logs).await?,
            Way::Insert => insert::insert_new(connection, &logs).await?,
        }
        Ok(all_stored(slices))
    }
}

/// Gathers log records and writes them when there are enough, or when told to.
///
/// Rows that are gathered but not flushed are lost with the writer: call [`LogWriter::flush`] before dropping it.
#[derive(Debug)]
pub struct LogWriter {
    pool: StoragePool,
    dictionary: Dictionary,
    gathered: Mutex<LogBatch>,
}

impl LogWriter {
    /// A writer that gathers `writer.batch_rows` records and writes them by `writer.method`.
    pub fn new(pool: StoragePool) -> Self {
        Self { pool, dictionary: Dictionary::default(), gathered: Mutex::default() }
    }

    /// Gathers one record that knows its resource and scope only by id; both should be written too.
    ///
    /// # Errors
    /// What PostgreSQL says when this fills the batch; the batch is kept, and the next flush tries it again.
    /// With `writer.max_rows` gathered, this one is not kept.
    pub async fn write_log(&self, log: LogRow) -> Result<(), Error> {
        self.write(LogBatch { logs: vec![log], ..LogBatch::default() }).await
    }

    /// Gathers records with the resources and scopes that they point at.
    ///
    /// # Errors
    /// As [`Self::write_log`].
    pub async fn write(&self, batch: LogBatch) -> Result<(), Error> {
        let mut gathered = self.gathered.lock().await;
        if gathered.logs.len() + batch.logs.len() > self.pool.config().writer.max_rows {
            self.flush_locked(&mut gathered).await?;
        }
        gathered.append(batch);
        if gathered.logs.len() >= self.pool.config().writer.batch_rows {
            self.flush_locked(&mut gathered).await?;
        }
        Ok(())
    }

    /// Writes what is gathered. When this returns, it is committed.
    ///
    /// # Errors
    /// What PostgreSQL says; the batch is kept, and the next flush tries it again. A row that can never be written is
    /// got rid of with [`Self::take`].
    pub async fn flush(&self) -> Result<Written, Error> {
        let mut gathered = self.gathered.lock().await;
        self.flush_locked(&mut gathered).await
    }

    /// Takes out what is gathered, unwritten: the way on when a row in it can never be written.
    pub async fn take(&self) -> LogBatch {
        std::mem::take(&mut *self.gathered.lock().await)
    }

    async fn flush_locked(&self, gathered: &mut LogBatch) -> Result<Written, Error> {
        if gathered.is_empty() {
            return Ok(Written::default());
        }
        // A connection of its own: if this future is dropped in mid transaction, the connection goes with it.
        let client = self.pool.connect_writer().await?;
        let days = gathered.logs.iter().map(|log| log.time.day()).collect();
        make_partitions(&self.pool, &client, days).await?;
        let batches = std::slice::from_ref(&*gathered);
        let written = commit(&client, &self.dictionary, batches, self.pool.config().writer.method).await?;
        *gathered = LogBatch::default();
        Ok(written)
    }
}
