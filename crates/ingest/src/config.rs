//! The limits of the way in, each by its name.

use std::time::Duration;

use llm_observatory_storage::config::{Problem, RetryConfig};
use llm_observatory_storage::writers::Dictionary;
use serde::{Deserialize, Serialize};

/// The most that a request of ordinary size announces, in bytes.
pub(crate) const ORDINARY_BYTES: usize = 1024 * 1024;

/// The limits of the way in. Each of the three signals has all of them for itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IngestConfig {
    /// Largest request, compressed and decompressed, in bytes. OTLP recommends 64 MiB.
    pub max_request_bytes: usize,
    /// Most records in one request: spans, data points or log records.
    pub max_request_records: usize,
    /// Most attributes, events, links, buckets and nested values of one record.
    pub max_record_elements: usize,
    /// Bytes of requests of ordinary size (up to 1 MiB) that are still arriving, or that wait for a part of the budget. The
    /// larger ones share room for one of the largest.
    pub arriving_bytes: usize,
    /// Longest time from the head of a request to the last byte of its body, in milliseconds.
    pub receive_within_ms: u64,
    /// Longest pause of a request that is arriving, in milliseconds.
    pub receive_idle_ms: u64,
    /// Estimated memory that requests may hold from being decoded to their answer, in bytes.
    pub budget_bytes: usize,
    /// Longest wait for a part of that budget, in milliseconds; then the request is refused. Several SDKs never try again,
    /// so some patience saves data.
    pub patience_ms: u64,
    /// Longest time to an answer, in milliseconds. The Collector gives up an attempt after 5 seconds.
    pub answer_within_ms: u64,
    /// Connections that write.
    pub writers: usize,
    /// How long an idle writer waits for company after the first request, in milliseconds.
    pub linger_ms: u64,
    /// Most records in one transaction.
    pub batch_records: usize,
    /// Most request bytes in one transaction.
    pub batch_bytes: usize,
    /// From this size on a request is decoded on a thread of its own, in bytes, so that others are not held up.
    pub offload_bytes: usize,
    /// Longest time that a transaction may take, in milliseconds; then its connection is given up, and it is run again.
    pub commit_within_ms: u64,
    /// The wait after a transaction that failed and is run again while a client waits for it, in milliseconds. It doubles each
    /// time, and half of it is left to chance.
    pub write_backoff_ms: u64,
    /// The longest such wait, in milliseconds, and so between attempts of a writer to connect.
    pub max_write_backoff_ms: u64,
    /// How often a transaction is run whose rows found no partition, though it was made.
    pub partition_attempts: u32,
    /// Records of one request that PostgreSQL refuses and that are looked for one by one. Where there are more, what it does
    /// not take together is refused together, or the search would take longer than anyone waits.
    pub sought_refusals: usize,
    /// Dictionary rows (resources, scopes, metrics, series) that are known to be stored: about 40 bytes each.
    pub dictionary_ids: usize,
    /// The shortest delay that a refused client is asked to keep, in milliseconds. It grows with the backlog, and a quarter
    /// more or less is left to chance.
    pub retry_delay_ms: u64,
    /// The longest such delay, in milliseconds. Some clients drop their data when it does not fit into 10 seconds in all.
    pub max_retry_delay_ms: u64,
    /// Most rejected records of one request that are kept in `ingest_rejections`.
    pub kept_rejections: usize,
    /// Most bytes of a rejected record that are kept there.
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
            sought_refusals: 1_000,
            dictionary_ids: Dictionary::DEFAULT_CAPACITY,
            retry_delay_ms: 1_000,
            max_retry_delay_ms: 5_000,
            kept_rejections: 100,
            kept_rejection_bytes: 65_536,
        }
    }
}

impl IngestConfig {
    /// Everything that is wrong with the values, each with what to do.
    pub fn problems(&self) -> Vec<Problem> {
        let at_least_one = [
            (self.max_request_bytes, "max_request_bytes"),
            (self.max_request_records, "max_request_records"),
            (self.max_record_elements, "max_record_elements"),
            (self.budget_bytes, "budget_bytes"),
            (self.writers, "writers"),
            (self.batch_records, "batch_records"),
            (self.batch_bytes, "batch_bytes"),
            (self.partition_attempts as usize, "partition_attempts"),
            (self.dictionary_ids, "dictionary_ids"),
        ];
        let mut problems: Vec<_> = at_least_one
            .into_iter()
            .filter(|(value, _)| *value == 0)
            .map(|(_, key)| Problem::new(key, "must be at least 1"))
            .collect();
        if self.max_request_bytes > MOST_REQUEST_BYTES {
            problems.push(Problem::new(
                "max_request_bytes",
                "must be at most 1 GiB, the most that PostgreSQL takes for one value",
            ));
        }
        if self.arriving_bytes < ORDINARY_BYTES {
            problems.push(Problem::new("arriving_bytes", "must be at least 1 MiB: room for one request"));
        }
        for (millis, key) in [
            (self.receive_within_ms, "receive_within_ms"),
            (self.receive_idle_ms, "receive_idle_ms"),
            (self.commit_within_ms, "commit_within_ms"),
            (self.write_backoff_ms, "write_backoff_ms"),
        ] {
            if millis == 0 {
                problems.push(Problem::new(key, "must be at least 1 millisecond"));
            }
        }
        if self.max_write_backoff_ms < self.write_backoff_ms {
            problems.push(Problem::new("max_write_backoff_ms", "must not be less than write_backoff_ms"));
        }
        if self.max_retry_delay_ms < self.retry_delay_ms {
            problems.push(Problem::new("max_retry_delay_ms", "must not be less than retry_delay_ms"));
        }
        if self.patience_ms >= self.answer_within_ms {
            problems.push(Problem::new("patience_ms", "must be less than answer_within_ms"));
        }
        problems
    }

    /// Longest wait for a part of a budget.
    pub fn patience(&self) -> Duration {
        Duration::from_millis(self.patience_ms)
    }

    /// Longest time to an answer.
    pub fn answer_within(&self) -> Duration {
        Duration::from_millis(self.answer_within_ms)
    }

    pub(crate) fn linger(&self) -> Duration {
        Duration::from_millis(self.linger_ms)
    }

    pub(crate) fn commit_within(&self) -> Duration {
        Duration::from_millis(self.commit_within_ms)
    }

    /// How a writer waits for a database that is away, and how soon it runs a batch again.
    pub(crate) fn write_retry(&self) -> RetryConfig {
        RetryConfig {
            attempts: self.partition_attempts,
            initial_backoff_ms: self.write_backoff_ms,
            max_backoff_ms: self.max_write_backoff_ms,
        }
    }

    /// Longest time for a request to arrive.
    pub fn receive_within(&self) -> Duration {
        Duration::from_millis(self.receive_within_ms)
    }

    /// Longest pause of a request that is arriving.
    pub fn receive_idle(&self) -> Duration {
        Duration::from_millis(self.receive_idle_ms)
    }

    /// The delay that a refused client is asked to keep, within its limits and with jitter, so that clients don't come back
    /// in step.
    pub(crate) fn retry_delay(&self, wanted: Duration) -> Duration {
        let wanted = u64::try_from(wanted.as_millis()).unwrap_or(u64::MAX);
        let (least, most) = (self.retry_delay_ms, self.max_retry_delay_ms);
        let delay = wanted.clamp(least, most);
        let range = (delay - delay / 4).max(least)..=(delay + delay / 4).min(most);
        Duration::from_millis(rand::random_range(range))
    }
}

const MOST_REQUEST_BYTES: usize = 1024 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

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
