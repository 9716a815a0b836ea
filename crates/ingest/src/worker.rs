//! A writer: one connection, and one batch at a time.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use llm_observatory_core::signal::Signal;
use llm_observatory_core::time::Day;
use llm_observatory_storage::StoragePool;
use llm_observatory_storage::error::{Error, Failure};
use llm_observatory_storage::postgres::{WriterConnection, backoff};
use llm_observatory_storage::writers::{
    Committed, Dictionary, RecordCounts, Search, commit_apart, commit_requests,
};
use tokio::time::{Instant, timeout};

use crate::attempt::{Attempts, Next};
use crate::batch::{Gathering, PendingRequest};
use crate::config::IngestConfig;
use crate::dead_letter;
use crate::decode::rejection::{Reason, Rejections};
use crate::metrics::{Metrics, SignalLabel};
use crate::outcome::{CommittedRequest, Outcome};
use crate::pace::Pace;
use crate::signal::OtlpSignal;

/// One of the writers of a signal.
pub(crate) struct Worker<B: OtlpSignal> {
    pub(crate) number: usize,
    pub(crate) config: IngestConfig,
    pub(crate) pool: StoragePool,
    pub(crate) dictionary: Dictionary,
    pub(crate) gathering: Arc<Gathering<B>>,
    pub(crate) metrics: Metrics,
    pub(crate) pace: Arc<Pace>,
}

/// Requests that one transaction commits, and its failed attempts.
struct Group<B> {
    requests: Vec<PendingRequest<B>>,
    attempts: Attempts,
}

impl<B> Group<B> {
    /// Drops the requests for which no client waits: they were refused, or their clients left.
    fn drop_abandoned(&mut self) {
        self.requests.retain(|pending| !pending.receipt.is_abandoned());
    }

    fn is_abandoned(&self) -> bool {
        self.requests.iter().all(|pending| pending.receipt.is_abandoned())
    }

    /// The two halves. The first one comes last, where `write` takes it from.
    fn halves(mut self) -> Vec<Self> {
        let right = self.requests.split_off(self.requests.len() / 2);
        let attempts = self.attempts.of_half();
        vec![Self { requests: right, attempts }, Self { requests: self.requests, attempts }]
    }

    fn give_up(self) {
        self.requests.into_iter().for_each(|pending| pending.receipt.tell(Outcome::Unavailable));
    }
}

impl<B: OtlpSignal> Worker<B> {
    /// Writes batches until the gathering is closed and empty.
    ///
    /// A writer connects before it takes a batch. So while PostgreSQL is away no writer takes requests, the budget
    /// fills up, and further requests are refused.
    pub(crate) async fn run(self) {
        let mut connection = None;
        loop {
            if connection.is_none() {
                connection = self.connect(&mut || self.gathering.is_finished()).await;
            }
            if connection.is_none() {
                return;
            }
            let Some(requests) = self.gathering.next(&self.config).await else { return };
            let begin = Instant::now();
            let label = SignalLabel { signal: B::SIGNAL.name() };
            let records: usize = requests.iter().map(|pending| pending.rows.batch.records().len()).sum();
            self.write(&mut connection, requests).await;
            self.metrics.batch_records.get_or_create(&label).observe(records as f64);
            self.metrics.commit_seconds.get_or_create(&label).observe(begin.elapsed().as_secs_f64());
        }
    }

    /// Connects, however long that takes; `None` once `is_over` returns true after a failed attempt.
    async fn connect(&self, is_over: &mut (impl FnMut() -> bool + Send)) -> Option<WriterConnection> {
        let (signal, writer) = (B::SIGNAL, self.number);
        let mut attempt = 1;
        loop {
            match self.pool.connect_writer().await {
                Ok(connection) => {
                    self.dictionary.forget();
                    if attempt > 1 {
                        tracing::info!(%signal, writer, attempt, "writer is connected again");
                    }
                    return Some(connection);
                }
                Err(error) if attempt == 1 => {
                    tracing::warn!(%signal, writer, %error, "writer has no connection; trying again");
                }
                Err(error) => {
                    tracing::debug!(%signal, writer, attempt, %error, "writer has no connection");
                }
            }
            if is_over() {
                return None;
            }
            tokio::time::sleep(backoff(&self.config.write_retry(), attempt)).await;
            attempt = attempt.saturating_add(1);
        }
    }

