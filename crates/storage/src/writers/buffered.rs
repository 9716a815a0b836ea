//! A writer that gathers rows and writes them in batches.

use tokio::sync::Mutex;

use super::batch::{Batch, RecordCounts};
use super::commit::commit;
use super::dictionary::Dictionary;
use crate::error::Error;
use crate::pool::StoragePool;

/// Gathers rows of one signal, and writes them at `writer.batch_rows` records, or when [`Self::flush`] is called.
///
/// Dropping the writer loses gathered rows: call [`Self::flush`] before.
#[derive(Debug)]
pub struct BufferedWriter<B> {
    pub(super) pool: StoragePool,
    dictionary: Dictionary,
    gathered: Mutex<B>,
}

impl<B: Batch> BufferedWriter<B> {
    /// A writer that uses `writer.method`.
    pub fn new(pool: StoragePool) -> Self {
        Self { pool, dictionary: Dictionary::default(), gathered: Mutex::default() }
    }

    /// Gathers the rows of a batch, and writes all gathered rows if there are enough.
    ///
    /// # Errors
    /// Those of [`Self::flush`], when the gathered rows can't be written. The writer keeps them, and the next flush
    /// tries again. It does not keep rows beyond `writer.max_rows`.
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

    /// Writes the gathered rows, and returns after COMMIT.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when PostgreSQL can't be reached, [`Error::InDoubt`] when the answer of COMMIT is lost,
    /// [`Error::UnsafeDurability`] when PostgreSQL may lose committed data, [`Error::TooManyDays`] for rows of declined
    /// days, and [`Error::Postgres`] when PostgreSQL does not take a row. The writer keeps the rows, and the next
    /// flush tries again. If one can never be written, [`Self::take`] removes all.
    pub async fn flush(&self) -> Result<RecordCounts, Error> {
        let mut gathered = self.gathered.lock().await;
        self.flush_locked(&mut gathered).await
    }

    /// Removes and returns the gathered rows without writing them.
    pub async fn take(&self) -> B {
        std::mem::take(&mut *self.gathered.lock().await)
    }

    async fn flush_locked(&self, gathered: &mut B) -> Result<RecordCounts, Error> {
        if gathered.is_empty() {
            return Ok(RecordCounts::default());
        }
        // A new connection: dropping this future within the transaction closes it, and PostgreSQL rolls back.
        let connection = self.pool.connect_writer().await?;
        let days = gathered.records().iter().map(B::day).collect();
        let declined = self.pool.partitions().ensure(&connection, B::SIGNAL.into(), &days).await?;
        if !declined.is_empty() {
            return Err(Error::TooManyDays(declined.len()));
        }
        if let Some(signal) = B::ALSO {
            let days = gathered.records().iter().filter_map(B::day_also).collect();
            let declined = self.pool.partitions().ensure(&connection, signal.into(), &days).await?;
            gathered.leave_out(&declined);
        }
        let method = self.pool.config().writer.method;
        let counts = commit(&connection, &self.dictionary, std::slice::from_ref(&*gathered), method).await?;
        *gathered = B::default();
        Ok(counts)
    }
}
