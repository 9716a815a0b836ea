//! Requests that no client would make: bytes of the test's own, in a gRPC frame of the test's own.

use std::future::poll_fn;

use bytes::{BufMut as _, BytesMut};
use http_body_util::{BodyExt as _, Full};
use llm_observatory_core::Signal;
use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint};
use tonic::Status;
use tonic::body::Body;
use tonic::transport::Channel;
use tower_service::Service as _;

/// The gRPC method that takes spans.
pub const TRACES: &str = method(Signal::Traces);
/// The gRPC method that takes data points.
pub const METRICS: &str = method(Signal::Metrics);
/// The gRPC method that takes log records.
pub const LOGS: &str = method(Signal::Logs);

/// The gRPC method that takes the records of a signal.
pub const fn method(signal: Signal) -> &'static str {
    match signal {
        Signal::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        Signal::Metrics => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
        Signal::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    }
}

/// Sends `payload` as it is and gives the decoded answer. With an `encoding`, the frame claims that the payload is
/// compressed so.
///
/// # Errors
/// The status of a call that did not end with OK.
///
/// # Panics
/// When the connection breaks.
pub async fn send<A: Message + Default>(
    channel: &Channel,
    method: &str,
    encoding: Option<&str>,
    payload: &[u8],
) -> Result<A, Status> {
    let mut frame = BytesMut::new();
    frame.put_u8(encoding.is_some().into());
    frame.put_u32(payload.len().try_into().expect("a payload of less than 4 GiB"));
    frame.put_slice(payload);
    let mut request =
        http::Request::post(method).header("content-type", "application/grpc").header("te", "trailers");
    if let Some(encoding) = encoding {
        request = request.header("grpc-encoding", encoding);
    }
    let request = request.body(Body::new(Full::new(frame.freeze()))).expect("a path and headers of ASCII");
    let mut channel = channel.clone();
    poll_fn(|context| channel.poll_ready(context)).await.expect("a connection that lives");
    let response = channel.call(request).await.expect("a connection that lives");
    // A refusal comes in the headers, since there is no message before it.
    if let Some(refusal) = Status::from_header_map(response.headers()) {
        return Err(refusal);
    }
    let answer = response.into_body().collect().await?;
    let status = answer.trailers().and_then(Status::from_header_map).expect("a status in the trailers");
    match status.code() {
        tonic::Code::Ok => Ok(A::decode(answer.to_bytes().slice(5..)).expect("an answer of this type")),
        _ => Err(status),
    }
}

/// A length-delimited field: a message within a message, a text, or bytes.
pub fn field(number: u32, content: &[u8]) -> Vec<u8> {
    let mut field = Vec::new();
    encode_key(number, WireType::LengthDelimited, &mut field);
    encode_varint(content.len() as u64, &mut field);
    field.extend_from_slice(content);
    field
}

/// A request whose only group holds these encoded records: the field numbers are the same in all signals.
pub fn request<T: AsRef<[u8]>>(records: &[T]) -> Vec<u8> {
    let records: Vec<_> = records.iter().map(|record| field(2, record.as_ref())).collect();
    field(1, &field(2, &records.concat()))
}