    /// Writes requests and tells each its outcome. If PostgreSQL does not take all of them in one transaction, they are
    /// halved until the request that it does not take stands alone.
    async fn write(&self, connection: &mut Option<WriterConnection>, requests: Vec<PendingRequest<B>>) {
        let attempts = Attempts::new(self.config.partition_attempts);
        let mut groups = vec![Group { requests, attempts }];
        while let Some(group) = groups.pop() {
            groups.extend(self.write_group(connection, group).await);
        }
    }

    /// Writes a group, with new attempts while its clients wait. Returns the groups that must be written apart.
    async fn write_group(
        &self,
        connection: &mut Option<WriterConnection>,
        mut group: Group<B>,
    ) -> Vec<Group<B>> {
        loop {
            // After a COMMIT in doubt the books must learn whether the requests are stored, even if no client waits.
            if !group.attempts.in_doubt() {
                group.drop_abandoned();
            }
            if group.requests.is_empty() {
                return Vec::new();
            }
            let Some(open) = self.take_or_connect(connection, &group).await else {
                group.attempts = group.attempts.without_doubt();
                continue;
            };
            let committed = timeout(self.config.commit_within(), self.commit(&open, &mut group)).await;
            let error = match committed {
                Ok(Ok(committed)) => {
                    *connection = Some(open);
                    self.tell(group, committed);
                    return Vec::new();
                }
                Ok(Err(error)) => {
                    *connection = is_usable_after(&error).then_some(open);
                    error
                }
                Err(_) => open.abandon("the transaction took longer than ingest.commit_within_ms"),
            };
            match self.after(&error, &mut group).await {
                Next::Again(_) | Next::Isolate | Next::RestorePartitions => {}
                Next::Halve => return group.halves(),
                Next::GiveUp => {
                    group.give_up();
                    return Vec::new();
                }
            }
        }
    }

    async fn take_or_connect(
        &self,
        connection: &mut Option<WriterConnection>,
        group: &Group<B>,
    ) -> Option<WriterConnection> {
        if let Some(connection) = connection.take() {
            return Some(connection);
        }
        let in_doubt = group.attempts.in_doubt();
        // `is_abandoned` takes requests out of those in flight, so it is asked last: requests in doubt stay in flight.
        let mut is_over = || (!in_doubt || self.gathering.is_finished()) && group.is_abandoned();
        self.connect(&mut is_over).await
    }

    async fn commit(
        &self,
        connection: &WriterConnection,
        group: &mut Group<B>,
    ) -> Result<Vec<Committed>, Error> {
        if let ([pending], true) = (&mut group.requests[..], group.attempts.is_isolating()) {
            return Ok(vec![self.commit_apart(connection, pending).await?]);
        }
        let requests: Vec<_> = group.requests.iter().map(|pending| &pending.rows).collect();
        commit_requests(connection, &self.dictionary, &requests).await
    }

    /// Commits the records of one request that PostgreSQL takes, and rejects the others.
    async fn commit_apart(
        &self,
        connection: &WriterConnection,
        pending: &mut PendingRequest<B>,
    ) -> Result<Committed, Error> {
        let dead_letter = |record: usize, ordinal: usize, error: &Error| {
            if ordinal >= self.config.kept_rejections {
                return None;
            }
            let letter = pending.letter(record, B::LEVELS, Reason::Unstorable)?;
            let detail = error.to_string();
            Some(dead_letter::row(&pending.request, B::SIGNAL, ordinal, &letter, detail, &self.config))
        };
        let until = std::time::Instant::now() + self.config.commit_within() / 2;
        let search = Search { most: self.config.sought_rejections, until };
        let (committed, unstorable) =
            commit_apart(connection, &self.dictionary, &pending.rows, search, dead_letter).await?;
        for record in unstorable {
            if let Some(letter) = pending.letter(record, B::LEVELS, Reason::Unstorable) {
                pending.rejections.reject(letter.reason, || (letter.place, letter.record));
            }
        }
        Ok(committed)
    }

