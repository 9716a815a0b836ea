//! Questions about log records, over gRPC.

use llm_observatory_core::log::Severity;
use llm_observatory_proto::v1::log_service_server::LogService;
use llm_observatory_proto::v1::{ListLogsRequest, ListLogsResponse};
use llm_observatory_query::log::ListLogs;
use llm_observatory_query::{Caller, ValueLimit};
use tonic::{Request, Response, Status};

use super::fields::{self, Unreadable};
use super::{Face, caller};
use crate::grpc::status::{of_query, of_unreadable};

#[tonic::async_trait]
impl LogService for Face {
    async fn list_logs(
        &self,
        request: Request<ListLogsRequest>,
    ) -> Result<Response<ListLogsResponse>, Status> {
        let caller = caller(request.metadata());
        let question = list_logs(caller, request.into_inner()).map_err(of_unreadable)?;
        let page = self.query.list_logs(question).await.map_err(of_query)?;
        let next_page_token = fields::next_page_token(page.next);
        Ok(Response::new(ListLogsResponse { data: Some(page.content), next_page_token }))
    }
}

fn list_logs(caller: Caller, request: ListLogsRequest) -> Result<ListLogs, Unreadable> {
    Ok(ListLogs {
        caller,
        period: fields::period(request.start_time, request.end_time)?,
        service: fields::text(&request.service),
        trace_id: fields::optional_trace_id(&request.trace_id)?,
        span_id: fields::optional_span_id(&request.span_id)?,
        min_severity: Severity(request.min_severity_number),
        event_name: fields::text(&request.event_name),
        text: fields::text(&request.text),
        max_value: ValueLimit::from(request.max_value_bytes),
        paging: fields::paging(request.page_size, request.page_token)?,
    })
}
