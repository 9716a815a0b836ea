//! A writer: one connection, and one batch at a time.

use std::sync::Arc;

use bytes::Bytes;
use llm_observatory_core::time::Day;
use llm_observatory_storage::error::Failure;
use llm_observatory_storage::postgres::backoff;
use llm_observatory_storage::writers::{
    Dictionary, Outcome, RejectionRow, Rows, Search, WriterConnection, Written, commit_apart,
    commit_requests, is_refusal,
};
use llm_observatory_storage::{Error, StoragePool};
use tokio::time::{Instant, timeout};

use crate::batch::{Gathering, Submission};
use crate::config::IngestConfig;
use crate::decode::{Reason, Rejections};
use crate::metrics::{Metrics, SignalLabel};
use crate::pace::Pace;
use crate::receipt::{Committed, Fate};
use crate::signal::Signal;

/// One of the writers of a signal.
pub(crate) struct Worker<S: Signal> {
    pub(crate) number: usize,
    pub(crate) config: IngestConfig,
    pub(crate) pool: StoragePool,
    pub(crate) dictionary: Dictionary,
    pub(crate) gathering: Arc<Gathering<S::Batch>>,
    pub(crate) metrics: Metrics,
    pub(crate) pace: Arc<Pace>,
}

type Group<S> = Vec<Submission<<S as Signal>::Batch>>;

impl<S: Signal> Worker<S> {
    /// Writes batches until the gathering is closed and empty.
    ///
    /// The connection comes first: a batch is only taken by a writer that can write it, so while PostgreSQL is away the
    /// budget fills up, and clients are told to come back.
    pub(crate) async fn run(self) {
        let mut connection = None;
        loop {
            if connection.is_none() {
                connection = self.connect(&mut || self.gathering.is_finished()).await;
            }
            if connection.is_none() {
                return;
            }
            let Some(submissions) = self.gathering.next(&self.config).await else { return };
            let begin = Instant::now();
            let label = SignalLabel { signal: S::NAME };
            let records: usize = submissions.iter().map(|one| one.request.rows.records().len()).sum();
            self.write(&mut connection, submissions).await;
            self.metrics.batch_records.get_or_create(&label).observe(records as f64);
            self.metrics.commit_seconds.get_or_create(&label).observe(begin.elapsed().as_secs_f64());
        }
    }

    /// A connection, however long it takes; `None` when nobody waits for one any more.
    async fn connect(&self, is_over: &mut (impl FnMut() -> bool + Send)) -> Option<WriterConnection> {
        let mut attempt = 1;
        loop {
            match self.pool.connect_writer().await {
                Ok(connection) => {
                    self.dictionary.forget();
                    if attempt > 1 {
                        tracing::info!(
                            signal = S::NAME,
                            writer = self.number,
                            attempt,
                            "writer is connected again"
                        );
                    }
                    return Some(connection);
                }
                Err(error) if attempt == 1 => {
                    tracing::warn!(signal = S::NAME, writer = self.number, %error, "writer has no connection; trying on");
                }
                Err(error) => {
                    tracing::debug!(signal = S::NAME, writer = self.number, attempt, %error, "writer has no connection");
                }
            }
            if is_over() {
                return None;
            }
            tokio::time::sleep(backoff(&self.config.write_retry(), attempt)).await;
            attempt = attempt.saturating_add(1);
        }
    }

    /// Writes what was taken and tells each request its fate: all together when that can be; otherwise by halves, until
    /// what PostgreSQL does not take stands alone.
    async fn write(&self, connection: &mut Option<WriterConnection>, submissions: Group<S>) {
        let mut groups = vec![submissions];
        while let Some(group) = groups.pop() {
            groups.extend(self.write_group(connection, group).await);
        }
    }