    /// Counts a failed attempt, and prepares the next one: waits, or creates partitions. Returns what to do with the
    /// group.
    async fn after(&self, error: &Error, group: &mut Group<B>) -> Next {
        let (signal, requests) = (B::SIGNAL, group.requests.len());
        if matches!(error, Error::InDoubt(_)) {
            let label = SignalLabel { signal: signal.name() };
            self.metrics.commits_in_doubt.get_or_create(&label).inc();
        }
        let next = group.attempts.fail(error, requests);
        match next {
            Next::Again(attempt) => {
                if attempt == 1 {
                    tracing::warn!(%signal, requests, %error, "running the batch again");
                } else {
                    tracing::debug!(%signal, requests, attempt, %error, "running the batch again");
                }
                tokio::time::sleep(backoff(&self.config.write_retry(), attempt)).await;
            }
            Next::RestorePartitions => {
                if let Err(error) = self.restore_partitions(group).await {
                    tracing::warn!(%signal, requests, %error, "missing partitions could not be created");
                    return Next::GiveUp;
                }
            }
            Next::Isolate => {
                tracing::warn!(%signal, %error, "looking for the records that PostgreSQL does not take");
            }
            Next::GiveUp => tracing::error!(%signal, %error, "request could not be written"),
            Next::Halve => {}
        }
        next
    }

    /// Creates the partitions of the group's days again: they were dropped or detached after the daemon had created
    /// them.
    async fn restore_partitions(&self, group: &Group<B>) -> Result<(), Error> {
        let records = || group.requests.iter().flat_map(|pending| pending.rows.batch.records());
        let days: BTreeSet<Day> = records().map(B::day).collect();
        let days_also: BTreeSet<Day> = records().filter_map(B::day_also).collect();
        let make = async {
            self.restore(B::SIGNAL, &days).await?;
            match B::ALSO {
                Some(signal) if !days_also.is_empty() => self.restore(signal, &days_also).await,
                _ => Ok(()),
            }
        };
        timeout(self.config.commit_within(), make).await.unwrap_or_else(|_| {
            Err(Error::Unavailable("partitions were not created within ingest.commit_within_ms".to_owned()))
        })
    }

    async fn restore(&self, signal: Signal, days: &BTreeSet<Day>) -> Result<(), Error> {
        let family = signal.into();
        self.pool.partitions().forget(family);
        self.pool.ensure_partitions(family, days).await.map(drop)
    }

    /// Tells every request its outcome, after COMMIT. If an earlier COMMIT of the group was in doubt, a request that
    /// the ledger has counted as a duplicate exactly once was stored by that COMMIT.
    fn tell(&self, group: Group<B>, committed: Vec<Committed>) {
        let in_doubt = group.attempts.in_doubt();
        for (pending, committed) in group.requests.into_iter().zip(committed) {
            let PendingRequest { rows, mut rejections, receipt, charge, .. } = pending;
            self.pace.committed(charge.bytes());
            let counts = match committed {
                Committed::New(counts) => counts,
                Committed::Known { rejected, unstorable, duplicates } => {
                    let counts = known(rows.batch.records().len(), &mut rejections, rejected, unstorable);
                    match in_doubt && duplicates == 1 {
                        true => RecordCounts { stored: counts.duplicates, ..RecordCounts::default() },
                        false => counts,
                    }
                }
            };
            let (books, project_id) = (self.metrics.books.clone(), rows.project_id);
            drop((rows, charge));
            let committed = CommittedRequest::new(books, B::SIGNAL, project_id, counts, rejections);
            receipt.tell(Outcome::Committed(committed));
        }
    }
}

/// Whether a session can be used again after its transaction failed. After other failures a new session may do better:
/// it may reach another server after a failover, and has no statements that were prepared for an older schema.
fn is_usable_after(error: &Error) -> bool {
    match error.failure() {
        Failure::Data | Failure::Duplicate | Failure::Conflict | Failure::NoPartition => true,
        Failure::Unavailable | Failure::TimedOut | Failure::Bug => false,
    }
}

/// The counts of a request that the ledger knew already. Records that PostgreSQL did not take the first time count as
/// rejected again.
fn known(records: usize, rejections: &mut Rejections, rejected: u64, places: Vec<String>) -> RecordCounts {
    let unstorable = rejected.saturating_sub(rejections.count()).min(records as u64);
    let mut unnamed = unstorable;
    for place in places.into_iter().take(unstorable as usize) {
        rejections.reject(Reason::Unstorable, || (place, Bytes::new()));
        unnamed -= 1;
    }
    rejections.reject_unnamed(Reason::Unstorable, unnamed);
    RecordCounts { duplicates: records as u64 - unstorable, ..RecordCounts::default() }
}
