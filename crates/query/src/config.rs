//! The limits of a query, each by its name.

use llm_observatory_config::{Problems, Validate};
use serde::{Deserialize, Serialize};

/// How much one query may ask for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QueryConfig {
    /// Rows of a page when the caller does not say.
    pub default_page_size: u16,
    /// Most rows of a page, also for a caller who asks for more.
    pub max_page_size: u16,
    /// How far a time range reaches back from now when the caller gives no start, in seconds.
    pub default_range_s: u64,
    /// How far a time range reaches beyond now when the caller gives no end, in seconds. It covers clocks that run ahead.
    pub default_ahead_s: u64,
    /// Longest time until a list is answered, in milliseconds. A shorter deadline of the caller counts instead.
    pub timeout_ms: u64,
    /// Most spans in one message of a streamed trace.
    pub chunk_spans: u16,
    /// About how many bytes one message of a streamed trace holds.
    pub chunk_bytes: usize,
    /// About how many bytes a page of records or points holds; a page that would hold more ends early. By default gRPC
    /// clients take no message of more than 4 MiB.
    pub page_bytes: usize,
    /// Most bytes of one span, log record or data point in an answer; a larger one ends the answer with an error that names
    /// it, unless the caller asks for cut values.
    pub max_record_bytes: usize,
}

impl Default for QueryConfig {
    fn default() -> Self {
        Self {
            default_page_size: 100,
            max_page_size: 1_000,
            default_range_s: 24 * 3_600,
            default_ahead_s: 3_600,
            timeout_ms: 30_000,
            chunk_spans: 500,
            chunk_bytes: 1024 * 1024,
            page_bytes: 2 * 1024 * 1024,
            // More than a record of the largest request that is taken in can have.
            max_record_bytes: 256 * 1024 * 1024,
        }
    }
}

impl Validate for QueryConfig {
    fn validate(&self, problems: &mut Problems) {
        problems.at_least("default_page_size", self.default_page_size, 1);
        problems.not_less_than(
            "max_page_size",
            self.max_page_size,
            "default_page_size",
            self.default_page_size,
        );
        problems.at_most("max_page_size", self.max_page_size, 10_000);
        problems.at_least("timeout_ms", self.timeout_ms, 1);
        problems.at_least("chunk_spans", self.chunk_spans, 1);
        problems.at_least("max_record_bytes", self.max_record_bytes, 1_024);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_told() {
        assert!(QueryConfig::default().check().is_ok());
        let config =
            QueryConfig { default_page_size: 0, timeout_ms: 0, chunk_spans: 0, ..QueryConfig::default() };
        let mut problems = Problems::default();
        config.validate(&mut problems);
        let keys: Vec<_> = problems.into_found().into_iter().map(|problem| problem.key).collect();
        assert_eq!(keys, ["default_page_size", "timeout_ms", "chunk_spans"]);
    }
}
