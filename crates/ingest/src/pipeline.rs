//! From the bytes of a request to the answer that it may be given.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use llm_observatory_core::ids::ProjectId;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_storage::StoragePool;
use llm_observatory_storage::writers::{Dictionary, RejectionRow, Request, Rows, Written};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::admit::{Budget, Charge};
use crate::arrival::Arrival;
use crate::arriving::Arriving;
use crate::batch::{Closed, Gathering, Submission};
use crate::config::IngestConfig;
use crate::decode::{self, Census, Decoded, Limits, Reason, Rejections, Undecodable};
use crate::flight::{InFlight, Receipt};
use crate::metrics::{Metrics, ReasonLabel};
use crate::pace::Pace;
use crate::receipt::{Committed, Fate};
use crate::refusal::Refusal;
use crate::signal::{Record, Signal};
use crate::worker::Worker;

/// What a request is estimated to hold in memory for each of its bytes: itself, its JSON, its part of a COPY.
const MEMORY_PER_BYTE: usize = 3;

/// How much more a request may take when its first estimate was too low.
const SECOND_ESTIMATE: usize = 4;

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
    arriving: Arriving,
    budget: Budget,
    in_flight: InFlight,
    gathering: Arc<Gathering<S::Batch>>,
    pace: Arc<Pace>,
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

/// A request that has arrived, and what is known of it before it is decoded.
#[derive(Clone, Copy)]
struct Arrived {
    project_id: ProjectId,
    hash: Uuid,
    received_at: SystemTime,
    records: u64,
    deadline: Instant,
}

impl<S: Signal> Pipeline<S> {
    /// A pipeline whose writers are not running yet; see [`Self::spawn`].
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

