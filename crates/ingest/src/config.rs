//! The limits of the way in, each by its name.

use std::time::Duration;

use llm_observatory_storage::config::Problem;
use serde::{Deserialize, Serialize};

/// The limits of the way in. Each of the three signals has all of them for itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IngestConfig {
    /// Largest request, compressed and decompressed, in bytes. OTLP recommends 64 MiB.
    pub max_request_bytes: usize,
    /// Estimated memory that requests may hold between arrival and answer, in bytes.
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
    /// The delay that a refused client is asked to keep, in milliseconds; up to half is added at random.
    pub retry_delay_ms: u64,
}

impl Default for IngestConfig {
    fn default() -> Self {
        Self {
            max_request_bytes: 64 * 1024 * 1024,
            budget_bytes: 64 * 1024 * 1024,
            patience_ms: 2_000,
            answer_within_ms: 4_000,
            writers: 2,
            linger_ms: 5,
            batch_records: 20_000,
            batch_bytes: 16 * 1024 * 1024,
            offload_bytes: 4 * 1024 * 1024,
            retry_delay_ms: 1_000,
        }
    }
}

impl IngestConfig {
    /// Everything that is wrong with the values, each with what to do.
    pub fn problems(&self) -> Vec<Problem> {
        let at_least_one = [
            (self.max_request_bytes, "max_request_bytes"),
            (self.budget_bytes, "budget_bytes"),
            (self.writers, "writers"),
            (self.batch_records, "batch_records"),
            (self.batch_bytes, "batch_bytes"),
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
        if self.patience_ms >= self.answer_within_ms {
            problems.push(Problem::new("patience_ms", "must be less than answer_within_ms"));
        }
        problems
    }

    pub(crate) fn patience(&self) -> Duration {
        Duration::from_millis(self.patience_ms)
    }

    pub(crate) fn answer_within(&self) -> Duration {
        Duration::from_millis(self.answer_within_ms)
    }

    pub(crate) fn linger(&self) -> Duration {
        Duration::from_millis(self.linger_ms)
    }

    /// A delay for a refused client, with jitter so that clients don't come back in step.
    pub(crate) fn retry_delay(&self) -> Duration {
        Duration::from_millis(self.retry_delay_ms + rand::random_range(0..=self.retry_delay_ms / 2))
    }
}

const MOST_REQUEST_BYTES: usize = 1024 * 1024 * 1024;
