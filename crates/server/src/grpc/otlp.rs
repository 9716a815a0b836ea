//! OTLP/gRPC: the three Export methods, over a codec that hands out the decompressed bytes of a request.

use std::convert::Infallible;
use std::marker::PhantomData;
use std::task::{Context, Poll};

use bytes::{Buf as _, BufMut as _, Bytes};
use futures_util::future::BoxFuture;
use llm_observatory_core::ids::ProjectId;
use llm_observatory_ingest::{Accepted, Logs, MetricPoints, Pipeline, Signal, Spans};
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsPartialSuccess, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsPartialSuccess, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use prost::Message as _;
use tonic::body::Body;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::{Code, Request, Response, Status};

use super::status;

/// What gRPC must know of a signal.
pub trait Export: Signal {
    /// The full name of its service.
    const SERVICE: &'static str;

    /// The encoded answer; `None` when there is nothing to tell.
    fn response(partial_success: Option<(i64, String)>) -> Vec<u8>;
}

macro_rules! export {
    ($signal:ty, $service:literal, $response:ident, $partial:ident { $rejected:ident }) => {
        impl Export for $signal {
            const SERVICE: &'static str = concat!("opentelemetry.proto.collector.", $service);

            fn response(partial_success: Option<(i64, String)>) -> Vec<u8> {
                let partial_success =
                    partial_success.map(|($rejected, error_message)| $partial { $rejected, error_message });
                $response { partial_success }.encode_to_vec()
            }
        }
    };
}

export!(
    Spans,
    "trace.v1.TraceService",
    ExportTraceServiceResponse,
    ExportTracePartialSuccess { rejected_spans }
);
export!(
    MetricPoints,
    "metrics.v1.MetricsService",
    ExportMetricsServiceResponse,
    ExportMetricsPartialSuccess { rejected_data_points }
);
export!(
    Logs,
    "logs.v1.LogsService",
    ExportLogsServiceResponse,
    ExportLogsPartialSuccess { rejected_log_records }
);

/// One of OTLP's three services.
#[derive(Debug)]
pub struct ExportService<S: Signal> {
    pipeline: Pipeline<S>,
    max_request_bytes: usize,
}

impl<S: Signal> Clone for ExportService<S> {
    fn clone(&self) -> Self {
        Self { pipeline: self.pipeline.clone(), max_request_bytes: self.max_request_bytes }
    }
}

impl<S: Export> ExportService<S> {
    /// The service over a pipeline.
    pub fn new(pipeline: Pipeline<S>, max_request_bytes: usize) -> Self {
        Self { pipeline, max_request_bytes }
    }
}

impl<S: Export> NamedService for ExportService<S> {
    const NAME: &'static str = S::SERVICE;
}

impl<S: Export> tower_service::Service<http::Request<Body>> for ExportService<S> {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move {
            let is_export =
                request.uri().path().strip_prefix('/').and_then(|path| path.strip_prefix(S::SERVICE));
            if is_export != Some("/Export") {
                return Ok(Status::unimplemented("this service has the method Export").into_http());
            }
            let limit = service.max_request_bytes;
            let mut grpc = Grpc::new(BytesCodec::<S>(PhantomData))
                .accept_compressed(CompressionEncoding::Gzip)
                .accept_compressed(CompressionEncoding::Zstd)
                .apply_max_message_size_config(Some(limit), None);
            Ok(permanent_if_unreadable(grpc.unary(Handler(service.pipeline), request).await, limit))
        })
    }
}

struct Handler<S: Signal>(Pipeline<S>);

impl<S: Export> UnaryService<Bytes> for Handler<S> {
    type Response = Accepted;
    type Future = BoxFuture<'static, Result<Response<Accepted>, Status>>;

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let pipeline = self.0.clone();
        Box::pin(async move {
            let export = pipeline.export(ProjectId::DEFAULT, request.into_inner());
            export.await.map(Response::new).map_err(|refusal| status::of_refusal(&refusal))
        })
    }
}

/// Gives the codes that OTLP wants to what tonic refuses before a handler sees it.
///
/// tonic calls a message over the limit OUT_OF_RANGE, which exporters try again for minutes, and undecodable compression
/// INTERNAL. Our own answers never have either code, and a refusal of ours carries details.
fn permanent_if_unreadable(response: http::Response<Body>, limit: usize) -> http::Response<Body> {
    let Some(refusal) = Status::from_header_map(response.headers()) else {
        return response;
    };
    match refusal.code() {
        Code::OutOfRange | Code::ResourceExhausted if refusal.details().is_empty() => {
            let message = format!(
                "the request is larger than {limit} bytes, compressed or decompressed: \
                 send smaller batches, or raise ingest.max_request_bytes"
            );
            Status::resource_exhausted(message).into_http()
        }
        Code::Internal => Status::invalid_argument(refusal.message()).into_http(),
        _ => response,
    }
}

/// Hands out the bytes of a request as they came, decompressed; takes the answer's encoding from the signal.
struct BytesCodec<S>(PhantomData<S>);

struct BytesDecoder;

struct AnswerEncoder<S>(PhantomData<S>);

impl<S: Export> Codec for BytesCodec<S> {
    type Encode = Accepted;
    type Decode = Bytes;
    type Encoder = AnswerEncoder<S>;
    type Decoder = BytesDecoder;

    fn encoder(&mut self) -> Self::Encoder {
        AnswerEncoder(PhantomData)
    }

    fn decoder(&mut self) -> Self::Decoder {
        BytesDecoder
    }
}

impl Decoder for BytesDecoder {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, source: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(source.copy_to_bytes(source.remaining())))
    }
}

impl<S: Export> Encoder for AnswerEncoder<S> {
    type Item = Accepted;
    type Error = Status;

    fn encode(&mut self, accepted: Accepted, target: &mut EncodeBuf<'_>) -> Result<(), Status> {
        let Accepted { rejected, message } = accepted;
        let all_is_well = rejected == 0 && message.is_empty();
        let partial = (!all_is_well).then(|| (i64::try_from(rejected).unwrap_or(i64::MAX), message));
        target.put_slice(&S::response(partial));
        Ok(())
    }
}
