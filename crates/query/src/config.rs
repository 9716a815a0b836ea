//! The limits of a query, by name.

use std::time::Duration;

use llm_observatory_storage::config::Problem;
use serde::{Deserialize, Serialize};

use crate::Caller;

/// How much one query may ask for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QueryConfig {
    /// Rows of a page when the caller does not say.
    pub default_page_size: u16,
    /// Most rows of a page; a caller who asks for more gets so many.
    pub max_page_size: u16,
    /// How far a time range reaches back from now when its start is not told, in seconds.
    pub default_range_s: u64,
    /// How far a time range reaches beyond now when its end is not told, in seconds: clocks that run ahead are seen.
    pub default_ahead_s: u64,
    /// Longest time that the answer to a list may take, in milliseconds. A shorter deadline of the caller counts instead.
    pub timeout_ms: u64,
    /// Most spans in one message of a streamed trace.
    pub chunk_spans: u16,
    /// About how many bytes one message of a streamed trace holds.
    pub chunk_bytes: usize,
    /// About how many bytes a page of records or points holds; a page that would hold more ends early. gRPC clients refuse
    /// messages of more than 4 MiB unless told otherwise.
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

impl QueryConfig {
    /// Everything that is wrong with the values, each with what to do.
    pub fn problems(&self) -> Vec<Problem> {
        let rules = [
            (self.default_page_size >= 1, "default_page_size", "must be at least 1"),
            (
                self.max_page_size >= self.default_page_size,
                "max_page_size",
                "must not be less than default_page_size",
            ),
            (self.max_page_size <= 10_000, "max_page_size", "must be at most 10000"),
            (self.timeout_ms >= 1, "timeout_ms", "must be at least 1 millisecond"),
            (self.chunk_spans >= 1, "chunk_spans", "must be at least 1"),
            (self.max_record_bytes >= 1_024, "max_record_bytes", "must be at least 1024"),
        ];
        let broken = rules.into_iter().filter(|(holds, ..)| !holds);
        broken.map(|(_, key, message)| Problem::new(key, message)).collect()
    }

    /// How long a list for this caller may take.
    pub(crate) fn patience(&self, caller: &Caller) -> Duration {
        let most = Duration::from_millis(self.timeout_ms);
        caller.patience.map_or(most, |patience| patience.min(most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_told() {
        assert!(QueryConfig::default().problems().is_empty());
        let config =
            QueryConfig { default_page_size: 0, timeout_ms: 0, chunk_spans: 0, ..QueryConfig::default() };
        let keys: Vec<_> = config.problems().into_iter().map(|problem| problem.key).collect();
        assert_eq!(keys, ["default_page_size", "timeout_ms", "chunk_spans"]);
    }
}
