//! Clients of a daemon: the stock ones, generated from the `.proto` files.

use harness::Daemon;
use harness::eventually::deadline;
use llm_observatory_proto::v1::llm_service_client::LlmServiceClient;
use llm_observatory_proto::v1::log_service_client::LogServiceClient;
use llm_observatory_proto::v1::metric_service_client::MetricServiceClient;
use llm_observatory_proto::v1::trace_service_client::TraceServiceClient as TraceReader;
use llm_observatory_proto::v1::{
    ExplainCostRequest, ExplainCostResponse, GetLlmSpanRequest, GetLlmSpanResponse, GetTraceRequest,
    ListDataPointsRequest, ListLlmSpansRequest, ListLlmSpansResponse, ListLogsRequest, ListModelsRequest,
    ListModelsResponse, ListPricesRequest, ListPricesResponse, ListTracesRequest, ListTracesResponse,
};
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_client::LogsServiceClient;
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsPartialSuccess, ExportLogsServiceRequest};
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_client::MetricsServiceClient;
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsPartialSuccess, ExportMetricsServiceRequest,
};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest,
};
use opentelemetry_proto::tonic::logs::v1::ResourceLogs;
use opentelemetry_proto::tonic::metrics::v1::ResourceMetrics;
use opentelemetry_proto::tonic::trace::v1::ResourceSpans;
use prost_types::Timestamp;
use tonic::Status;
use tonic::codec::CompressionEncoding;
use tonic::transport::{Channel, Endpoint};

/// Random telemetry makes larger answers than the 4 MiB that clients take by default.
const LARGE: usize = 256 * 1024 * 1024;

/// The times of a list that leaves nothing out.
pub(crate) const BEGINNING: Option<Timestamp> = Some(Timestamp { seconds: 0, nanos: 0 });
pub(crate) const END: Option<Timestamp> = Some(Timestamp { seconds: i64::MAX, nanos: 0 });

/// A connection. No call on it takes longer than the harness waits for anything.
pub(crate) async fn connect(address: &str) -> Channel {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    endpoint.timeout(deadline()).connect().await.unwrap()
}

/// An exporter of all three signals, on one connection. Clones share it.
#[derive(Clone)]
pub(crate) struct Exporter {
    traces: TraceServiceClient<Channel>,
    metrics: MetricsServiceClient<Channel>,
    logs: LogsServiceClient<Channel>,
}

impl Exporter {
    pub(crate) async fn to(daemon: &Daemon) -> Self {
        let channel = connect(daemon.ingest()).await;
        Self {
            traces: TraceServiceClient::new(channel.clone()),
            metrics: MetricsServiceClient::new(channel.clone()),
            logs: LogsServiceClient::new(channel),
        }
    }

    pub(crate) fn compressing(self, encoding: CompressionEncoding) -> Self {
        Self {
            traces: self.traces.send_compressed(encoding),
            metrics: self.metrics.send_compressed(encoding),
            logs: self.logs.send_compressed(encoding),
        }
    }

    pub(crate) async fn spans(
        &self,
        request: ExportTraceServiceRequest,
    ) -> Result<Option<ExportTracePartialSuccess>, Status> {
        let answer = self.traces.clone().export(request).await;
        answer.map(|answer| answer.into_inner().partial_success)
    }

    pub(crate) async fn points(
        &self,
        request: ExportMetricsServiceRequest,
    ) -> Result<Option<ExportMetricsPartialSuccess>, Status> {
        let answer = self.metrics.clone().export(request).await;
        answer.map(|answer| answer.into_inner().partial_success)
    }

    pub(crate) async fn records(
        &self,
        request: ExportLogsServiceRequest,
    ) -> Result<Option<ExportLogsPartialSuccess>, Status> {
        let answer = self.logs.clone().export(request).await;
        answer.map(|answer| answer.into_inner().partial_success)
    }
}

/// A reader of all three signals and of LLM spans, on one connection.
#[derive(Clone)]
pub(crate) struct Reader {
    pub(crate) traces: TraceReader<Channel>,
    pub(crate) metrics: MetricServiceClient<Channel>,
    pub(crate) logs: LogServiceClient<Channel>,
    pub(crate) llm: LlmServiceClient<Channel>,
}

