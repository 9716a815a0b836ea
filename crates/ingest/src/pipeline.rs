//! From the bytes of a request to its answer.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use llm_observatory_core::ids::ProjectId;
use llm_observatory_core::signal::Signal;
use llm_observatory_core::time::{Day, UnixNanos};
use llm_observatory_storage::StoragePool;
use llm_observatory_storage::maintenance::partitions::DeclinedDays;
use llm_observatory_storage::writers::{Dictionary, RecordCounts, RequestRows};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::admit::{Budget, Charge};
use crate::answer::Answer;
use crate::arriving::Arriving;
use crate::batch::{Closed, Gathering, PendingRequest};
use crate::config::IngestConfig;
use crate::dead_letter;
use crate::decode::census::Census;
use crate::decode::decoded::{Decoded, Undecodable};
use crate::decode::decoder::Decoder;
use crate::decode::notes::Limits;
use crate::decode::rejection::{DeadLetter, Reason};
use crate::metrics::{Metrics, ReasonLabel};
use crate::outcome::{CommittedRequest, Outcome};
use crate::pace::Pace;
use crate::posting::Posting;
use crate::receipt::{InFlight, Receipt};
use crate::refusal::Refusal;
use crate::request::{Request, hash};
use crate::signal::OtlpSignal;
use crate::worker::Worker;

/// Estimated bytes of memory for each byte of a request: itself, its JSON, its part of a COPY.
const MEMORY_PER_BYTE: usize = 3;

/// Factor by which the estimate grows when the rows of a request outgrow it.
const ESTIMATE_GROWTH: usize = 4;

/// Takes requests of one signal from their bytes to their answers. Clones share it.
pub struct Pipeline<B: OtlpSignal> {
    shared: Arc<Shared<B>>,
}

impl<B: OtlpSignal> Clone for Pipeline<B> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<B: OtlpSignal> fmt::Debug for Pipeline<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline").field("signal", &B::SIGNAL).finish_non_exhaustive()
    }
}

struct Shared<B: OtlpSignal> {
    config: IngestConfig,
    pool: StoragePool,
    arriving: Arriving,
    budget: Budget,
    in_flight: InFlight,
    gathering: Arc<Gathering<B>>,
    pace: Arc<Pace>,
    metrics: Metrics,
}

impl<B: OtlpSignal> Pipeline<B> {
    /// Builds a pipeline. Its writers don't run yet; see [`Self::spawn`].
    pub fn build(config: IngestConfig, pool: StoragePool, metrics: Metrics) -> Self {
        let shared = Shared {
            arriving: Arriving::new(&config),
            budget: Budget::new(config.budget_bytes),
            in_flight: InFlight::default(),
            gathering: Arc::new(Gathering::new()),
            pace: Arc::new(Pace::new()),
            config,
            pool,
            metrics,
        };
        Self { shared: Arc::new(shared) }
    }

    /// Starts the writers. After [`Self::close`] they finish the requests that were taken, and end. When `force` is
    /// cancelled they give up. A writer that ends in any other way cancels `failed`.
    pub fn spawn(&self, tasks: &TaskTracker, force: &CancellationToken, failed: &CancellationToken) {
        let dictionary = Dictionary::with_capacity(self.shared.config.dictionary_ids);
        for number in 0..self.shared.config.writers {
            let worker = Worker::<B> {
                number,
                config: self.shared.config.clone(),
                pool: self.shared.pool.clone(),
                dictionary: Clone::clone(&dictionary),
                gathering: self.shared.gathering.clone(),
                metrics: self.shared.metrics.clone(),
                pace: self.shared.pace.clone(),
            };
            let force = force.clone();
            let ends_early = failed.clone().drop_guard();
            tasks.spawn(async move {
                tokio::select! {
                    () = worker.run() => {}
                    () = force.cancelled() => tracing::warn!(signal = %B::SIGNAL, "writer gave up"),
                }
                ends_early.disarm();
            });
        }
    }

    /// Takes no more requests; writers finish those that were taken.
    pub fn close(&self) {
        self.shared.gathering.close();
    }

    /// The limits of this pipeline.
    pub fn config(&self) -> &IngestConfig {
        &self.shared.config
    }

    /// Room for requests that are arriving: a face takes it while it reads a request.
    pub fn arriving(&self) -> &Arriving {
        &self.shared.arriving
    }

    /// The refusal of a request for which there is no room; its delay follows the backlog.
    pub fn no_room(&self) -> Refusal {
        Refusal::NoRoom { retry_after: self.retry_after_backlog() }
    }

    /// Counts a refused request in the metrics, by reason.
    pub fn count_refused(&self, reason: &'static str) {
        let label = ReasonLabel { signal: B::SIGNAL.name(), reason };
        self.shared.metrics.requests_refused.get_or_create(&label).inc();
    }

