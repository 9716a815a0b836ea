//! The limits of questions.

use llm_observatory_config::{Problems, Validate};
use serde::{Deserialize, Serialize};

/// Limits and defaults of one question.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QueryConfig {
    /// Rows of a page if the caller names no size.
    pub default_page_size: u16,
    /// Most rows of a page; a caller who asks for more gets this number.
    pub max_page_size: u16,
    /// Seconds before now at which a period starts if the caller names no start.
    pub default_range_s: u64,
    /// Seconds after now at which a period ends if the caller names no end. It covers clocks that run ahead.
    pub default_ahead_s: u64,
    /// Longest time to answer a list, in milliseconds. A shorter deadline of the caller takes precedence.
    pub timeout_ms: u64,
    /// Most spans in one message of a streamed trace.
    pub chunk_spans: u16,
    /// Most bytes of the spans in one message of a streamed trace; a single larger span is sent alone.
    pub chunk_bytes: usize,
    /// Most bytes of the records or points of a page; further ones go to the next page, and a single larger one comes
    /// alone. gRPC clients refuse messages of more than 4 MiB by default.
    pub page_bytes: usize,
    /// Most bytes of one span, log record or data point in an answer. A larger one ends the answer with an error that
    /// names it. Cut values count with their cut size.
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
            // More than a record of the largest request that ingest accepts by default can have.
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
    fn every_mistake_is_reported() {
        assert!(QueryConfig::default().check().is_ok());
        let config =
            QueryConfig { default_page_size: 0, timeout_ms: 0, chunk_spans: 0, ..QueryConfig::default() };
        let mut problems = Problems::default();
        config.validate(&mut problems);
        let keys: Vec<_> = problems.into_found().into_iter().map(|problem| problem.key).collect();
        assert_eq!(keys, ["default_page_size", "timeout_ms", "chunk_spans"]);
    }
}