    /// Writes a group, again and again while its clients wait. Gives back what must be written apart.
    async fn write_group(
        &self,
        connection: &mut Option<WriterConnection>,
        mut group: Group<S>,
    ) -> Vec<Group<S>> {
        // Runs that failed, and those of them in which rows found no partition.
        let (mut attempt, mut homeless, mut in_doubt) = (0, 0, false);
        loop {
            // What is perhaps stored already must be known to be, whoever still waits for it: the books depend on it.
            if !in_doubt {
                drop_abandoned(&mut group);
            }
            if group.is_empty() {
                return Vec::new();
            }
            let opened = match connection.take() {
                Some(connection) => Some(connection),
                None => {
                    // Looking closes the flights that are abandoned, so it comes last: what is in doubt stays in flight.
                    let mut is_over = || (!in_doubt || self.gathering.is_finished()) && all_abandoned(&group);
                    self.connect(&mut is_over).await
                }
            };
            let Some(open) = opened else {
                in_doubt = false;
                continue;
            };
            let committed =
                timeout(self.config.commit_within(), self.commit(&open, &mut group, homeless)).await;
            let error = match committed {
                Ok(Ok(outcomes)) => {
                    *connection = Some(open);
                    self.tell(group, outcomes, in_doubt);
                    return Vec::new();
                }
                Ok(Err(error)) => {
                    if leaves_the_session_well(&error) {
                        *connection = Some(open);
                    }
                    error
                }
                Err(_) => open.abandon("the transaction took longer than ingest.commit_within_ms"),
            };
            attempt += 1;
            in_doubt |= matches!(error, Error::InDoubt(_));
            homeless += u32::from(error.failure() == Failure::NoPartition);
            match self.after(&error, attempt, homeless, &group).await {
                Next::Again => {}
                Next::Halves => {
                    let right = group.split_off(group.len() / 2);
                    return vec![right, group];
                }
                Next::GiveUp => {
                    group.into_iter().for_each(|submission| submission.receipt.say(Fate::Unavailable));
                    return Vec::new();
                }
            }
        }
    }

    async fn commit(
        &self,
        connection: &WriterConnection,
        group: &mut Group<S>,
        homeless: u32,
    ) -> Result<Vec<Outcome>, Error> {
        let requests: Vec<_> = group.iter().map(|submission| &submission.request).collect();
        match commit_requests(connection, &self.dictionary, &requests).await {
            Err(error)
                if group.len() == 1 && (is_refusal(&error) || self.stays_homeless(&error, homeless)) =>
            {
                tracing::warn!(signal = S::NAME, %error, "looking for the record that PostgreSQL refuses");
                Ok(vec![self.commit_apart(connection, &mut group[0]).await?])
            }
            result => result,
        }
    }

    /// Whether rows find no partition however often it is made: somebody took it away, and keeps it from coming back.
    fn stays_homeless(&self, error: &Error, runs: u32) -> bool {
        error.failure() == Failure::NoPartition && runs >= self.config.partition_attempts
    }

    /// Commits the records of one request that PostgreSQL takes, and rejects the others by name.
    async fn commit_apart(
        &self,
        connection: &WriterConnection,
        submission: &mut Submission<S::Batch>,
    ) -> Result<Outcome, Error> {
        let Submission { request, bytes, sources, rejections, .. } = submission;
        let letter = |record: usize, ordinal: usize, error: &Error| {
            let source = sources.get(record).filter(|_| ordinal < self.config.kept_rejections)?;
            let record = bytes.slice(source.range());
            Some(RejectionRow {
                rejected_at: std::time::SystemTime::now(),
                project_id: request.project_id,
                signal: S::Batch::SIGNAL,
                request_hash: request.hash,
                ordinal: i32::try_from(ordinal).unwrap_or(i32::MAX),
                place: source.place.named(S::LEVELS),
                reason: Reason::Refused.name(),
                detail: error.to_string(),
                record_bytes: record.len(),
                record: record.slice(..record.len().min(self.config.kept_rejection_bytes)),
            })
        };
        let until = std::time::Instant::now() + self.config.commit_within() / 2;
        let search = Search { most: self.config.sought_refusals, until };
        let (outcome, refused) = commit_apart(connection, &self.dictionary, request, search, letter).await?;
        for source in refused.iter().filter_map(|record| sources.get(*record)) {
            rejections
                .reject(Reason::Refused, || (source.place.named(S::LEVELS), bytes.slice(source.range())));
        }
        Ok(outcome)
    }