    /// Starts the writers. They finish what is there when [`Self::close`] is called, and give up when `force` is. One that
    /// ends in any other way cancels `failed`.
    pub fn spawn(&self, tasks: &TaskTracker, force: &CancellationToken, failed: &CancellationToken) {
        let dictionary = Dictionary::with_capacity(self.shared.config.dictionary_ids);
        for number in 0..self.shared.config.writers {
            let worker = Worker::<S> {
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

    /// The limits.
    pub fn config(&self) -> &IngestConfig {
        &self.shared.config
    }

    /// Room for requests that are arriving: whoever reads one asks for it here.
    pub fn arriving(&self) -> &Arriving {
        &self.shared.arriving
    }

    /// The refusal of a request for which there is no room while it arrives.
    pub fn no_room(&self) -> Refusal {
        Refusal::NoRoom { retry_after: self.retry_after_backlog() }
    }

    /// Counts a request that could not even be read.
    pub fn count_unread(&self, reason: &'static str) {
        let label = ReasonLabel { signal: S::NAME, reason };
        self.shared.metrics.requests_refused.get_or_create(&label).inc();
    }

    /// Stores the records of one decompressed request, and returns when they are committed. `arriving` is the charge for
    /// its bytes; past the deadline it is refused.
    ///
    /// Dropping the future does not undo anything: a batch that is being written is written.
    ///
    /// # Errors
    /// [`Refusal`], each kind of which is one kind of answer.
    pub async fn export(
        &self,
        project_id: ProjectId,
        request: Bytes,
        arriving: Charge,
        deadline: Instant,
    ) -> Result<Accepted, Refusal> {
        let Shared { config, metrics, .. } = &*self.shared;
        let (census, hash, arriving) = match self.weigh(&request, arriving).await {
            Ok(weighed) => weighed,
            Err(refusal) => {
                self.count_unread(refusal.reason());
                return Err(refusal);
            }
        };
        let mut arrival = Arrival::new(metrics.books.clone(), S::NAME, project_id, census.records);
        let result = match census.records + census.groups > config.max_request_records as u64 {
            true => Err(Refusal::TooManyRecords { limit: config.max_request_records }),
            false => {
                let (received_at, records) = (SystemTime::now(), census.records);
                let arrived = Arrived { project_id, hash, received_at, records, deadline };
                self.join(arrived, request, arriving, &mut arrival).await
            }
        };
        if let Err(refusal) = &result {
            self.count_unread(refusal.reason());
            arrival.refused(refusal.reason());
        }
        result
    }

    /// Counts and hashes a request. The charge goes along into the work and back.
    async fn weigh(&self, request: &Bytes, charge: Charge) -> Result<(Census, Uuid, Charge), Refusal> {
        let bytes = request.clone();
        let work = move || Ok((S::count(&bytes)?, hash(&bytes), charge));
        self.offload(request.len(), work).await?.map_err(Refusal::NotOtlp)
    }

    /// Does work on so many bytes here, or on a thread of its own when they are many, so that others are not held up.
    async fn offload<T: Send + 'static>(
        &self,
        bytes: usize,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        if bytes < self.shared.config.offload_bytes {
            return Ok(work());
        }
        tokio::task::spawn_blocking(work).await.map_err(|error| {
            tracing::error!(signal = S::NAME, %error, "work on a request ended abnormally");
            Refusal::Unavailable { retry_after: self.retry_after_outage() }
        })
    }

    /// Stores the request, or waits for the fate of the same one that is in flight already.
    async fn join(
        &self,
        arrived: Arrived,
        request: Bytes,
        arriving: Charge,
        arrival: &mut Arrival,
    ) -> Result<Accepted, Refusal> {
        let mut arriving = Some(arriving);
        loop {
            let (mut awaited, receipt) = self.shared.in_flight.join((arrived.project_id, arrived.hash));
            let is_first = receipt.is_some();
            if let Some(receipt) = receipt {
                self.submit(arrived, request.clone(), receipt, &mut arriving).await?;
            }
            let unavailable = || Refusal::Unavailable { retry_after: self.retry_after_outage() };
            return match timeout_at(arrived.deadline, awaited.fate()).await {
                Ok(Fate::Committed(committed)) => Ok(arrival.answered(&committed)),
                // Whoever had it left before it was written, so this one takes its place.
                Ok(Fate::Left) if !is_first => continue,
                // Nothing is known but that nothing was said.
                Ok(Fate::Unavailable | Fate::Left) | Err(_) => Err(unavailable()),
            };
        }
    }

    /// Decodes a request and hands it to the writers.
    async fn submit(
        &self,
        arrived: Arrived,
        bytes: Bytes,
        receipt: Receipt,
        arriving: &mut Option<Charge>,
    ) -> Result<(), Refusal> {
        let Shared { config, gathering, .. } = &*self.shared;
        let (decoded, charge) = self.decode(arrived, bytes.clone()).await?;
        *arriving = None; // from here on its bytes are part of what it was admitted for
        let Decoded { mut batch, mut sources, mut rejections } = decoded;
        let refused = self.make_partitions(&batch, arrived.deadline).await?;
        if !refused.is_empty() {
            let days = |record: &Record<S>| refused.contains(&S::day(record));
            reject(S::records_mut(&mut batch), &mut sources, days, |source| {
                let place = || (source.place.named(S::LEVELS), bytes.slice(source.range()));
                rejections.reject(Reason::PartitionLimit, place);
            });
        }
        if batch.records().is_empty() && rejections.count() == 0 {
            // There is nothing to store, and nothing to wait for.
            let (books, written) = (self.shared.metrics.books.clone(), Written::default());
            let committed = Committed::new(books, S::NAME, arrived.project_id, written, rejections);
            receipt.say(Fate::Committed(committed));
            return Ok(());
        }
        let request = Request {
            hash: arrived.hash,
            project_id: arrived.project_id,
            rejected: rejections.count(),
            rejections: letters::<S>(arrived, &rejections, config.kept_rejection_bytes),
            rows: batch,
        };
        let submission = Submission { request, bytes, sources, rejections, receipt, charge };
        gathering
            .push(submission)
            .map_err(|Closed| Refusal::Stopping { retry_after: config.retry_delay(Duration::ZERO) })
    }

    /// Admits and decodes a request. The charge goes along: what is being decoded holds its part of the budget also when
    /// its caller is gone.
    async fn decode(&self, arrived: Arrived, request: Bytes) -> Result<(Decoded<S::Batch>, Charge), Refusal> {
        let Shared { config, budget, .. } = &*self.shared;
        let mut estimate =
            request.len() * MEMORY_PER_BYTE + arrived.records as usize * size_of::<Record<S>>();
        loop {
            let patience = (Instant::now() + config.patience()).min(arrived.deadline);
            let charge = budget.take(estimate, patience).await.ok_or_else(|| self.no_room())?;
            match self.decode_admitted(arrived, request.clone(), charge, estimate).await? {
                (Ok(decoded), charge) => return Ok((decoded, charge)),
                (Err(Undecodable::Malformed(malformed)), _) => return Err(Refusal::NotOtlp(malformed)),
                (Err(Undecodable::Outgrown), _) if estimate < budget.bytes() => {
                    estimate = (estimate * SECOND_ESTIMATE).min(budget.bytes());
                }
                (Err(Undecodable::Outgrown), _) => return Err(Refusal::TooHeavy { limit: budget.bytes() }),
            }
        }
    }

    /// Decodes. The charge goes along into the work and back.
    async fn decode_admitted(
        &self,
        arrived: Arrived,
        request: Bytes,
        charge: Charge,
        allowance: usize,
    ) -> Result<(Result<Decoded<S::Batch>, Undecodable>, Charge), Refusal> {
        let (config, bytes) = (&self.shared.config, request.len());
        let limits = Limits {
            max_record_elements: config.max_record_elements,
            allowance,
            kept_rejections: config.kept_rejections,
        };
        let received = UnixNanos::from(arrived.received_at);
        let decode = move || {
            let Arrived { project_id, hash, .. } = arrived;
            let records = arrived.records as usize; // at most ingest.max_request_records
            let request = decode::Request::new(&request, project_id, hash, received, limits);
            (S::decode(request.expecting(records)), charge)
        };
        self.offload(bytes, decode).await
    }

    /// Makes partitions for days that have none yet; gives the days for which none may be made.
    async fn make_partitions(
        &self,
        batch: &S::Batch,
        deadline: Instant,
    ) -> Result<std::collections::BTreeSet<llm_observatory_core::time::Day>, Refusal> {
        let pool = &self.shared.pool;
        let days = distinct(batch.records().iter().map(S::day));
        if days.iter().all(|day| pool.partitions().has(*day)) {
            return Ok(Default::default());
        }
        // Its connection goes with the future if the caller leaves in mid transaction.
        match timeout_at(deadline, pool.ensure_partitions(&days)).await {
            Ok(Ok(refused)) => Ok(refused.0),
            Ok(Err(error)) => {
                tracing::warn!(signal = S::NAME, %error, "day partitions could not be made");
                Err(Refusal::Unavailable { retry_after: self.retry_after_outage() })
            }
            Err(_) => Err(Refusal::Unavailable { retry_after: self.retry_after_outage() }),
        }
    }

    /// When the backlog will have been written.
    fn retry_after_backlog(&self) -> Duration {
        let Shared { config, pace, budget, arriving, .. } = &*self.shared;
        config.retry_delay(pace.time_for(budget.taken() + arriving.taken()))
    }

    /// An outage that lasted so long already is likely to last as long again.
    fn retry_after_outage(&self) -> Duration {
        self.shared.config.retry_delay(self.shared.pace.idle())
    }
}

/// 128 bits of the BLAKE3 hash of a request: what the ledger knows it by.
fn hash(request: &[u8]) -> Uuid {
    let mut hash = [0; 16];
    blake3::Hasher::new().update(request).finalize_xof().fill(&mut hash);
    Uuid::from_bytes(hash)
}

/// The dead letters of a request.
fn letters<S: Signal>(arrived: Arrived, rejections: &Rejections, kept_bytes: usize) -> Vec<RejectionRow> {
    let letter = |(ordinal, letter): (i32, &decode::Letter)| RejectionRow {
        rejected_at: arrived.received_at,
        project_id: arrived.project_id,
        signal: S::Batch::SIGNAL,
        request_hash: arrived.hash,
        ordinal,
        place: letter.place.clone(),
        reason: letter.reason.name(),
        detail: letter.reason.to_string(),
        record_bytes: letter.record.len(),
        record: letter.record.slice(..letter.record.len().min(kept_bytes)),
    };
    (0..).zip(rejections.letters()).map(letter).collect()
}

/// Takes out the records that are hit, with their sources, and hands the sources to `visit`.
fn reject<R>(
    records: &mut Vec<R>,
    sources: &mut Vec<decode::Source>,
    hit: impl Fn(&R) -> bool,
    visit: impl FnMut(decode::Source),
) {
    let hits: Vec<bool> = records.iter().map(hit).collect();
    sources.iter().zip(&hits).filter(|(_, hit)| **hit).map(|(source, _)| *source).for_each(visit);
    let mut stays = hits.iter().map(|hit| !hit);
    records.retain(|_| stays.next().unwrap_or(true));
    let mut stays = hits.iter().map(|hit| !hit);
    sources.retain(|_| stays.next().unwrap_or(true));
}

/// The distinct days; most requests have one, so a repeated day is skipped without a look-up.
fn distinct<D: Copy + Ord>(days: impl Iterator<Item = D>) -> std::collections::BTreeSet<D> {
    let mut distinct = std::collections::BTreeSet::new();
    let mut last = None;
    for day in days {
        if last.replace(day) != Some(day) {
            distinct.insert(day);
        }
    }
    distinct
}