    /// Stores the records of one decompressed request, and returns when they are committed. `arriving` is the charge
    /// for its bytes. A request that is not committed before `deadline` is refused.
    ///
    /// Dropping the future undoes nothing: a batch that a writer is writing is written.
    ///
    /// # Errors
    /// [`Refusal::NotOtlp`], [`Refusal::TooManyRecords`] and [`Refusal::TooHeavy`] for a request that can never be
    /// stored; [`Refusal::NoRoom`], [`Refusal::Unavailable`] and [`Refusal::Stopping`] for one that the client should
    /// send again.
    pub async fn export(
        &self,
        project_id: ProjectId,
        bytes: Bytes,
        arriving: Charge,
        deadline: Instant,
    ) -> Result<Answer, Refusal> {
        let Shared { config, metrics, .. } = &*self.shared;
        let (census, hash, arriving) = match self.weigh(&bytes, arriving).await {
            Ok(weighed) => weighed,
            Err(refusal) => {
                self.count_refused(refusal.reason());
                return Err(refusal);
            }
        };
        let mut posting = Posting::new(metrics.books.clone(), B::SIGNAL, project_id, census.records);
        let result = match census.records + census.groups > config.max_request_records as u64 {
            true => Err(Refusal::TooManyRecords { limit: config.max_request_records }),
            false => {
                let (received_at, records) = (SystemTime::now(), census.records);
                let request = Request { project_id, hash, bytes, records, received_at, deadline };
                self.join(request, arriving, &mut posting).await
            }
        };
        if let Err(refusal) = &result {
            self.count_refused(refusal.reason());
            posting.refused(refusal.reason());
        }
        result
    }

    /// Counts and hashes a request. The work holds the charge, so the bytes stay charged if the caller leaves.
    async fn weigh(&self, bytes: &Bytes, charge: Charge) -> Result<(Census, Uuid, Charge), Refusal> {
        let weighed = bytes.clone();
        let work = move || Ok((B::census(&weighed)?, hash(&weighed), charge));
        self.offload(bytes.len(), work).await?.map_err(Refusal::NotOtlp)
    }

