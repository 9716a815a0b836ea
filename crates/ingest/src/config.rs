//! The limits of ingest, each by its name.

use std::time::Duration;

use llm_observatory_config::{Problems, Validate};
use llm_observatory_storage::config::RetryConfig;
use llm_observatory_storage::writers::Dictionary;
use serde::{Deserialize, Serialize};

/// Largest size of an ordinary request, in bytes.
pub(crate) const ORDINARY_BYTES: usize = 1024 * 1024;

/// The limits of ingest: the configuration section `ingest`. Each of the three signals has all of them for itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IngestConfig {
    /// Largest request, compressed and decompressed, in bytes; a larger one is refused for good. OTLP recommends 64
    /// MiB.
    pub max_request_bytes: usize,
    /// Most records and groups (resources, scopes, metrics) in one request; one with more is refused for good.
    pub max_request_records: usize,
    /// Most attributes, events, links, buckets and nested values of one record; one with more is rejected.
    pub max_record_elements: usize,
    /// Room for requests of ordinary size (up to 1 MiB) that are still arriving or wait for a part of the budget, in
    /// bytes. Larger requests share separate room of `max_request_bytes`.
    pub arriving_bytes: usize,
    /// Longest time from the head of a request to the last byte of its body, in milliseconds; then the request is
    /// refused.
    pub receive_within_ms: u64,
    /// Longest pause of a request that is arriving, in milliseconds; then the request is refused.
    pub receive_idle_ms: u64,
    /// Estimated memory that requests may hold from their decoding to their answer, in bytes.
    pub budget_bytes: usize,
    /// Longest wait for room in `arriving_bytes`, and again in `budget_bytes`, in milliseconds; then the request is
    /// refused. Several SDKs never retry, so a wait saves their data.
    pub patience_ms: u64,
    /// Longest time from the last byte of a request to its answer, in milliseconds; then the request is refused. Waits
    /// for room while it arrived count too. The Collector gives up an attempt after 5 seconds.
    pub answer_within_ms: u64,
    /// Writers: each has one connection and writes one batch at a time.
    pub writers: usize,
    /// How long a free writer waits for further requests after the first one, in milliseconds.
    pub linger_ms: u64,
    /// Most records in one batch. A request with more is a batch of its own.
    pub batch_records: usize,
    /// Most request bytes in one batch. A larger request is a batch of its own.
    pub batch_bytes: usize,
    /// Size from which a request is counted and decoded on a thread of its own, in bytes, so that it does not hold up
    /// others.
    pub offload_bytes: usize,
    /// Longest time of a transaction, in milliseconds; then the writer drops its connection and runs the transaction
    /// again.
    pub commit_within_ms: u64,
    /// Wait before a failed transaction runs again, in milliseconds. It doubles with each attempt; up to half of it is
    /// random.
    pub write_backoff_ms: u64,
    /// Longest such wait, in milliseconds; also the longest wait between two attempts of a writer to connect.
    pub max_write_backoff_ms: u64,
    /// Attempts of a transaction whose rows still find no partition after it was created. After the last one the
    /// records are rejected.
    pub partition_attempts: u32,
    /// Most records of one request that a writer searches out one by one because PostgreSQL does not take them. Beyond
    /// that, whole groups of records are rejected: a longer search would outlast every client.
    pub sought_rejections: usize,
    /// Most dictionary rows (resources, scopes, metrics, series) that the daemon remembers as stored, at about 40 bytes
    /// each.
    pub dictionary_ids: usize,
    /// Shortest delay that a refusal asks the client to keep, in milliseconds. The delay grows with the backlog, and
    /// varies by a quarter at random.
    pub retry_delay_ms: u64,
    /// Longest such delay, in milliseconds. Some clients drop their data when all attempts do not fit into 10 seconds.
    pub max_retry_delay_ms: u64,
    /// Most rejected records of one request that are kept in `ingest_rejections`; the others are only counted.
    pub kept_rejections: usize,
    /// Most bytes of a rejected record that are kept there; the rest is cut off.
    pub kept_rejection_bytes: usize,
}

impl Default for IngestConfig {
    fn default() -> Self {
        Self {
            max_request_bytes: 64 * 1024 * 1024,
            max_request_records: 100_000,
            max_record_elements: 262_144,
            arriving_bytes: 32 * 1024 * 1024,
            receive_within_ms: 10_000,
            receive_idle_ms: 2_000,
            budget_bytes: 64 * 1024 * 1024,
            patience_ms: 2_000,
            answer_within_ms: 4_000,
            writers: 2,
            linger_ms: 2,
            batch_records: 20_000,
            batch_bytes: 16 * 1024 * 1024,
            offload_bytes: 4 * 1024 * 1024,
            commit_within_ms: 30_000,
            write_backoff_ms: 20,
            max_write_backoff_ms: 1_000,
            partition_attempts: 5,
            sought_rejections: 1_000,
            dictionary_ids: Dictionary::DEFAULT_CAPACITY,
            retry_delay_ms: 1_000,
            max_retry_delay_ms: 5_000,
            kept_rejections: 100,
            kept_rejection_bytes: 65_536,
        }
    }
}

