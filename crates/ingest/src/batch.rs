//! Natural batching: while writers are busy, requests gather; the next free writer takes them as one batch.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use llm_observatory_storage::writers::{Batch, RequestRows};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::admit::Charge;
use crate::config::IngestConfig;
use crate::decode::place::{Levels, Source};
use crate::decode::rejection::{DeadLetter, Reason, Rejections};
use crate::receipt::Receipt;
use crate::request::Request;

/// One decoded request that waits to be written.
#[derive(Debug)]
pub(crate) struct PendingRequest<B> {
    /// The request before it was decoded.
    pub(crate) request: Request,
    /// Its rows.
    pub(crate) rows: RequestRows<B>,
    /// Where each of its records stands in the request.
    pub(crate) sources: Vec<Source>,
    /// Its rejected records.
    pub(crate) rejections: Rejections,
    /// Tells its outcome.
    pub(crate) receipt: Receipt,
    /// Its part of the budget, held until its outcome is known.
    pub(crate) charge: Charge,
}

/// The gathering takes no more requests: the daemon is stopping.
#[derive(Debug)]
pub(crate) struct Closed;

impl<B: Batch> PendingRequest<B> {
    fn records(&self) -> usize {
        self.rows.batch.records().len()
    }
}

impl<B> PendingRequest<B> {
    /// The record at this index as a dead letter; `None` if there is no such record.
    pub(crate) fn letter(&self, record: usize, levels: Levels, reason: Reason) -> Option<DeadLetter> {
        let source = self.sources.get(record)?;
        let record = self.request.bytes.slice(source.range());
        Some(DeadLetter { place: source.place().named(levels), reason, record })
    }
}

/// Requests that wait to be written. It needs no bound of its own: each request in it holds a charge.
#[derive(Debug)]
pub(crate) struct Gathering<B> {
    state: Mutex<State<B>>,
    changed: Notify,
}

#[derive(Debug)]
struct State<B> {
    waiting: VecDeque<PendingRequest<B>>,
    records: usize,
    bytes: usize,
    oldest: Option<Instant>,
    closed: bool,
}

impl<B: Batch> Gathering<B> {
    pub(crate) fn new() -> Self {
        let state = State { waiting: VecDeque::new(), records: 0, bytes: 0, oldest: None, closed: false };
        Self { state: Mutex::new(state), changed: Notify::new() }
    }

    /// Adds a request; [`Closed`] once no more are taken.
    pub(crate) fn push(&self, pending: PendingRequest<B>) -> Result<(), Closed> {
        let mut state = self.lock();
        if state.closed {
            return Err(Closed);
        }
        state.records += pending.records();
        state.bytes += pending.request.bytes.len();
        state.oldest.get_or_insert_with(Instant::now);
        state.waiting.push_back(pending);
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// Takes no more requests; writers finish those that are here.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_waiters();
        self.changed.notify_one();
    }

    /// Whether the gathering is closed and no client waits for a request in it.
    pub(crate) fn is_finished(&self) -> bool {
        let state = self.lock();
        state.closed && state.waiting.iter().all(|pending| pending.receipt.is_abandoned())
    }

    /// Waits for the next batch, which is due when it is full or when its oldest request has lingered. Returns `None`
    /// when the gathering is closed and empty.
    pub(crate) async fn next(&self, config: &IngestConfig) -> Option<Vec<PendingRequest<B>>> {
        loop {
            let changed = self.changed.notified();
            let until = {
                let mut state = self.lock();
                match state.oldest {
                    None if state.closed => {
                        self.changed.notify_one(); // wakes the next writer, which ends too
                        return None;
                    }
                    None => None,
                    Some(oldest) => {
                        let ripe = oldest + config.linger();
                        if state.closed || state.is_full(config) || Instant::now() >= ripe {
                            return Some(self.take(&mut state, config));
                        }
                        Some(ripe)
                    }
                }
            };
            match until {
                None => changed.await,
                Some(ripe) => {
                    let _ = tokio::time::timeout_at(ripe, changed).await;
                }
            }
        }
    }