impl Reader {
    pub(crate) async fn of(daemon: &Daemon) -> Self {
        let channel = connect(daemon.query()).await;
        Self {
            traces: TraceReader::new(channel.clone()),
            metrics: MetricServiceClient::new(channel.clone()),
            logs: LogServiceClient::new(channel.clone()),
            llm: LlmServiceClient::new(channel),
        }
    }

    /// One that takes answers of any size.
    pub(crate) fn large(self) -> Self {
        Self {
            traces: self.traces.max_decoding_message_size(LARGE),
            metrics: self.metrics.max_decoding_message_size(LARGE),
            logs: self.logs.max_decoding_message_size(LARGE),
            llm: self.llm.max_decoding_message_size(LARGE),
        }
    }

    /// The messages of one trace.
    pub(crate) async fn trace(&self, id: &[u8]) -> Result<Vec<Vec<ResourceSpans>>, Status> {
        self.trace_of(GetTraceRequest { trace_id: hex::encode(id), ..GetTraceRequest::default() }).await
    }

    /// The messages of the trace that `request` asks for.
    pub(crate) async fn trace_of(&self, request: GetTraceRequest) -> Result<Vec<Vec<ResourceSpans>>, Status> {
        let mut answer = self.traces.clone().get_trace(request).await?.into_inner();
        let mut messages = Vec::new();
        while let Some(message) = answer.message().await? {
            messages.push(message.data.unwrap_or_default().resource_spans);
        }
        Ok(messages)
    }

    /// One page of traces.
    pub(crate) async fn traces(&self, request: ListTracesRequest) -> Result<ListTracesResponse, Status> {
        Ok(self.traces.clone().list_traces(request).await?.into_inner())
    }

    /// One page of LLM spans.
    pub(crate) async fn llm_spans(
        &self,
        request: ListLlmSpansRequest,
    ) -> Result<ListLlmSpansResponse, Status> {
        Ok(self.llm.clone().list_llm_spans(request).await?.into_inner())
    }

    /// One LLM span.
    pub(crate) async fn llm_span(&self, request: GetLlmSpanRequest) -> Result<GetLlmSpanResponse, Status> {
        Ok(self.llm.clone().get_llm_span(request).await?.into_inner())
    }

    /// Why an LLM span costs what it costs.
    pub(crate) async fn explained(&self, request: ExplainCostRequest) -> Result<ExplainCostResponse, Status> {
        Ok(self.llm.clone().explain_cost(request).await?.into_inner())
    }

    /// One page of models.
    pub(crate) async fn models(&self, request: ListModelsRequest) -> Result<ListModelsResponse, Status> {
        Ok(self.llm.clone().list_models(request).await?.into_inner())
    }

    /// One page of prices.
    pub(crate) async fn prices(&self, request: ListPricesRequest) -> Result<ListPricesResponse, Status> {
        Ok(self.llm.clone().list_prices(request).await?.into_inner())
    }

    /// The records of all pages.
    pub(crate) async fn records(&self, mut request: ListLogsRequest) -> Result<Vec<ResourceLogs>, Status> {
        let mut found = Vec::new();
        loop {
            let page = self.logs.clone().list_logs(request.clone()).await?.into_inner();
            found.extend(page.data.unwrap_or_default().resource_logs);
            if page.next_page_token.is_empty() {
                return Ok(found);
            }
            request.page_token = page.next_page_token;
        }
    }

    /// The data points of all pages.
    pub(crate) async fn points(
        &self,
        mut request: ListDataPointsRequest,
    ) -> Result<Vec<ResourceMetrics>, Status> {
        let mut found = Vec::new();
        loop {
            let page = self.metrics.clone().list_data_points(request.clone()).await?;
            let page = page.into_inner();
            found.extend(page.data.unwrap_or_default().resource_metrics);
            if page.next_page_token.is_empty() {
                return Ok(found);
            }
            request.page_token = page.next_page_token;
        }
    }
}
