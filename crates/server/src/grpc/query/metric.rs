//! Questions about metrics, over gRPC.

use llm_observatory_proto::v1::metric_service_server::MetricService;
use llm_observatory_proto::v1::{
    ListDataPointsRequest, ListDataPointsResponse, ListMetricsRequest, ListMetricsResponse,
};
use llm_observatory_query::metric::{ListDataPoints, ListMetrics};
use llm_observatory_query::{Caller, ValueLimit};
use tonic::{Request, Response, Status};

use super::fields::{self, Unreadable};
use super::{Face, caller};
use crate::grpc::status::{of_query, of_unreadable};

#[tonic::async_trait]
impl MetricService for Face {
    async fn list_metrics(
        &self,
        request: Request<ListMetricsRequest>,
    ) -> Result<Response<ListMetricsResponse>, Status> {
        let caller = caller(request.metadata());
        let question = list_metrics(caller, request.into_inner()).map_err(of_unreadable)?;
        let page = self.query.list_metrics(question).await.map_err(of_query)?;
        let next_page_token = fields::next_page_token(page.next);
        Ok(Response::new(ListMetricsResponse { metrics: page.content, next_page_token }))
    }

    async fn list_data_points(
        &self,
        request: Request<ListDataPointsRequest>,
    ) -> Result<Response<ListDataPointsResponse>, Status> {
        let caller = caller(request.metadata());
        let question = list_data_points(caller, request.into_inner()).map_err(of_unreadable)?;
        let page = self.query.list_data_points(question).await.map_err(of_query)?;
        let next_page_token = fields::next_page_token(page.next);
        Ok(Response::new(ListDataPointsResponse { data: Some(page.content), next_page_token }))
    }
}

fn list_metrics(caller: Caller, request: ListMetricsRequest) -> Result<ListMetrics, Unreadable> {
    Ok(ListMetrics {
        caller,
        name: fields::text(&request.name),
        service: fields::text(&request.service),
        paging: fields::paging(request.page_size, request.page_token)?,
    })
}

fn list_data_points(caller: Caller, request: ListDataPointsRequest) -> Result<ListDataPoints, Unreadable> {
    Ok(ListDataPoints {
        caller,
        period: fields::period(request.start_time, request.end_time)?,
        name: fields::text(&request.name),
        service: fields::text(&request.service),
        max_value: ValueLimit::from(request.max_value_bytes),
        paging: fields::paging(request.page_size, request.page_token)?,
    })
}