    fn take(&self, state: &mut State<B>, config: &IngestConfig) -> Vec<PendingRequest<B>> {
        let mut taken = Vec::new();
        let (mut records, mut bytes) = (0, 0);
        while let Some(next) = state.waiting.front() {
            let (more_records, more_bytes) = (next.records(), next.request.bytes.len());
            let fits =
                records + more_records <= config.batch_records && bytes + more_bytes <= config.batch_bytes;
            if !taken.is_empty() && !fits {
                break;
            }
            records += more_records;
            bytes += more_bytes;
            taken.extend(state.waiting.pop_front());
        }
        state.records -= records;
        state.bytes -= bytes;
        // The requests that stay keep the age of the oldest one, so that they don't linger anew.
        state.oldest = (!state.waiting.is_empty()).then_some(state.oldest).flatten();
        if state.oldest.is_some() {
            self.changed.notify_one();
        }
        taken
    }

    fn lock(&self) -> MutexGuard<'_, State<B>> {
        // Nothing panics while holding the lock. If it did, the counts would be wrong, but no request would be missing.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<B> State<B> {
    fn is_full(&self, config: &IngestConfig) -> bool {
        self.records >= config.batch_records || self.bytes >= config.batch_bytes
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use std::time::UNIX_EPOCH;

    use bytes::Bytes;
    use llm_observatory_core::ids::ProjectId;
    use llm_observatory_core::time::UnixNanos;
    use llm_observatory_storage::writers::LogBatch;

    use super::*;
    use crate::admit::Budget;
    use crate::decode::{Decoder, Limits};
    use crate::receipt::InFlight;
    use crate::request::hash;
    use crate::signal::OtlpSignal as _;

    /// A request of this number of log records.
    async fn pending(records: usize) -> PendingRequest<LogBatch> {
        let bytes = Bytes::from(
            [&[0x0a, 2 + 2 * records as u8, 0x12, 2 * records as u8][..], &[0x12, 0].repeat(records)]
                .concat(),
        );
        let (project_id, hash) = (ProjectId::DEFAULT, hash(&bytes));
        let limits = Limits { max_record_elements: 1, allowance: usize::MAX, kept_rejections: 0 };
        let decoder = Decoder::new(&bytes, project_id, hash, UnixNanos(1), limits);
        let decoded = LogBatch::decode(decoder).unwrap();
        assert_eq!(decoded.batch.logs.len(), records);
        let rows =
            RequestRows { hash, project_id, batch: decoded.batch, rejected: 0, rejections: Vec::new() };
        let (records, deadline) = (records as u64, Instant::now());
        PendingRequest {
            request: Request { project_id, hash, bytes, records, received_at: UNIX_EPOCH, deadline },
            rows,
            sources: decoded.sources,
            rejections: decoded.rejections,
            receipt: InFlight::default().join((project_id, hash)).1.unwrap(),
            charge: Budget::new(1 << 20).take(1, Instant::now()).await.unwrap(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_lingers_and_others_join_it() {
        let gathering = Gathering::new();
        let config = IngestConfig { batch_records: 10, ..IngestConfig::default() };
        let begin = Instant::now();
        gathering.push(pending(3).await).unwrap();
        gathering.push(pending(4).await).unwrap();
        assert_eq!(gathering.next(&config).await.unwrap().len(), 2);
        assert_eq!(begin.elapsed(), config.linger());
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_batch_goes_at_once_and_the_rest_right_after() {
        let gathering = Gathering::new();
        let config = IngestConfig { batch_records: 10, ..IngestConfig::default() };
        let begin = Instant::now();
        for records in [6, 4, 1] {
            gathering.push(pending(records).await).unwrap();
        }
        assert_eq!(gathering.next(&config).await.unwrap().len(), 2);
        assert_eq!(begin.elapsed(), Duration::ZERO);
        assert_eq!(gathering.next(&config).await.unwrap().len(), 1);
        gathering.close();
        assert!(gathering.next(&config).await.is_none());
        assert!(gathering.push(pending(1).await).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_larger_than_a_batch_goes_alone() {
        let gathering = Gathering::new();
        let config = IngestConfig { batch_records: 10, ..IngestConfig::default() };
        gathering.push(pending(50).await).unwrap();
        gathering.push(pending(1).await).unwrap();
        assert_eq!(gathering.next(&config).await.unwrap().len(), 1);
    }
}
