//! Why a request is refused.

use std::time::Duration;

use crate::wire::Malformed;

/// Why a request is refused. Its client must assume that nothing of it is stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The bytes are not an Export request of this signal; trying again is in vain.
    #[error("not a valid OTLP request: {0}")]
    NotOtlp(Malformed),
    /// It holds more records and groups than `ingest.max_request_records`; trying again is in vain.
    #[error(
        "the request holds more than {limit} records and groups: send smaller batches, or raise ingest.max_request_records"
    )]
    TooManyRecords {
        /// `ingest.max_request_records`.
        limit: usize,
    },
    /// Its rows would take more memory than `ingest.budget_bytes`; trying again is in vain.
    #[error(
        "the request takes more than {limit} bytes when it is decoded: send smaller batches, or raise ingest.budget_bytes"
    )]
    TooHeavy {
        /// `ingest.budget_bytes`.
        limit: usize,
    },
    /// Other requests hold the room that it needs.
    #[error(
        "no room for this request within ingest.patience_ms (limits: ingest.arriving_bytes, ingest.budget_bytes); try again"
    )]
    NoRoom {
        /// Delay before the client tries again.
        retry_after: Duration,
    },
    /// It could not be written in time.
    #[error(
        "PostgreSQL is not available, or did not store the request within ingest.answer_within_ms; try again"
    )]
    Unavailable {
        /// Delay before the client tries again.
        retry_after: Duration,
    },
    /// The daemon is stopping.
    #[error("the daemon is shutting down; try again")]
    Stopping {
        /// Delay before the client tries again.
        retry_after: Duration,
    },
}

impl Refusal {
    /// The reason in one word: a label of metrics and the books.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NotOtlp(_) => "not_otlp",
            Self::TooManyRecords { .. } => "too_many_records",
            Self::TooHeavy { .. } => "too_heavy",
            Self::NoRoom { .. } => "no_room",
            Self::Unavailable { .. } => "unavailable",
            Self::Stopping { .. } => "stopping",
        }
    }
}
