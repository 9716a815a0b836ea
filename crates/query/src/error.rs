//! What can go wrong, by who must act.

use std::fmt;

use llm_observatory_core::ids::{SpanId, TraceId};
use llm_observatory_core::time::UnixNanos;
use llm_observatory_storage::Error as StorageError;
use llm_observatory_storage::error::Failure;
use llm_observatory_storage::models::attributes::Inconsistent;

/// Why a question has no answer. The text is for the caller, and tells nothing of our insides; those are the source.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The question is wrong: the caller must change it.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// Nothing is known of the trace that is asked for.
    #[error("no span of trace {0} is stored")]
    NotFound(TraceId),
    /// The trace was stored, and its summary still is; its spans are past their retention.
    #[error("the spans of trace {0} are expired: only its summary is still stored")]
    Expired(TraceId),
    /// One record is larger than an answer may hold: the caller may ask for cut values.
    #[error(
        "{record} takes {bytes} bytes, more than query.max_record_bytes ({limit}): ask with max_value_bytes, \
         so that long values are cut"
    )]
    TooLarge {
        /// The record.
        record: Record,
        /// Its size in a message.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The database can't work now: the caller may try again.
    #[error("the database is not available; try again")]
    Unavailable(#[source] StorageError),
    /// The question takes too long to answer: the caller must ask for less.
    #[error("the query took longer than it may; ask for a shorter time range or fewer rows")]
    TimedOut(#[source] StorageError),
    /// A mistake of ours.
    #[error("internal error")]
    Internal(#[source] StorageError),
}

/// What is wrong with a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// A period ends before it starts.
    #[error("end_time must not be before start_time")]
    EndBeforeStart,
    /// A page token was not given for this question.
    #[error("page_token does not belong to this question; leave it empty to begin anew")]
    ForeignToken,
    /// A severity that OTLP does not know.
    #[error("min_severity_number must be between 0 and {most}, not {asked}")]
    Severity {
        /// The severity that was asked for.
        asked: i32,
        /// The most severe one.
        most: i32,
    },
}

/// One record, as an error names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Record {
    /// A span by its ids.
    Span(TraceId, SpanId),
    /// A log record by its time.
    Log(UnixNanos),
    /// A data point by its time.
    DataPoint(UnixNanos),
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Span(trace, span) => write!(f, "span {span} of trace {trace}"),
            Self::Log(time) => write!(f, "the log record of time_unix_nano {}", time.0),
            Self::DataPoint(time) => write!(f, "the data point of time_unix_nano {}", time.0),
        }
    }
}

impl From<StorageError> for Error {
    fn from(error: StorageError) -> Self {
        match error.failure() {
            Failure::Unavailable | Failure::Conflict => Self::Unavailable(error),
            Failure::TimedOut => Self::TimedOut(error),
            Failure::Duplicate | Failure::Data | Failure::NoPartition | Failure::Bug => Self::Internal(error),
        }
    }
}

impl From<Inconsistent> for Error {
    fn from(error: Inconsistent) -> Self {
        Self::Internal(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_hears_nothing_of_our_insides() {
        let error = Error::from(StorageError::Unavailable("10.0.0.7:5432 refused".to_owned()));
        assert!(matches!(error, Error::Unavailable(_)));
        assert_eq!(error.to_string(), "the database is not available; try again");
        assert_eq!(Error::from(Inconsistent::Layout).to_string(), "internal error");
    }

    #[test]
    fn a_record_that_is_too_large_is_named() {
        let span = Record::Span(TraceId::from_foreign("t"), SpanId::from_wire(&[7; 8]).unwrap());
        let error = Error::TooLarge { record: span, bytes: 9, limit: 8 }.to_string();
        assert!(
            error.contains("span 0707070707070707 of trace") && error.contains("max_value_bytes"),
            "{error}"
        );
    }
}
