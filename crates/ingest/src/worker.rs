//! A writer: one connection, and one batch at a time.

use std::sync::Arc;

use llm_observatory_storage::config::RetryConfig;
use llm_observatory_storage::error::Failure;
use llm_observatory_storage::pool::backoff;
use llm_observatory_storage::writers::{Dictionary, Written};
use llm_observatory_storage::{Client, Error, StoragePool};
use tokio::time::Instant;

use crate::batch::{Gathering, Submission};
use crate::config::IngestConfig;
use crate::metrics::{Metrics, SignalLabel};
use crate::receipt::Fate;
use crate::signal::Signal;

/// How a writer waits for a database that is away, and how often it runs a batch that met a conflict.
const RETRY: RetryConfig = RetryConfig { attempts: 5, initial_backoff_ms: 50, max_backoff_ms: 1_000 };

/// One of the writers of a signal.
pub(crate) struct Worker<S: Signal> {
    pub(crate) number: usize,
    pub(crate) config: IngestConfig,
    pub(crate) pool: StoragePool,
    pub(crate) dictionary: Dictionary,
    pub(crate) gathering: Arc<Gathering<S::Batch>>,
    pub(crate) metrics: Metrics,
}

impl<S: Signal> Worker<S> {
    /// Writes batches until the gathering is closed and empty.
    ///
    /// The connection comes first: a batch is only taken by a writer that can write it, so while PostgreSQL is away the
    /// budget fills up, and clients are told to come back.
    pub(crate) async fn run(self) {
        let mut connection = None;
        loop {
            let mut client = match connection.take() {
                Some(client) => client,
                None => match self.connect().await {
                    Some(client) => client,
                    None => return,
                },
            };
            let Some(submissions) = self.gathering.next(&self.config).await else { return };
            if client.is_closed() {
                // It was lost while there was nothing to write: PostgreSQL was restarted, say.
                match self.connect().await {
                    Some(another) => client = another,
                    None => return,
                }
            }
            connection = self.write(client, submissions).await;
        }
    }

    /// A connection, however long it takes; `None` when there is nothing more to write.
    async fn connect(&self) -> Option<Client> {
        let mut attempt = 1;
        loop {
            match self.pool.connect().await {
                Ok(client) => {
                    if attempt > 1 {
                        tracing::info!(
                            signal = S::NAME,
                            writer = self.number,
                            attempt,
                            "writer is connected again"
                        );
                    }
                    return Some(client);
                }
                Err(error) if attempt == 1 => {
                    tracing::warn!(signal = S::NAME, writer = self.number, %error, "writer has no connection; trying on");
                }
                Err(error) => {
                    tracing::debug!(signal = S::NAME, writer = self.number, attempt, %error, "writer has no connection");
                }
            }
            if self.gathering.is_finished() {
                return None;
            }
            tokio::time::sleep(backoff(&RETRY, attempt)).await;
            attempt = attempt.saturating_add(1);
        }
    }

    /// Writes what was taken and tells each request its fate. Returns the connection if it can be used again.
    async fn write(&self, client: Client, submissions: Vec<Submission<S::Batch>>) -> Option<Client> {
        let begin = Instant::now();
        let (live, abandoned): (Vec<_>, Vec<_>) =
            submissions.into_iter().partition(|submission| !submission.receipt.is_abandoned());
        drop(abandoned); // their callers were told to come back, so nothing of them may be stored now
        if live.is_empty() {
            return Some(client);
        }
        let mut batches = Vec::with_capacity(live.len());
        let mut waiting = Vec::with_capacity(live.len());
        for Submission { batch, records, receipt, admission, .. } in live {
            batches.push(batch);
            waiting.push((receipt, records, admission));
        }
        let fates = self.commit(&client, &batches).await;
        let label = SignalLabel { signal: S::NAME };
        let records: usize = waiting.iter().map(|(_, records, _)| records).sum();
        self.metrics.batch_records.get_or_create(&label).observe(records as f64);
        self.metrics.commit_seconds.get_or_create(&label).observe(begin.elapsed().as_secs_f64());
        drop(batches);
        for ((receipt, _, admission), fate) in waiting.into_iter().zip(fates) {
            drop(admission);
            receipt.say(fate);
        }
        (!client.is_closed()).then_some(client)
    }

    /// Commits the batches together; when PostgreSQL won't take one of them, by halves, until that one stands alone.
    async fn commit(&self, client: &Client, batches: &[S::Batch]) -> Vec<Fate> {
        match self.commit_together(client, batches).await {
            Ok(written) => {
                let label = SignalLabel { signal: S::NAME };
                self.metrics.stored.get_or_create(&label).inc_by(written.stored);
                self.metrics.duplicates.get_or_create(&label).inc_by(written.duplicates);
                vec![Fate::Committed; batches.len()]
            }
            Err(error) if matches!(error.failure(), Failure::Data | Failure::Bug) && batches.len() > 1 => {
                let (left, right) = batches.split_at(batches.len() / 2);
                let mut fates = Box::pin(self.commit(client, left)).await;
                fates.extend(Box::pin(self.commit(client, right)).await);
                fates
            }
            Err(error) => {
                if error.failure() == Failure::NoPartition {
                    self.pool.partitions().forget();
                }
                let refused = error.failure() == Failure::Data;
                let fate = if refused { Fate::Refused } else { Fate::Unavailable };
                tracing::error!(signal = S::NAME, requests = batches.len(), %error, "batch could not be written");
                vec![fate; batches.len()]
            }
        }
    }

    /// Commits the batches in one transaction, again when it met a conflict with another one.
    async fn commit_together(&self, client: &Client, batches: &[S::Batch]) -> Result<Written, Error> {
        let mut attempt = 1;
        loop {
            match S::commit(client, &self.dictionary, batches).await {
                Err(error) if error.failure() == Failure::Conflict && attempt < RETRY.attempts => {
                    tracing::debug!(signal = S::NAME, attempt, %error, "conflict; running the batch again");
                    tokio::time::sleep(backoff(&RETRY, attempt)).await;
                    attempt += 1;
                }
                result => return result,
            }
        }
    }
}
