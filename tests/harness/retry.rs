//! RetryInfo, by which a server tells a client when to send a refused request again.

use std::time::Duration;

use prost::Message as _;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _, pb};

/// The trailer that Python's exporter reads RetryInfo from; all other clients read the details of the status.
const TRAILER: &str = "google.rpc.retryinfo-bin";

/// The delay that a refusal asks for, read where the Collector reads it: in the details of the status.
pub fn retry_delay(status: &Status) -> Option<Duration> {
    status.get_details_retry_info()?.retry_delay
}

/// The delay that a refusal asks every client for; `None` when some client would give the request up.
///
/// That takes one of the two codes of OTLP, and the same delay in the details and in the trailer of Python's exporter.
pub fn delay_asked_by(status: &Status) -> Option<Duration> {
    if !matches!(status.code(), Code::Unavailable | Code::ResourceExhausted) {
        return None;
    }
    let trailer = status.metadata().get_bin(TRAILER)?.to_bytes().ok()?;
    let in_trailer: Duration = pb::RetryInfo::decode(trailer).ok()?.retry_delay?.try_into().ok()?;
    retry_delay(status).filter(|delay| *delay == in_trailer && !delay.is_zero())
}

/// Whether no client is asked to send the request again: with RetryInfo it would do so, for minutes.
pub fn is_for_good(status: &Status) -> bool {
    status.details().is_empty() && status.metadata().get_bin(TRAILER).is_none()
}

/// A refusal for now: UNAVAILABLE with RetryInfo, which asks the client to try again after `delay`.
pub fn refuse_for_now(delay: Duration, message: &str) -> Status {
    let details = ErrorDetails::with_retry_info(Some(delay));
    Status::with_error_details(Code::Unavailable, message, details)
}