    /// What to do after a failure.
    async fn after(&self, error: &Error, attempt: u32, homeless: u32, group: &Group<S>) -> Next {
        if matches!(error, Error::InDoubt(_)) {
            self.metrics.commits_in_doubt.get_or_create(&SignalLabel { signal: S::NAME }).inc();
        }
        match error.failure() {
            Failure::Data | Failure::Duplicate | Failure::Bug if group.len() > 1 => Next::Halves,
            Failure::Data | Failure::Duplicate | Failure::Bug => {
                tracing::error!(signal = S::NAME, %error, "request could not be written");
                Next::GiveUp
            }
            Failure::NoPartition if group.len() > 1 && self.stays_homeless(error, homeless) => Next::Halves,
            Failure::NoPartition => match self.make_partitions(group).await {
                Ok(()) if homeless <= self.config.partition_attempts => Next::Again,
                _ => Next::GiveUp,
            },
            Failure::Unavailable | Failure::Conflict | Failure::TimedOut => {
                if attempt == 1 {
                    tracing::warn!(signal = S::NAME, requests = group.len(), %error, "running the batch again");
                } else {
                    tracing::debug!(signal = S::NAME, requests = group.len(), attempt, %error, "running the batch again");
                }
                tokio::time::sleep(backoff(&self.config.write_retry(), attempt)).await;
                Next::Again
            }
        }
    }

    /// Somebody dropped a partition that was there: all that the group needs are asked for anew.
    async fn make_partitions(&self, group: &Group<S>) -> Result<(), Error> {
        let records = group.iter().flat_map(|submission| submission.request.rows.records());
        let days: std::collections::BTreeSet<Day> = records.map(S::day).collect();
        self.pool.partitions().forget();
        let make = async { self.pool.ensure_partitions(&days).await.map(drop) };
        timeout(self.config.commit_within(), make).await.unwrap_or_else(|_| {
            Err(Error::Unavailable("partitions were not made within ingest.commit_within_ms".to_owned()))
        })
    }

    /// Tells every request its fate, after COMMIT. Of a batch whose first COMMIT was in doubt, what comes for the first time
    /// again was stored by that.
    fn tell(&self, group: Group<S>, outcomes: Vec<Outcome>, in_doubt: bool) {
        for (submission, outcome) in group.into_iter().zip(outcomes) {
            let Submission { request, mut rejections, receipt, charge, .. } = submission;
            self.pace.committed(charge.bytes());
            let written = match outcome {
                Outcome::Written(written) => written,
                Outcome::Known { rejected, refused, duplicates } => {
                    let known = known(&request.rows, &mut rejections, rejected, refused);
                    match in_doubt && duplicates == 1 {
                        true => Written { stored: known.duplicates, ..Written::default() },
                        false => known,
                    }
                }
            };
            let (books, project_id) = (self.metrics.books.clone(), request.project_id);
            drop((request, charge));
            receipt.say(Fate::Committed(Committed::new(books, S::NAME, project_id, written, rejections)));
        }
    }
}

/// Whether a session can be used again after its transaction failed. After other failures a new one may fare better: on
/// another server after a failover, without a statement that was prepared for an older schema.
fn leaves_the_session_well(error: &Error) -> bool {
    match error.failure() {
        Failure::Data | Failure::Duplicate | Failure::Conflict | Failure::NoPartition => true,
        Failure::Unavailable | Failure::TimedOut | Failure::Bug => false,
    }
}

/// What to do with a group that could not be written.
enum Next {
    Again,
    Halves,
    GiveUp,
}

/// A request that the ledger knew: what PostgreSQL refused of it the first time counts as rejected now too.
fn known<B: Rows>(rows: &B, rejections: &mut Rejections, rejected: u64, refused: Vec<String>) -> Written {
    let records = rows.records().len() as u64;
    let all_refused = rejected.saturating_sub(rejections.count()).min(records);
    let mut unnamed = all_refused;
    for place in refused.into_iter().take(all_refused as usize) {
        rejections.reject(Reason::Refused, || (place, Bytes::new()));
        unnamed -= 1;
    }
    rejections.reject_unnamed(Reason::Refused, unnamed);
    Written { duplicates: records - all_refused, ..Written::default() }
}

/// Leaves out requests that nobody waits for: their clients were told to come back, so nothing of them may be stored now.
fn drop_abandoned<B>(group: &mut Vec<Submission<B>>) {
    group.retain(|submission| !submission.receipt.is_abandoned());
}

fn all_abandoned<B>(group: &[Submission<B>]) -> bool {
    group.iter().all(|submission| submission.receipt.is_abandoned())
}
