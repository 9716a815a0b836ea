//! OTLP/gRPC: the three Export methods.

pub(crate) mod message;

use std::convert::Infallible;
use std::future::ready;
use std::task::{Context, Poll};

use bytes::{BufMut as _, Bytes, BytesMut};
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderValue};
use http_body_util::{BodyExt as _, Full};
use llm_observatory_ingest::{Answer, OtlpSignal, Pipeline};
use llm_observatory_storage::writers::{LogBatch, MetricBatch, TraceBatch};
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsPartialSuccess, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsPartialSuccess, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use prost::Message as _;
use tokio::time::Instant;
use tonic::Status;
use tonic::body::Body;
use tonic::server::NamedService;

use crate::grpc::{deadline, status};
use crate::identity;

use message::{Message, Unread};

/// What differs between the three OTLP services.
pub(crate) trait Export: OtlpSignal {
    /// The full name of the service.
    const SERVICE: &'static str;

    /// The encoded response. `partial_success` holds the number of rejected records and a message for the client.
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
    TraceBatch,
    "trace.v1.TraceService",
    ExportTraceServiceResponse,
    ExportTracePartialSuccess { rejected_spans }
);
export!(
    MetricBatch,
    "metrics.v1.MetricsService",
    ExportMetricsServiceResponse,
    ExportMetricsPartialSuccess { rejected_data_points }
);
export!(
    LogBatch,
    "logs.v1.LogsService",
    ExportLogsServiceResponse,
    ExportLogsPartialSuccess { rejected_log_records }
);

/// The full names of the three services.
pub(crate) const SERVICES: [&str; 3] = [TraceBatch::SERVICE, MetricBatch::SERVICE, LogBatch::SERVICE];

/// One of OTLP's three services.
#[derive(Debug)]
pub(crate) struct ExportService<S: OtlpSignal> {
    pipeline: Pipeline<S>,
}

impl<S: OtlpSignal> Clone for ExportService<S> {
    fn clone(&self) -> Self {
        Self { pipeline: self.pipeline.clone() }
    }
}

impl<S: Export> ExportService<S> {
    /// The service over a pipeline.
    pub(crate) fn new(pipeline: Pipeline<S>) -> Self {
        Self { pipeline }
    }

    async fn export(self, request: http::Request<Body>) -> Result<Answer, Status> {
        let begin = Instant::now();
        let (head, body) = request.into_parts();
        let (config, arriving) = (self.pipeline.config(), self.pipeline.arriving());
        let patience = deadline::of(&head.headers);
        let read = message::read(head.headers, body, config, arriving).await;
        let Message { bytes, charge, waited } = read.map_err(|unread| self.unread(&unread))?;
        let mut deadline = Instant::now() + config.answer_within().saturating_sub(waited);
        if let Some(patience) = patience {
            deadline = deadline.min(begin + patience.mul_f64(PART_OF_TIMEOUT));
        }
        let export = self.pipeline.export(identity::project(), bytes, charge, deadline);
        export.await.map_err(|refusal| status::of_refusal(&refusal))
    }

    fn unread(&self, unread: &Unread) -> Status {
        self.pipeline.count_refused(unread.reason());
        status::of_unread(unread, self.pipeline.config().max_request_bytes, || self.pipeline.no_room())
    }
}

/// The part of its `grpc-timeout` after which a client is answered at the latest, so that the answer reaches it in
/// time.
const PART_OF_TIMEOUT: f64 = 0.9;

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
            let method =
                request.uri().path().strip_prefix('/').and_then(|path| path.strip_prefix(S::SERVICE));
            if method != Some("/Export") {
                return Ok(Status::unimplemented("this service has the method Export alone").into_http());
            }
            Ok(match service.export(request).await {
                Ok(answer) => response(&S::response(partial_success(answer))),
                Err(status) => status.into_http(),
            })
        })
    }
}

fn partial_success(Answer { rejected, message }: Answer) -> Option<(i64, String)> {
    let is_partial = rejected > 0 || !message.is_empty();
    is_partial.then(|| (i64::try_from(rejected).unwrap_or(i64::MAX), message))
}

/// A response with one message and the status OK.
fn response(message: &[u8]) -> http::Response<Body> {
    let mut frame = BytesMut::with_capacity(5 + message.len());
    frame.put_u8(0);
    frame.put_u32(message.len() as u32); // the message names a few records, far below 4 GiB
    frame.put_slice(message);
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    let body = Full::<Bytes>::new(frame.freeze()).with_trailers(ready(Some(Ok(trailers))));
    let mut response = http::Response::new(Body::new(body));
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    response
}
