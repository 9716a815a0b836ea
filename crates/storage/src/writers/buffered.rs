//! A writer that gathers rows and writes them when there are enough.

use tokio::sync::Mutex;

use super::batch::{Batch, RecordCounts};
use super::commit::commit;
use super::dictionary::Dictionary;
use crate::error::Error;
use crate::pool::StoragePool;

/// Gathers rows of one signal, and writes them when there are `writer.batch_rows` records, or when told to.
///
/// Rows that are gathered but not flushed are lost with the writer: call [`Self::flush`] before dropping it.
#[derive(Debug)]
pub struct BufferedWriter<B> {
    pub(super) pool: StoragePool,
    dictionary: Dictionary,
    gathered: Mutex<B>,
}

impl<B: Batch> BufferedWriter<B> {
    /// A writer that writes by `writer.method`.
    pub fn new(pool: StoragePool) -> Self {
        Self { pool, dictionary: Dictionary::default(), gathered: Mutex::default() }
    }

    /// Gathers rows with all that they point at.
    ///
    /// # Errors
    /// When these rows fill the batch and it can't be written ([`Self::flush`] lists the variants): the batch is kept, and the
    /// next flush tries it again. With `writer.max_rows` gathered already, these rows are not kept.
    pub async fn write(&self, batch: B) -> Result<(), Error> {
        let mut gathered = self.gathered.lock().await;
        if gathered.records().len() + batch.records().len() > self.pool.config().writer.max_rows {
            self.flush_locked(&mut gathered).await?;
        }
        gathered.append(batch);
        if gathered.records().len() >= self.pool.config().writer.batch_rows {
            self.flush_locked(&mut gathered).await?;
        }
        Ok(())
    }

    /// Writes what is gathered. When this returns, it is committed.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::InDoubt`], [`Error::UnsafeDurability`], [`Error::TooManyDays`], and [`Error::Postgres`] for
    /// a row that PostgreSQL does not take. The batch is kept, and the next flush tries it again. [`Self::take`] removes a
    /// batch with a row that can never be written.
    pub async fn flush(&self) -> Result<RecordCounts, Error> {
        let mut gathered = self.gathered.lock().await;
        self.flush_locked(&mut gathered).await
    }

    /// Takes out what is gathered, unwritten.
    pub async fn take(&self) -> B {
        std::mem::take(&mut *self.gathered.lock().await)
    }

    async fn flush_locked(&self, gathered: &mut B) -> Result<RecordCounts, Error> {
        if gathered.is_empty() {
            return Ok(RecordCounts::default());
        }
        // A connection of its own: if this future is dropped within the transaction, the connection goes with it.
        let connection = self.pool.connect_writer().await?;
        let days = gathered.records().iter().map(B::day).collect();
        let declined = self.pool.partitions().ensure(&connection, B::SIGNAL.into(), &days).await?;
        if !declined.is_empty() {
            return Err(Error::TooManyDays(declined.len()));
        }
        let method = self.pool.config().writer.method;
        let counts = commit(&connection, &self.dictionary, std::slice::from_ref(&*gathered), method).await?;
        *gathered = B::default();
        Ok(counts)
    }
}
