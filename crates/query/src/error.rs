//! Why a question has no answer.

use std::fmt;

use llm_observatory_core::ids::{SpanId, TraceId};
use llm_observatory_core::time::UnixNanos;
use llm_observatory_storage::Error as StorageError;
use llm_observatory_storage::error::Failure;
use llm_observatory_storage::models::attributes::Inconsistent;

/// Why a question has no answer. The text is for the caller and reveals no internals; the `source` holds these.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The question is invalid; the caller must change it.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// Neither spans nor a summary of the trace are stored.
    #[error("no span of trace {0} is stored")]
    NotFound(TraceId),
    /// The span is not stored.
    #[error("span {1} of trace {0} is not stored")]
    NoSpan(TraceId, SpanId),
    /// The span is stored, but no LLM dialect describes it.
    #[error("span {1} of trace {0} is stored, but is no LLM span: GetTrace shows it")]
    NoLlmSpan(TraceId, SpanId),
    /// The summary of the trace is stored, but its spans were dropped.
    #[error("the spans of trace {0} are expired: only its summary is still stored")]
    Expired(TraceId),
    /// One record exceeds `query.max_record_bytes`. The caller may ask for cut values.
    #[error(
        "{record} takes {bytes} bytes, more than query.max_record_bytes ({limit}): ask with max_value_bytes, \
         so that long values are cut"
    )]
    TooLarge {
        /// The record that is too large.
        record: Record,
        /// Its size in a message, in bytes.
        bytes: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The database can't answer now. The caller may try again.
    #[error("the database is not available; try again")]
    Unavailable(#[source] StorageError),
    /// The answer takes longer than its time limit. The caller must ask for less.
    #[error("the query exceeded its time limit; ask for a shorter time range or fewer rows")]
    TimedOut(#[source] StorageError),
    /// A bug of this program, or a row that contradicts itself.
    #[error("internal error")]
    Internal(#[source] StorageError),
}

/// What is wrong with a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// The period ends before it starts.
    #[error("end_time must not be before start_time")]
    EndBeforeStart,
    /// The page token is malformed or was returned for another question.
    #[error("page_token does not belong to this question; leave it empty for the first page")]
    ForeignToken,
    /// No number lies in the range of a filter. Holds the name of its fields.
    #[error("min_{0} must not be more than max_{0}")]
    EmptyRange(&'static str),
    /// OTLP has no such severity.
    #[error("min_severity_number must be between 0 and {most}, not {asked}")]
    Severity {
        /// The severity in the question.
        asked: i32,
        /// The highest severity.
        most: i32,
    },
}

/// Names one record in an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Record {
    /// The span with these ids.
    Span(TraceId, SpanId),
    /// A log record with this time.
    Log(UnixNanos),
    /// A data point with this time.
    DataPoint(UnixNanos),
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Span(trace, span) => write!(f, "span {span} of trace {trace}"),
            Self::Log(time) => write!(f, "the log record with time_unix_nano {}", time.0),
            Self::DataPoint(time) => write!(f, "the data point with time_unix_nano {}", time.0),
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
    fn the_text_of_an_error_reveals_no_internals() {
        let error = Error::from(StorageError::Unavailable("10.0.0.7:5432 refused".to_owned()));
        assert!(matches!(error, Error::Unavailable(_)));
        assert_eq!(error.to_string(), "the database is not available; try again");
        assert_eq!(Error::from(Inconsistent::Layout).to_string(), "internal error");
    }

    #[test]
    fn an_error_names_the_record_that_is_too_large() {
        let span = Record::Span(TraceId::from_foreign("t"), SpanId::from_wire(&[7; 8]).unwrap());
        let error = Error::TooLarge { record: span, bytes: 9, limit: 8 }.to_string();
        assert!(
            error.contains("span 0707070707070707 of trace") && error.contains("max_value_bytes"),
            "{error}"
        );
    }
}
