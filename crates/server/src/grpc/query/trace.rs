//! Questions about traces, over gRPC.

use std::pin::Pin;

use futures_util::{Stream, StreamExt as _};
use llm_observatory_core::text::Text;
use llm_observatory_proto::v1::trace_service_server::TraceService;
use llm_observatory_proto::v1::{
    GetTraceRequest, GetTraceResponse, ListTracesRequest, ListTracesResponse, TraceSummary,
};
use llm_observatory_query::trace::{GetTrace, ListTraces, TraceSummary as Summary};
use llm_observatory_query::{Caller, ValueLimit};
use tonic::{Request, Response, Status};

use super::fields::{self, Unreadable};
use super::times::{duration, timestamp};
use super::{Face, caller};
use crate::grpc::status::{of_query, of_unreadable};

#[tonic::async_trait]
impl TraceService for Face {
    type GetTraceStream = Pin<Box<dyn Stream<Item = Result<GetTraceResponse, Status>> + Send>>;

    async fn get_trace(
        &self,
        request: Request<GetTraceRequest>,
    ) -> Result<Response<Self::GetTraceStream>, Status> {
        let caller = caller(request.metadata());
        let question = get_trace(caller, &request.into_inner()).map_err(of_unreadable)?;
        let trace = self.query.get_trace(question).await.map_err(of_query)?;
        let message = |data| GetTraceResponse { data: Some(data) };
        Ok(Response::new(trace.map(move |part| part.map(message).map_err(of_query)).boxed()))
    }

    async fn list_traces(
        &self,
        request: Request<ListTracesRequest>,
    ) -> Result<Response<ListTracesResponse>, Status> {
        let caller = caller(request.metadata());
        let question = list_traces(caller, request.into_inner()).map_err(of_unreadable)?;
        let page = self.query.list_traces(question).await.map_err(of_query)?;
        Ok(Response::new(ListTracesResponse {
            traces: page.content.iter().map(summary).collect(),
            next_page_token: fields::next_page_token(page.next),
        }))
    }
}

fn get_trace(caller: Caller, request: &GetTraceRequest) -> Result<GetTrace, Unreadable> {
    let trace_id = fields::trace_id(&request.trace_id)?;
    Ok(GetTrace { caller, trace_id, max_value: ValueLimit::from(request.max_value_bytes) })
}

fn list_traces(caller: Caller, request: ListTracesRequest) -> Result<ListTraces, Unreadable> {
    Ok(ListTraces {
        caller,
        period: fields::period(request.start_time, request.end_time)?,
        service: fields::text(&request.service),
        paging: fields::paging(request.page_size, request.page_token)?,
    })
}

fn summary(trace: &Summary) -> TraceSummary {
    let known = trace.start_time.is_known();
    let root = trace.root.as_ref();
    TraceSummary {
        trace_id: trace.trace_id.to_string(),
        root_name: root.map(|root| root.name.to_string()).unwrap_or_default(),
        root_service: root.map(|root| root.service.to_string()).unwrap_or_default(),
        services: trace.services.iter().map(Text::to_string).collect(),
        start_time: known.then(|| timestamp(trace.start_time)),
        duration: known.then(|| duration(trace.end_time.since(trace.start_time))),
        span_count: trace.span_count,
        error_count: trace.error_count,
    }
}

#[cfg(test)]
mod tests {
    use llm_observatory_core::ids::TraceId;
    use llm_observatory_core::time::UnixNanos;
    use prost_types::{Duration, Timestamp};

    use super::*;

    #[test]
    fn a_summary_keeps_nanoseconds() {
        let trace = Summary {
            trace_id: TraceId::from_foreign("0af7651916cd43dd8448eb211c80319c"),
            start_time: UnixNanos(1_700_000_000_000_000_007),
            end_time: UnixNanos(1_700_000_002_500_000_008),
            span_count: 3,
            error_count: 1,
            root: None,
            services: vec!["a".into(), "b".into()],
        };
        let told = summary(&trace);
        assert_eq!(told.trace_id, "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(told.start_time, Some(Timestamp { seconds: 1_700_000_000, nanos: 7 }));
        assert_eq!(told.duration, Some(Duration { seconds: 2, nanos: 500_000_001 }));
        assert_eq!(told.services, ["a", "b"]);
        let unknown = summary(&Summary { start_time: UnixNanos::UNKNOWN, ..trace });
        assert_eq!((unknown.start_time, unknown.duration), (None, None));
    }
}
