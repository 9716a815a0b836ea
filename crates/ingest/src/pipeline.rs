//! From the bytes of a request to the answer that it may be given.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use llm_observatory_core::ids::ProjectId;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_storage::StoragePool;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::admit::{Admission, Budget};
use crate::batch::{Gathering, Submission};
use crate::config::IngestConfig;
use crate::decode::{Decoded, Reason, Rejections, Request};
use crate::metrics::{Metrics, ReasonLabel, SignalLabel};
use crate::receipt::{Fate, receipt};
use crate::signal::Signal;
use crate::wire::Malformed;
use crate::worker::Worker;

/// The way in of one signal. Clones share it.
pub struct Pipeline<S: Signal> {
    shared: Arc<Shared<S>>,
}

impl<S: Signal> Clone for Pipeline<S> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<S: Signal> fmt::Debug for Pipeline<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline").field("signal", &S::NAME).finish_non_exhaustive()
    }
}

struct Shared<S: Signal> {
    config: IngestConfig,
    pool: StoragePool,
    budget: Budget,
    gathering: Arc<Gathering<S::Batch>>,
    metrics: Metrics,
}

/// A request whose records are committed, but for those that never can be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accepted {
    /// Records that can never be stored.
    pub rejected: u64,
    /// Which those are and why, and what else the client should know; empty when all is well.
    pub message: String,
}

/// A request of which nothing was stored, as far as the client must assume.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is not the protobuf of this signal; it will not be the next time either.
    #[error("not a valid OTLP request: {0}")]
    NotOtlp(#[from] Malformed),
    /// There is no room for it now.
    #[error("no room for this request within ingest.patience_ms (budget: ingest.budget_bytes); try again")]
    NoRoom {
        /// When to try again.
        retry_after: Duration,
    },
    /// It could not be written now.
    #[error("PostgreSQL is not available, or too slow to answer within ingest.answer_within_ms; try again")]
    Unavailable {
        /// When to try again.
        retry_after: Duration,
    },
    /// The daemon is stopping.
    #[error("shutting down; try again")]
    Stopping {
        /// When to try again.
        retry_after: Duration,
    },
}

impl Refusal {
    fn reason(&self) -> &'static str {
        match self {
            Self::NotOtlp(_) => "not_otlp",
            Self::NoRoom { .. } => "no_room",
            Self::Unavailable { .. } => "unavailable",
            Self::Stopping { .. } => "stopping",
        }
    }
}

impl<S: Signal> Pipeline<S> {
    /// A pipeline whose writers are not running yet; see [`Self::spawn`].
    pub fn build(config: IngestConfig, pool: StoragePool, metrics: Metrics) -> Self {
        let budget = Budget::new(config.budget_bytes);
        let gathering = Arc::new(Gathering::new());
        Self { shared: Arc::new(Shared { config, pool, budget, gathering, metrics }) }
    }

    /// Starts the writers. They finish what is there when [`Self::close`] is called, and give up when `force` is. One that
    /// ends in any other way cancels `failed`.
    pub fn spawn(&self, tasks: &TaskTracker, force: &CancellationToken, failed: &CancellationToken) {
        let dictionary = Default::default();
        for number in 0..self.shared.config.writers {
            let worker = Worker::<S> {
                number,
                config: self.shared.config.clone(),
                pool: self.shared.pool.clone(),
                dictionary: Clone::clone(&dictionary),
                gathering: self.shared.gathering.clone(),
                metrics: self.shared.metrics.clone(),
            };
            let force = force.clone();
            let ends_early = failed.clone().drop_guard();
            tasks.spawn(async move {
                tokio::select! {
                    () = worker.run() => {}
                    () = force.cancelled() => tracing::warn!(signal = S::NAME, "writer gave up"),
                }
                ends_early.disarm();
            });
        }
    }

    /// Takes no more requests; those that are in hear their fate.
    pub fn close(&self) {
        self.shared.gathering.close();
    }

    /// Stores the records of one decompressed request, and returns when they are committed.
    ///
    /// Dropping the future does not undo anything: a batch that is being written is written.
    ///
    /// # Errors
    /// [`Refusal`], each kind of which is one kind of answer.
    pub async fn export(&self, project_id: ProjectId, request: Bytes) -> Result<Accepted, Refusal> {
        let result = self.try_export(project_id, request).await;
        if let Err(refusal) = &result {
            let label = ReasonLabel { signal: S::NAME, reason: refusal.reason() };
            self.shared.metrics.refused.get_or_create(&label).inc();
        }
        result
    }

