//! Turns refusals and errors into gRPC statuses. Every gRPC face asks here.

use std::time::Duration;

use llm_observatory_ingest::Refusal;
use llm_observatory_query::Error as QueryError;
use prost::Message as _;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, RetryInfo, StatusExt as _, pb};

use super::query::Unreadable;
use crate::otlp::grpc::message::{ENCODINGS, Unread};

/// The delay that a client which was too slow is asked to keep.
const SLOW_RETRY: Duration = Duration::from_secs(1);

/// A second trailer with RetryInfo: Python's exporter reads this one, all others read the status details.
const RETRY_INFO_TRAILER: &str = "google.rpc.retryinfo-bin";

/// The reason in the ErrorInfo of a trace whose spans are gone. `traces.proto` documents it.
const SPANS_EXPIRED: &str = "SPANS_EXPIRED";
/// The domain of the reasons in our ErrorInfo.
const REASONS: &str = "llm_observatory.v1";

/// The status of a refused request. An exporter drops the data unless it tries the code again (OTLP specification,
/// "Failures"), so a refusal that may pass has a code that exporters retry.
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

/// The status of a request that could not be read. `limit` is `ingest.max_request_bytes`; `no_room` makes the refusal
/// of a request without room, whose delay follows the backlog.
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

/// The status of a question with a field that can't be read.
pub(super) fn of_unreadable(unreadable: Unreadable) -> Status {
    Status::invalid_argument(unreadable.to_string())
}

/// The status of a question that can't be answered.
pub(crate) fn of_query(error: QueryError) -> Status {
    let message = error.to_string();
    match error {
        QueryError::Invalid(_) => Status::invalid_argument(message),
        QueryError::NotFound(_) | QueryError::NoSpan(..) | QueryError::NoLlmSpan(..) => {
            Status::not_found(message)
        }
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

/// A status with RetryInfo, in both trailers that clients read.
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
    fn a_request_without_room_is_refused_with_retry_info() {
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
    fn a_request_that_can_never_fit_is_refused_without_retry_info() {
        let status = of_unread(&Unread::TooLarge, 4_096, || unreachable!("there is room"));
        assert_eq!(status.code(), Code::ResourceExhausted);
        assert!(status.message().contains("larger than 4096 bytes"), "{}", status.message());
        assert!(status.get_details_retry_info().is_none());
    }
}
