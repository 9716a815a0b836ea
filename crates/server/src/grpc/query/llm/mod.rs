//! Questions about LLM spans, over gRPC.

mod content;
mod cost;
mod money;
mod request;
mod span;

use llm_observatory_proto::v1::llm_service_server::LlmService;
use llm_observatory_proto::v1::{
    ExplainCostRequest, ExplainCostResponse, GetLlmSpanRequest, GetLlmSpanResponse, ListLlmSpansRequest,
    ListLlmSpansResponse, ListModelsRequest, ListModelsResponse, ListPricesRequest, ListPricesResponse,
};
use llm_observatory_query::llm::about_catalogue;
use tonic::{Request, Response, Status};

use super::fields;
use super::{Face, caller};
use crate::grpc::status::{of_query, of_unreadable};

#[tonic::async_trait]
impl LlmService for Face {
    async fn get_llm_span(
        &self,
        request: Request<GetLlmSpanRequest>,
    ) -> Result<Response<GetLlmSpanResponse>, Status> {
        let caller = caller(request.metadata());
        let question = request::get_llm_span(caller, &request.into_inner()).map_err(of_unreadable)?;
        let whole = self.query.get_llm_span(question).await.map_err(of_query)?;
        Ok(Response::new(content::answer(whole)))
    }

    async fn list_llm_spans(
        &self,
        request: Request<ListLlmSpansRequest>,
    ) -> Result<Response<ListLlmSpansResponse>, Status> {
        let caller = caller(request.metadata());
        let question = request::list_llm_spans(caller, request.into_inner()).map_err(of_unreadable)?;
        let page = self.query.list_llm_spans(question).await.map_err(of_query)?;
        Ok(Response::new(ListLlmSpansResponse {
            spans: page.content.into_iter().map(span::span).collect(),
            next_page_token: fields::next_page_token(page.next),
        }))
    }

    async fn explain_cost(
        &self,
        request: Request<ExplainCostRequest>,
    ) -> Result<Response<ExplainCostResponse>, Status> {
        let caller = caller(request.metadata());
        let question = request::explain_cost(caller, &request.into_inner()).map_err(of_unreadable)?;
        let explained = self.query.explain_cost(question).await.map_err(of_query)?;
        Ok(Response::new(cost::answer(explained)))
    }

    async fn list_models(
        &self,
        request: Request<ListModelsRequest>,
    ) -> Result<Response<ListModelsResponse>, Status> {
        let caller = caller(request.metadata());
        let question = request::list_models(caller, request.into_inner()).map_err(of_unreadable)?;
        let page = self.query.list_models(question).await.map_err(of_query)?;
        Ok(Response::new(ListModelsResponse {
            models: page.content.into_iter().map(cost::model).collect(),
            next_page_token: fields::next_page_token(page.next),
        }))
    }

    async fn list_prices(
        &self,
        request: Request<ListPricesRequest>,
    ) -> Result<Response<ListPricesResponse>, Status> {
        let caller = caller(request.metadata());
        let question = request::list_prices(caller, request.into_inner()).map_err(of_unreadable)?;
        let page = self.query.list_prices(question).await.map_err(of_query)?;
        Ok(Response::new(ListPricesResponse {
            prices: page.content.iter().map(|owned| cost::price(owned.layer, &owned.price)).collect(),
            next_page_token: fields::next_page_token(page.next),
            catalogue: about_catalogue().to_owned(),
        }))
    }
}
