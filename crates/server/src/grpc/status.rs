//! The one place that knows what gRPC calls the things that go wrong.

use std::time::Duration;

use bytes::Bytes;
use llm_observatory_ingest::Refusal;
use llm_observatory_query::Error as QueryError;
use prost::Message;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code, Status};

use super::message::{ENCODINGS, Unread};
use super::query::Unreadable;

/// `google.rpc.Status`, as it stands in the trailer `grpc-status-details-bin`.
#[derive(Clone, PartialEq, Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<prost_types::Any>,
}

/// `google.rpc.RetryInfo`.
#[derive(Clone, PartialEq, Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<prost_types::Duration>,
}

/// When a client may try again that was too slow.
const SLOW_RETRY: Duration = Duration::from_secs(1);

/// A trailer of its own for RetryInfo: Python's exporter reads this one, all others read the status details.
const RETRY_INFO_TRAILER: &str = "google.rpc.retryinfo-bin";

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

/// What a client is told whose request could not be read. [`Unread::NoRoom`] is a [`Refusal`], which knows when there will be.
pub(super) fn of_unread(unread: &Unread, limit: usize) -> Status {
    let message = unread.to_string();
    match unread {
        Unread::TooLarge | Unread::NoRoom => Status::resource_exhausted(format!(
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
        QueryError::NotFound(_) | QueryError::Expired(_) => Status::not_found(message),
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
    let retry_delay = prost_types::Duration {
        seconds: i64::try_from(delay.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(delay.subsec_nanos()).unwrap_or(0),
    };
    let retry_info = RetryInfo { retry_delay: Some(retry_delay) }.encode_to_vec();
    let details = RpcStatus {
        code: code as i32,
        message: message.clone(),
        details: vec![prost_types::Any {
            type_url: "type.googleapis.com/google.rpc.RetryInfo".to_owned(),
            value: retry_info.clone(),
        }],
    };
    let mut trailers = MetadataMap::new();
    trailers.insert_bin(RETRY_INFO_TRAILER, MetadataValue::from_bytes(&retry_info));
    Status::with_details_and_metadata(code, message, Bytes::from(details.encode_to_vec()), trailers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_house_asks_to_come_back() {
        let status = of_refusal(&Refusal::NoRoom { retry_after: Duration::from_millis(1_500) });
        assert_eq!(status.code(), Code::ResourceExhausted);
        let details = RpcStatus::decode(status.details()).unwrap();
        let info = RetryInfo::decode(&*details.details[0].value).unwrap();
        assert_eq!(info.retry_delay, Some(prost_types::Duration { seconds: 1, nanos: 500_000_000 }));
        let trailer = status.metadata().get_bin(RETRY_INFO_TRAILER).unwrap().to_bytes().unwrap();
        assert_eq!(RetryInfo::decode(trailer).unwrap(), info);
    }
}
