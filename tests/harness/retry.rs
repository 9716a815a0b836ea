//! RetryInfo: how a server says when to come back.

use std::time::Duration;

use prost::Message;
use prost_types::Any;
use tonic::{Code, Status};

const RETRY_INFO: &str = "type.googleapis.com/google.rpc.RetryInfo";

/// `google.rpc.Status`, which travels in `grpc-status-details-bin`.
#[derive(Clone, PartialEq, Message)]
pub struct RpcStatus {
    /// The gRPC code.
    #[prost(int32, tag = "1")]
    pub code: i32,
    /// The message.
    #[prost(string, tag = "2")]
    pub message: String,
    /// What there is to know beyond that.
    #[prost(message, repeated, tag = "3")]
    pub details: Vec<Any>,
}

/// `google.rpc.RetryInfo`.
#[derive(Clone, PartialEq, Message)]
pub struct RetryInfo {
    /// How long to wait.
    #[prost(message, optional, tag = "1")]
    pub retry_delay: Option<prost_types::Duration>,
}

/// The delay that a refusal asks for, read where the Collector reads it.
pub fn retry_delay(status: &Status) -> Option<Duration> {
    let details = RpcStatus::decode(status.details()).ok()?.details;
    let info = details.iter().find(|detail| detail.type_url == RETRY_INFO)?;
    RetryInfo::decode(&*info.value).ok()?.retry_delay?.try_into().ok()
}

/// UNAVAILABLE, to be tried again after `delay`.
pub fn come_back_after(delay: Duration, message: &str) -> Status {
    let info = RetryInfo { retry_delay: delay.try_into().ok() };
    let details = vec![Any { type_url: RETRY_INFO.to_owned(), value: info.encode_to_vec() }];
    let status = RpcStatus { code: Code::Unavailable.into(), message: message.to_owned(), details };
    Status::with_details(Code::Unavailable, message, status.encode_to_vec().into())
}
