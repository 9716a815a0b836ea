//! The ways in which a request is refused as a whole.

use std::time::Duration;

use crate::wire::Malformed;

/// A request of which nothing was stored, as far as the client must assume.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is not the protobuf of this signal; it will not be the next time either.
    #[error("not a valid OTLP request: {0}")]
    NotOtlp(Malformed),
    /// It holds more records and groups than a request may.
    #[error(
        "the request holds more than {limit} records and groups: send smaller batches, or raise ingest.max_request_records"
    )]
    TooManyRecords {
        /// `ingest.max_request_records`.
        limit: usize,
    },
    /// Its rows would take more memory than there is for all requests.
    #[error(
        "the request takes more than {limit} bytes when it is decoded: send smaller batches, or raise ingest.budget_bytes"
    )]
    TooHeavy {
        /// `ingest.budget_bytes`.
        limit: usize,
    },
    /// There is no room for it now.
    #[error("no room for this request within ingest.patience_ms (budget: ingest.budget_bytes); try again")]
    NoRoom {
        /// When to try again.
        retry_after: Duration,
    },
    /// It could not be written now.
    #[error("PostgreSQL is not available, or too slow to answer within ingest.answer_within_ms; try again")]
    Unavailable {
        /// When to try again.
        retry_after: Duration,
    },
    /// The daemon is stopping.
    #[error("shutting down; try again")]
    Stopping {
        /// When to try again.
        retry_after: Duration,
    },
}

impl Refusal {
    /// The reason in one word, for metrics.
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
