//! The one place that knows what gRPC calls the things that go wrong.

use std::time::Duration;

use llm_observatory_ingest::Refusal;
use llm_observatory_query::Error as QueryError;
use prost::Message as _;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, RetryInfo, StatusExt as _, pb};

use super::query::Unreadable;
use crate::otlp::grpc::message::{ENCODINGS, Unread};

/// When a client may try again that was too slow.
const SLOW_RETRY: Duration = Duration::from_secs(1);

/// A trailer of its own for RetryInfo: Python's exporter reads this one, all others read the status details.
const RETRY_INFO_TRAILER: &str = "google.rpc.retryinfo-bin";

/// The reason in the ErrorInfo of a trace whose spans are gone, and the domain of all our reasons. `traces.proto` tells them.
const SPANS_EXPIRED: &str = "SPANS_EXPIRED";
const REASONS: &str = "llm_observatory.v1";

/// What an exporter is told. Exporters drop data on anything that they don't try again, so the code decides its fate
/// (OTLP specification, "Failures").
pub(crate) fn of_refusal(refusal: &Refusal) -> Status {
    let message = refusal.to_string();
    match refusal {
        Refusal::NotOtlp(_) => Status::invalid_argument(message),
        // Without RetryInfo: the same request would be refused again.
        Refusal::TooManyRecords { .. } | Refusal::TooHeavy { .. } => Status::resource_exhausted(message),
        Refusal::NoRoom { retry_after } => retryable(Code::ResourceExhausted, message, *retry_after),
        Refusal::Unavailable { retry_after } | Refusal::Stopping { retry_after } => {
            retryable(Code::Unavailable, message, *retry_after)
        }
    }
}

/// What a client is told whose request could not be read: `limit` is the most bytes that it may have, and `no_room` the
/// refusal of one that finds no room, which knows when there will be.
pub(crate) fn of_unread(unread: &Unread, limit: usize, no_room: impl FnOnce() -> Refusal) -> Status {
    let message = unread.to_string();
    match unread {
        Unread::NoRoom => of_refusal(&no_room()),
        Unread::TooLarge => Status::resource_exhausted(format!(
            "the request is larger than {limit} bytes, compressed or decompressed: \
             send smaller batches, or raise ingest.max_request_bytes"
        )),
        Unread::TooSlow => retryable(Code::DeadlineExceeded, message, SLOW_RETRY),
        Unread::Encoding => {
            let mut status = Status::unimplemented(message);
            status.metadata_mut().insert("grpc-accept-encoding", MetadataValue::from_static(ENCODINGS));
            status
        }
        Unread::Malformed(_) => Status::invalid_argument(message),
        Unread::Left => Status::cancelled(message),
    }
}

/// What a reader is told whose question has a field that can't be read.
pub(super) fn of_unreadable(unreadable: Unreadable) -> Status {
    Status::invalid_argument(unreadable.to_string())
}

/// What a reader is told.
pub(crate) fn of_query(error: QueryError) -> Status {
    let message = error.to_string();
    match error {
        QueryError::Invalid(_) => Status::invalid_argument(message),
        QueryError::NotFound(_) => Status::not_found(message),
        QueryError::Expired(_) => {
            let details = ErrorDetails::with_error_info(SPANS_EXPIRED, REASONS, []);
            Status::with_error_details(Code::NotFound, message, details)
        }
        QueryError::TooLarge { .. } => Status::resource_exhausted(message),
        QueryError::Unavailable(cause) => {
            tracing::warn!(%cause, "query could not be answered");
            Status::unavailable(message)
        }
        QueryError::TimedOut(_) => Status::deadline_exceeded(message),
        QueryError::Internal(cause) => {
            tracing::error!(%cause, "query failed");
            Status::internal(message)
        }
    }
}

/// A status that asks to be tried again after a delay, told in both of the ways that clients read.
fn retryable(code: Code, message: String, delay: Duration) -> Status {
    let retry_info = RetryInfo::new(Some(delay));
    let mut trailers = MetadataMap::new();
    let encoded = pb::RetryInfo::from(retry_info.clone()).encode_to_vec();
    trailers.insert_bin(RETRY_INFO_TRAILER, MetadataValue::from_bytes(&encoded));
    let details = ErrorDetails::with_retry_info(retry_info.retry_delay);
    Status::with_error_details_and_metadata(code, message, details, trailers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_house_asks_to_come_back() {
        let delay = Duration::from_millis(1_500);
        let unread = of_unread(&Unread::NoRoom, 4_096, || Refusal::NoRoom { retry_after: delay });
        for status in [of_refusal(&Refusal::NoRoom { retry_after: delay }), unread] {
            assert_eq!(status.code(), Code::ResourceExhausted);
            assert!(!status.message().contains("larger than"), "{}", status.message());
            assert_eq!(status.get_details_retry_info().unwrap().retry_delay, Some(delay));
            let trailer = status.metadata().get_bin(RETRY_INFO_TRAILER).unwrap().to_bytes().unwrap();
            let info = pb::RetryInfo::decode(trailer).unwrap();
            assert_eq!(info.retry_delay, Some(prost_types::Duration { seconds: 1, nanos: 500_000_000 }));
        }
    }

    #[test]
    fn a_request_that_will_never_fit_is_not_sent_again() {
        let status = of_unread(&Unread::TooLarge, 4_096, || unreachable!("there is room"));
        assert_eq!(status.code(), Code::ResourceExhausted);
        assert!(status.message().contains("larger than 4096 bytes"), "{}", status.message());
        assert!(status.get_details_retry_info().is_none());
    }
}
