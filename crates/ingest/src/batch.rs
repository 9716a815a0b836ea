//! Natural batching: while one batch is written, the next one gathers.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use llm_observatory_storage::writers::{Request, Rows};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::admit::Charge;
use crate::config::IngestConfig;
use crate::decode::{Rejections, Source};
use crate::flight::Receipt;

/// One decoded request that waits to be written.
#[derive(Debug)]
pub(crate) struct Submission<B> {
    pub(crate) request: Request<B>,
    /// The request as it came, and where its records are in there: to show those that PostgreSQL refuses.
    pub(crate) bytes: Bytes,
    pub(crate) sources: Vec<Source>,
    /// What could not become rows.
    pub(crate) rejections: Rejections,
    pub(crate) receipt: Receipt,
    /// Given back when the request has heard its fate.
    pub(crate) charge: Charge,
}

/// No more requests are taken.
#[derive(Debug)]
pub(crate) struct Closed;

impl<B: Rows> Submission<B> {
    fn records(&self) -> usize {
        self.request.rows.records().len()
    }
}

/// What waits to be written. It needs no bound of its own: everything in it holds a part of the budget.
#[derive(Debug)]
pub(crate) struct Gathering<B> {
    state: Mutex<State<B>>,
    changed: Notify,
}

#[derive(Debug)]
struct State<B> {
    waiting: VecDeque<Submission<B>>,
    records: usize,
    bytes: usize,
    oldest: Option<Instant>,
    closed: bool,
}

impl<B: Rows> Gathering<B> {
    pub(crate) fn new() -> Self {
        let state = State { waiting: VecDeque::new(), records: 0, bytes: 0, oldest: None, closed: false };
        Self { state: Mutex::new(state), changed: Notify::new() }
    }

    /// Adds a request, unless no more are taken.
    pub(crate) fn push(&self, submission: Submission<B>) -> Result<(), Closed> {
        let mut state = self.lock();
        if state.closed {
            return Err(Closed);
        }
        state.records += submission.records();
        state.bytes += submission.bytes.len();
        state.oldest.get_or_insert_with(Instant::now);
        state.waiting.push_back(submission);
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// No more requests are taken; writers finish what is here.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_waiters();
        self.changed.notify_one();
    }

    /// Whether no more requests are taken, and nobody waits for one that is here.
    pub(crate) fn is_finished(&self) -> bool {
        let state = self.lock();
        state.closed && state.waiting.iter().all(|submission| submission.receipt.is_abandoned())
    }

    /// Waits for the next batch: at once when it is full or the oldest request has lingered, else until then.
    /// `None` when the gathering is closed and empty.
    pub(crate) async fn next(&self, config: &IngestConfig) -> Option<Vec<Submission<B>>> {
        loop {
            let changed = self.changed.notified();
            let until = {
                let mut state = self.lock();
                match state.oldest {
                    None if state.closed => {
                        self.changed.notify_one(); // the next writer shall see it too
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

    fn take(&self, state: &mut State<B>, config: &IngestConfig) -> Vec<Submission<B>> {
        let mut taken = Vec::new();
        let (mut records, mut bytes) = (0, 0);
        while let Some(next) = state.waiting.front() {
            let (more_records, more_bytes) = (next.records(), next.bytes.len());
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
        // What stays behind has waited long enough already: the next writer takes it at once.
        state.oldest = (!state.waiting.is_empty()).then_some(state.oldest).flatten();
        if state.oldest.is_some() {
            self.changed.notify_one();
        }
        taken
    }

    fn lock(&self) -> MutexGuard<'_, State<B>> {
        // Nothing panics while holding the lock; if it did, the counts would be off but the requests all there.
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

    use llm_observatory_core::ids::ProjectId;
    use llm_observatory_core::time::UnixNanos;
    use llm_observatory_storage::models::resource::content_id;
    use llm_observatory_storage::writers::LogBatch;

    use super::*;
    use crate::admit::Budget;
    use crate::decode::{self, Limits};
    use crate::flight::InFlight;

    /// A request of so many log records.
    async fn submission(records: usize) -> Submission<LogBatch> {
        let bytes = Bytes::from(
            [&[0x0a, 2 + 2 * records as u8, 0x12, 2 * records as u8][..], &[0x12, 0].repeat(records)]
                .concat(),
        );
        let hash = content_id(&[&bytes]);
        let limits = Limits { max_record_elements: 1, allowance: usize::MAX, kept_rejections: 0 };
        let request = decode::Request::new(&bytes, ProjectId::DEFAULT, hash, UnixNanos(1), limits);
        let decoded = decode::logs(request).unwrap();
        assert_eq!(decoded.batch.logs.len(), records);
        Submission {
            request: Request {
                hash,
                project_id: ProjectId::DEFAULT,
                rows: decoded.batch,
                rejected: 0,
                rejections: Vec::new(),
            },
            bytes,
            sources: decoded.sources,
            rejections: decoded.rejections,
            receipt: InFlight::default().join((ProjectId::DEFAULT, hash)).1.unwrap(),
            charge: Budget::new(1 << 20).take(1, Instant::now()).await.unwrap(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_lingers_and_others_join_it() {
        let gathering = Gathering::new();
        let config = IngestConfig { batch_records: 10, ..IngestConfig::default() };
        let begin = Instant::now();
        gathering.push(submission(3).await).unwrap();
        gathering.push(submission(4).await).unwrap();
        assert_eq!(gathering.next(&config).await.unwrap().len(), 2);
        assert_eq!(begin.elapsed(), config.linger());
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_batch_goes_at_once_and_the_rest_right_after() {
        let gathering = Gathering::new();
        let config = IngestConfig { batch_records: 10, ..IngestConfig::default() };
        let begin = Instant::now();
        for records in [6, 4, 1] {
            gathering.push(submission(records).await).unwrap();
        }
        assert_eq!(gathering.next(&config).await.unwrap().len(), 2);
        assert_eq!(begin.elapsed(), Duration::ZERO);
        assert_eq!(gathering.next(&config).await.unwrap().len(), 1);
        gathering.close();
        assert!(gathering.next(&config).await.is_none());
        assert!(gathering.push(submission(1).await).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_larger_than_a_batch_goes_alone() {
        let gathering = Gathering::new();
        let config = IngestConfig { batch_records: 10, ..IngestConfig::default() };
        gathering.push(submission(50).await).unwrap();
        gathering.push(submission(1).await).unwrap();
        assert_eq!(gathering.next(&config).await.unwrap().len(), 1);
    }
}
