//! Requests that no client would make: bytes of our own, in a gRPC frame of our own.

use std::future::poll_fn;

use bytes::{BufMut as _, Bytes, BytesMut};
use http_body_util::{BodyExt as _, Full};
use prost::Message;
use tonic::Status;
use tonic::body::Body;
use tonic::transport::Channel;
use tower_service::Service as _;

pub(crate) const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
pub(crate) const METRICS: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
pub(crate) const LOGS: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";

/// Sends `payload` as it is, which is said to be compressed when an encoding is named. Gives the decoded answer.
pub(crate) async fn send<A: Message + Default>(
    channel: &Channel,
    method: &str,
    encoding: Option<&str>,
    payload: &[u8],
) -> Result<A, Status> {
    let mut frame = BytesMut::new();
    frame.put_u8(encoding.is_some().into());
    frame.put_u32(payload.len().try_into().unwrap());
    frame.put_slice(payload);
    let mut request =
        http::Request::post(method).header("content-type", "application/grpc").header("te", "trailers");
    if let Some(encoding) = encoding {
        request = request.header("grpc-encoding", encoding);
    }
    let request = request.body(Body::new(Full::new(frame.freeze()))).unwrap();
    let mut channel = channel.clone();
    poll_fn(|context| channel.poll_ready(context)).await.unwrap();
    let response = channel.call(request).await.unwrap();
    // A refusal comes in the headers, since there is no message before it.
    if let Some(refusal) = Status::from_header_map(response.headers()) {
        return Err(refusal);
    }
    let answer = response.into_body().collect().await?;
    let status = answer.trailers().and_then(Status::from_header_map).unwrap();
    match status.code() {
        tonic::Code::Ok => Ok(A::decode(answer.to_bytes().slice(5..)).unwrap()),
        _ => Err(status),
    }
}

/// A length-delimited field: a message within a message, a text, or bytes.
pub(crate) fn field(number: u32, content: &[u8]) -> Bytes {
    let mut field = BytesMut::new();
    prost::encoding::encode_key(number, prost::encoding::WireType::LengthDelimited, &mut field);
    prost::encoding::encode_varint(content.len() as u64, &mut field);
    field.put_slice(content);
    field.freeze()
}

/// A request of either signal whose only group holds these encoded records: the field numbers are the same in all.
pub(crate) fn request<T: AsRef<[u8]>>(records: &[T]) -> Bytes {
    let records: Vec<_> = records.iter().map(|record| field(2, record.as_ref())).collect();
    field(1, &field(2, &records.concat()))
}
