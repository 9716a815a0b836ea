//! The query services: hand over the message and the caller's patience, turn the answer into gRPC.

use std::pin::Pin;

use futures_util::{Stream, StreamExt as _};
use llm_observatory_proto::v1::log_service_server::{LogService, LogServiceServer};
use llm_observatory_proto::v1::metric_service_server::{MetricService, MetricServiceServer};
use llm_observatory_proto::v1::trace_service_server::{TraceService, TraceServiceServer};
use llm_observatory_proto::v1::{
    GetTraceRequest, GetTraceResponse, ListDataPointsRequest, ListDataPointsResponse, ListLogsRequest,
    ListLogsResponse, ListMetricsRequest, ListMetricsResponse, ListTracesRequest, ListTracesResponse,
};
use llm_observatory_proto::v1::{log_service_server, metric_service_server, trace_service_server};
use llm_observatory_query::{self as query, Caller, QueryConfig};
use llm_observatory_storage::StoragePool;
use tonic::codec::CompressionEncoding::{Gzip, Zstd};
use tonic::metadata::MetadataMap;
use tonic::transport::server::Router;
use tonic::{Request, Response, Status};

use super::deadline;
use super::status::of_query;

/// The services over one pool.
#[derive(Debug, Clone)]
struct Query {
    traces: query::TraceService,
    metrics: query::MetricService,
    logs: query::LogService,
}

/// The full names of the query services.
pub(crate) const SERVICES: [&str; 3] = [
    trace_service_server::SERVICE_NAME,
    metric_service_server::SERVICE_NAME,
    log_service_server::SERVICE_NAME,
];

/// Adds the query services to a router, for messages of at most so many bytes.
pub(crate) fn services(
    router: Router,
    pool: &StoragePool,
    config: &QueryConfig,
    max_message_bytes: usize,
) -> Router {
    let query = Query {
        traces: query::TraceService::new(pool.clone(), config.clone()),
        metrics: query::MetricService::new(pool.clone(), config.clone()),
        logs: query::LogService::new(pool.clone(), config.clone()),
    };
    macro_rules! limited {
        ($server:ident) => {
            $server::new(query.clone())
                .max_decoding_message_size(max_message_bytes)
                .send_compressed(Gzip)
                .send_compressed(Zstd)
        };
    }
    router
        .add_service(limited!(TraceServiceServer))
        .add_service(limited!(MetricServiceServer))
        .add_service(limited!(LogServiceServer))
}

/// Who asks, and how long they wait: gRPC's own deadline.
fn caller(metadata: &MetadataMap) -> Caller {
    let timeout = metadata.get(deadline::HEADER).and_then(|timeout| timeout.to_str().ok());
    Caller { patience: timeout.and_then(deadline::parse), ..Caller::default() }
}

#[tonic::async_trait]
impl TraceService for Query {
    type GetTraceStream = Pin<Box<dyn Stream<Item = Result<GetTraceResponse, Status>> + Send>>;

    async fn get_trace(
        &self,
        request: Request<GetTraceRequest>,
    ) -> Result<Response<Self::GetTraceStream>, Status> {
        let caller = caller(request.metadata());
        let trace = self.traces.get_trace(&caller, request.into_inner()).await.map_err(of_query)?;
        Ok(Response::new(trace.map(|part| part.map_err(of_query)).boxed()))
    }

    async fn list_traces(
        &self,
        request: Request<ListTracesRequest>,
    ) -> Result<Response<ListTracesResponse>, Status> {
        let caller = caller(request.metadata());
        self.traces.list_traces(&caller, request.into_inner()).await.map(Response::new).map_err(of_query)
    }
}

#[tonic::async_trait]
impl MetricService for Query {
    async fn list_metrics(
        &self,
        request: Request<ListMetricsRequest>,
    ) -> Result<Response<ListMetricsResponse>, Status> {
        let caller = caller(request.metadata());
        self.metrics.list_metrics(&caller, request.into_inner()).await.map(Response::new).map_err(of_query)
    }

    async fn list_data_points(
        &self,
        request: Request<ListDataPointsRequest>,
    ) -> Result<Response<ListDataPointsResponse>, Status> {
        let caller = caller(request.metadata());
        self.metrics
            .list_data_points(&caller, request.into_inner())
            .await
            .map(Response::new)
            .map_err(of_query)
    }
}

#[tonic::async_trait]
impl LogService for Query {
    async fn list_logs(
        &self,
        request: Request<ListLogsRequest>,
    ) -> Result<Response<ListLogsResponse>, Status> {
        let caller = caller(request.metadata());
        self.logs.list_logs(&caller, request.into_inner()).await.map(Response::new).map_err(of_query)
    }
}