    /// Runs work on this number of bytes here, or from `ingest.offload_bytes` on a thread of its own, so that it does
    /// not hold up other requests.
    async fn offload<T: Send + 'static>(
        &self,
        bytes: usize,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        if bytes < self.shared.config.offload_bytes {
            return Ok(work());
        }
        tokio::task::spawn_blocking(work).await.map_err(|error| {
            tracing::error!(signal = %B::SIGNAL, %error, "work on a request ended abnormally");
            self.unavailable()
        })
    }

    /// Stores the request, or waits for the outcome of the same one that is in flight already.
    async fn join(
        &self,
        request: Request,
        arriving: Charge,
        posting: &mut Posting,
    ) -> Result<Answer, Refusal> {
        let mut arriving = Some(arriving);
        loop {
            let (mut awaited, receipt) = self.shared.in_flight.join((request.project_id, request.hash));
            let is_first = receipt.is_some();
            if let Some(receipt) = receipt {
                self.submit(request.clone(), receipt, &mut arriving).await?;
            }
            return match timeout_at(request.deadline, awaited.outcome()).await {
                Ok(Outcome::Committed(committed)) => Ok(posting.committed(&committed)),
                // The first request was abandoned before it was written, so this one takes its place.
                Ok(Outcome::Abandoned) if !is_first => continue,
                Ok(Outcome::Unavailable | Outcome::Abandoned) | Err(_) => Err(self.unavailable()),
            };
        }
    }

    /// Decodes a request and hands it to the writers.
    async fn submit(
        &self,
        request: Request,
        receipt: Receipt,
        arriving: &mut Option<Charge>,
    ) -> Result<(), Refusal> {
        let Shared { config, gathering, .. } = &*self.shared;
        let (mut decoded, charge) = self.decode(&request).await?;
        *arriving = None; // the charge of the decoded request covers its bytes
        let days = distinct(decoded.batch.records().iter().map(B::day));
        let declined = self.make_partitions(B::SIGNAL, &days, request.deadline).await?;
        if !declined.is_empty() {
            let is_declined = |record: &B::Record| declined.contains(B::day(record));
            decoded.reject(&request.bytes, B::LEVELS, Reason::PartitionLimit, is_declined);
        }
        if let Some(signal) = B::ALSO {
            let days = distinct(decoded.batch.records().iter().filter_map(B::day_also));
            let declined = self.make_partitions(signal, &days, request.deadline).await?;
            let left_out = decoded.batch.leave_out(&declined);
            if left_out > 0 {
                tracing::debug!(signal = %B::SIGNAL, left_out, "rows of declined days are left out");
            }
        }
        let Decoded { batch, sources, rejections } = decoded;
        if batch.records().is_empty() && rejections.count() == 0 {
            // There is nothing to store, and nothing to wait for.
            let (books, counts) = (self.shared.metrics.books.clone(), RecordCounts::default());
            let committed = CommittedRequest::new(books, B::SIGNAL, request.project_id, counts, rejections);
            receipt.tell(Outcome::Committed(committed));
            return Ok(());
        }
        let row = |(ordinal, letter): (usize, &DeadLetter)| {
            let detail = letter.reason.to_string();
            dead_letter::row(&request, B::SIGNAL, ordinal, letter, detail, config)
        };
        let rows = RequestRows {
            hash: request.hash,
            project_id: request.project_id,
            batch,
            rejected: rejections.count(),
            rejections: rejections.letters().iter().enumerate().map(row).collect(),
        };
        gathering
            .push(PendingRequest { request, rows, sources, rejections, receipt, charge })
            .map_err(|Closed| Refusal::Stopping { retry_after: config.retry_delay(Duration::ZERO) })
    }

    /// Admits and decodes a request, with a larger charge each time that its rows outgrow the estimate.
    async fn decode(&self, request: &Request) -> Result<(Decoded<B>, Charge), Refusal> {
        let Shared { config, budget, .. } = &*self.shared;
        let records = request.records as usize; // at most ingest.max_request_records
        let mut estimate = request.bytes.len() * MEMORY_PER_BYTE + records * size_of::<B::Record>();
        loop {
            let patience = (Instant::now() + config.patience()).min(request.deadline);
            let charge = budget.take(estimate, patience).await.ok_or_else(|| self.no_room())?;
            match self.decode_admitted(request.clone(), charge, estimate).await? {
                (Ok(decoded), charge) => return Ok((decoded, charge)),
                (Err(Undecodable::Malformed(malformed)), _) => return Err(Refusal::NotOtlp(malformed)),
                (Err(Undecodable::Outgrown), _) if estimate < budget.bytes() => {
                    estimate = (estimate * ESTIMATE_GROWTH).min(budget.bytes());
                }
                (Err(Undecodable::Outgrown), _) => return Err(Refusal::TooHeavy { limit: budget.bytes() }),
            }
        }
    }

    /// Decodes a request into at most `allowance` bytes of rows. The work holds the charge, so the request keeps its
    /// part of the budget if its caller leaves.
    async fn decode_admitted(
        &self,
        request: Request,
        charge: Charge,
        allowance: usize,
    ) -> Result<(Result<Decoded<B>, Undecodable>, Charge), Refusal> {
        let (config, bytes) = (&self.shared.config, request.bytes.len());
        let limits = Limits {
            max_record_elements: config.max_record_elements,
            allowance,
            kept_rejections: config.kept_rejections,
        };
        let decode = move || {
            let Request { project_id, hash, received_at, records, ref bytes, .. } = request;
            let decoder = Decoder::new(bytes, project_id, hash, UnixNanos::from(received_at), limits);
            (B::decode(decoder.expecting(records as usize)), charge)
        };
        self.offload(bytes, decode).await
    }

    /// Creates partitions for days that have none yet in the tables of a signal. Returns the declined days.
    async fn make_partitions(
        &self,
        tables: Signal,
        days: &BTreeSet<Day>,
        deadline: Instant,
    ) -> Result<DeclinedDays, Refusal> {
        let (pool, family) = (&self.shared.pool, tables.into());
        if pool.partitions().has_all(family, days) {
            return Ok(DeclinedDays::default());
        }
        // If the caller leaves within the transaction, the connection is dropped with the future.
        match timeout_at(deadline, pool.ensure_partitions(family, days)).await {
            Ok(Ok(declined)) => Ok(declined),
            Ok(Err(error)) => {
                tracing::warn!(signal = %B::SIGNAL, %error, "partitions could not be created");
                Err(self.unavailable())
            }
            Err(_) => Err(self.unavailable()),
        }
    }

    /// The refusal while PostgreSQL is away or slow. Its delay is the time since the last commit: an outage is likely
    /// to last as long again as it has lasted.
    fn unavailable(&self) -> Refusal {
        let retry_after = self.shared.config.retry_delay(self.shared.pace.idle());
        Refusal::Unavailable { retry_after }
    }

    /// The delay after which the backlog will have been written, within the limits.
    fn retry_after_backlog(&self) -> Duration {
        let Shared { config, pace, budget, arriving, .. } = &*self.shared;
        config.retry_delay(pace.time_for(budget.taken() + arriving.taken()))
    }
}

/// The distinct days. Most requests have one day, so a day equal to the one before is skipped without a look-up.
fn distinct(days: impl Iterator<Item = Day>) -> BTreeSet<Day> {
    let mut distinct = BTreeSet::new();
    let mut last = None;
    for day in days {
        if last.replace(day) != Some(day) {
            distinct.insert(day);
        }
    }
    distinct
}