    async fn try_export(&self, project_id: ProjectId, request: Bytes) -> Result<Accepted, Refusal> {
        let Shared { config, budget, gathering, metrics, .. } = &*self.shared;
        let deadline = Instant::now() + config.answer_within();
        let bytes = request.len();
        let admission = budget
            .admit(bytes, config.patience())
            .await
            .ok_or_else(|| Refusal::NoRoom { retry_after: config.retry_delay() })?;
        let (Decoded { mut batch, mut rejections }, admission) =
            self.decode(project_id, request, admission).await?;
        let received = S::records(&batch) as u64 + rejections.count();
        metrics.received.get_or_create(&SignalLabel { signal: S::NAME }).inc_by(received);
        self.make_partitions(&mut batch, &mut rejections, deadline).await?;
        let records = S::records(&batch);
        if records > 0 {
            let (receipt, awaited) = receipt();
            let submission = Submission { batch, records, bytes, receipt, admission };
            if gathering.push(submission).is_err() {
                return Err(Refusal::Stopping { retry_after: config.retry_delay() });
            }
            match timeout_at(deadline, awaited).await {
                Ok(Ok(Fate::Committed)) => {}
                Ok(Ok(Fate::Refused)) => {
                    (0..records)
                        .for_each(|_| rejections.reject(Reason::Refused, || "one of the records".to_owned()));
                }
                // Over its time, or the writer is gone: nothing is known but that nothing was said.
                Ok(Ok(Fate::Unavailable) | Err(_)) | Err(_) => {
                    return Err(Refusal::Unavailable { retry_after: config.retry_delay() });
                }
            }
        }
        for (reason, count) in rejections.by_reason() {
            let label = ReasonLabel { signal: S::NAME, reason: reason.name() };
            metrics.rejected.get_or_create(&label).inc_by(count);
        }
        Ok(Accepted { rejected: rejections.count(), message: rejections.message() })
    }

    /// Decodes, on a thread of its own when the request is large. The admission goes along: what is being decoded holds its
    /// part of the budget also when its caller is gone.
    async fn decode(
        &self,
        project_id: ProjectId,
        request: Bytes,
        admission: Admission,
    ) -> Result<(Decoded<S::Batch>, Admission), Refusal> {
        let received = UnixNanos::from(SystemTime::now());
        let offload = request.len() >= self.shared.config.offload_bytes;
        let decode = move || (S::decode(Request::new(&request, project_id, received)), admission);
        let (decoded, admission) = match offload {
            false => decode(),
            true => tokio::task::spawn_blocking(decode).await.map_err(|error| {
                tracing::error!(signal = S::NAME, %error, "decoding ended abnormally");
                Refusal::Unavailable { retry_after: self.shared.config.retry_delay() }
            })?,
        };
        Ok((decoded?, admission))
    }

    /// Makes partitions for days that have none yet, and rejects records for which none may be made.
    async fn make_partitions(
        &self,
        batch: &mut S::Batch,
        rejections: &mut Rejections,
        deadline: Instant,
    ) -> Result<(), Refusal> {
        let Shared { pool, config, .. } = &*self.shared;
        let days = S::days(batch);
        if days.iter().all(|day| pool.partitions().has(*day)) {
            return Ok(());
        }
        // On a connection of its own, which goes with the future if the caller leaves in mid transaction.
        let make = async { pool.partitions().ensure(&pool.connect().await?, &days).await };
        match timeout_at(deadline, make).await {
            Ok(Ok(refused)) if refused.0.is_empty() => Ok(()),
            Ok(Ok(refused)) => {
                S::reject_days(batch, &refused.0, rejections);
                Ok(())
            }
            Ok(Err(error)) => {
                tracing::warn!(signal = S::NAME, %error, "day partitions could not be made");
                Err(Refusal::Unavailable { retry_after: config.retry_delay() })
            }
            Err(_) => Err(Refusal::Unavailable { retry_after: config.retry_delay() }),
        }
    }
}