impl Validate for IngestConfig {
    fn validate(&self, problems: &mut Problems) {
        problems.at_least("max_request_bytes", self.max_request_bytes, 1);
        problems.require(
            self.max_request_bytes <= MOST_REQUEST_BYTES,
            "max_request_bytes",
            "must be at most 1 GiB, the most that PostgreSQL takes for one value",
        );
        problems.at_least("max_request_records", self.max_request_records, 1);
        problems.at_least("max_record_elements", self.max_record_elements, 1);
        problems.require(
            self.arriving_bytes >= ORDINARY_BYTES,
            "arriving_bytes",
            "must be at least 1 MiB, the room of one request of ordinary size",
        );
        problems.at_least("receive_within_ms", self.receive_within_ms, 1);
        problems.at_least("receive_idle_ms", self.receive_idle_ms, 1);
        problems.at_least("budget_bytes", self.budget_bytes, 1);
        problems.require(
            self.patience_ms < self.answer_within_ms,
            "patience_ms",
            "must be less than ingest.answer_within_ms",
        );
        problems.at_least("writers", self.writers, 1);
        problems.at_least("batch_records", self.batch_records, 1);
        problems.at_least("batch_bytes", self.batch_bytes, 1);
        problems.at_least("commit_within_ms", self.commit_within_ms, 1);
        problems.at_least("write_backoff_ms", self.write_backoff_ms, 1);
        problems.not_less_than(
            "max_write_backoff_ms",
            self.max_write_backoff_ms,
            "write_backoff_ms",
            self.write_backoff_ms,
        );
        problems.at_least("partition_attempts", self.partition_attempts, 1);
        problems.at_least("dictionary_ids", self.dictionary_ids, 1);
        problems.not_less_than(
            "max_retry_delay_ms",
            self.max_retry_delay_ms,
            "retry_delay_ms",
            self.retry_delay_ms,
        );
    }
}

impl IngestConfig {
    /// Longest wait for room: `patience_ms`.
    pub fn patience(&self) -> Duration {
        Duration::from_millis(self.patience_ms)
    }

    /// Longest time to an answer: `answer_within_ms`.
    pub fn answer_within(&self) -> Duration {
        Duration::from_millis(self.answer_within_ms)
    }

    pub(crate) fn linger(&self) -> Duration {
        Duration::from_millis(self.linger_ms)
    }

    pub(crate) fn commit_within(&self) -> Duration {
        Duration::from_millis(self.commit_within_ms)
    }

    /// How long a writer waits before it connects again, or runs a transaction again.
    pub(crate) fn write_retry(&self) -> RetryConfig {
        RetryConfig {
            attempts: self.partition_attempts,
            initial_backoff_ms: self.write_backoff_ms,
            max_backoff_ms: self.max_write_backoff_ms,
        }
    }

    /// Longest time for a request to arrive: `receive_within_ms`.
    pub fn receive_within(&self) -> Duration {
        Duration::from_millis(self.receive_within_ms)
    }

    /// Longest pause of a request that is arriving: `receive_idle_ms`.
    pub fn receive_idle(&self) -> Duration {
        Duration::from_millis(self.receive_idle_ms)
    }

    /// The delay that a refusal asks its client to keep: `wanted`, within the limits and with jitter, so that clients
    /// don't all try again at the same time.
    pub(crate) fn retry_delay(&self, wanted: Duration) -> Duration {
        let wanted = u64::try_from(wanted.as_millis()).unwrap_or(u64::MAX);
        let (least, most) = (self.retry_delay_ms, self.max_retry_delay_ms);
        let delay = wanted.clamp(least, most);
        let range = (delay - delay / 4).max(least)..=(delay + delay / 4).min(most);
        Duration::from_millis(rand::random_range(range))
    }
}

/// The most that PostgreSQL takes for one value: 1 GiB.
const MOST_REQUEST_BYTES: usize = 1024 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_that_contradict_each_other_are_named() {
        assert!(IngestConfig::default().check().is_ok());
        let config = IngestConfig {
            writers: 0,
            patience_ms: 4_000,
            max_retry_delay_ms: 1,
            max_request_bytes: MOST_REQUEST_BYTES + 1,
            ..IngestConfig::default()
        };
        let mut problems = Problems::default();
        problems.section("ingest", &config);
        let told: Vec<_> = problems.into_found().iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "ingest.max_request_bytes must be at most 1 GiB, the most that PostgreSQL takes for one value",
                "ingest.patience_ms must be less than ingest.answer_within_ms",
                "ingest.writers must be at least 1",
                "ingest.max_retry_delay_ms must not be less than ingest.retry_delay_ms",
            ]
        );
    }

    #[test]
    fn no_delay_is_shorter_or_longer_than_allowed() {
        let config = IngestConfig::default();
        for wanted in [Duration::ZERO, Duration::from_secs(3), Duration::MAX] {
            for _ in 0..1_000 {
                let delay = config.retry_delay(wanted).as_millis() as u64;
                assert!((config.retry_delay_ms..=config.max_retry_delay_ms).contains(&delay), "{delay}");
            }
        }
    }
}
