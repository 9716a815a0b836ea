//! How traces with LLM calls are settled.

use llm_observatory_config::{Problems, Validate};
use serde::{Deserialize, Serialize};

/// How traces are settled: which of their calls are billable, and what log records say of them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SettlingConfig {
    /// Time between two runs of the job that settles traces, in milliseconds.
    pub interval_ms: u64,
    /// How long a trace rests after it was noted, in milliseconds, so that its other spans come first.
    pub delay_ms: u64,
    /// Traces that are looked up at once.
    pub batch: usize,
    /// Longest time of one run, in seconds; the next run continues. Must be less than the daemon's limit for a job.
    pub max_run_s: u64,
    /// Further rest of a trace for each of its spans, in microseconds: a trace that keeps growing is settled less often the
    /// larger it is, since each settling reads all of it.
    pub span_wait_us: u64,
    /// Most spans of a trace that is settled. A larger one keeps what its batches told.
    pub max_spans: usize,
    /// Most GenAI log records of a trace that are read.
    pub max_logs: usize,
    /// Wait for the span of a log record after the first look for it, in milliseconds; it doubles from then on. A span that
    /// comes ends the wait.
    pub backoff_ms: u64,
    /// Longest wait between two looks for a span, in seconds.
    pub max_backoff_s: u64,
    /// How long to wait for the span of a log record in all, in seconds.
    pub max_age_s: u64,
}

impl Default for SettlingConfig {
    /// A settling takes about 10 us a span, so at 1,000 us a span a growing trace takes one percent of a core.
    fn default() -> Self {
        Self {
            interval_ms: 1_000,
            delay_ms: 1_000,
            batch: 200,
            max_run_s: 45,
            span_wait_us: 1_000,
            max_spans: 500_000,
            max_logs: 10_000,
            backoff_ms: 2_000,
            max_backoff_s: 3_600,
            max_age_s: 7 * 86_400,
        }
    }
}

impl Validate for SettlingConfig {
    fn validate(&self, problems: &mut Problems) {
        problems.at_least("interval_ms", self.interval_ms, 1);
        problems.at_least("batch", self.batch, 1);
        problems.at_least("max_run_s", self.max_run_s, 1);
        problems.at_least("max_spans", self.max_spans, 1);
        problems.at_least("max_logs", self.max_logs, 1);
        problems.at_least("backoff_ms", self.backoff_ms, 1);
        problems.at_least("max_backoff_s", self.max_backoff_s, 1);
        problems.at_least("max_age_s", self.max_age_s, 1);
    }
}
