//! Requests as questions.

use llm_observatory_core::llm::LlmKind;
use llm_observatory_core::trace::StatusCode;
use llm_observatory_proto::v1::{
    ExplainCostRequest, GetLlmSpanRequest, ListLlmSpansRequest, ListModelsRequest, ListPricesRequest,
    LlmSpanOrder, ModelOrder as ModelOrderField,
};
use llm_observatory_query::llm::{
    ExplainCost, GetLlmSpan, Layer, ListLlmSpans, ListModels, ListPrices, LlmOrder, LlmSelection, ModelOrder,
    Range,
};
use llm_observatory_query::{Caller, ValueLimit};

use super::span::status_name;
use crate::grpc::query::fields::{self, Unreadable};

pub(super) fn get_llm_span(caller: Caller, request: &GetLlmSpanRequest) -> Result<GetLlmSpan, Unreadable> {
    Ok(GetLlmSpan {
        caller,
        trace_id: fields::trace_id(&request.trace_id)?,
        span_id: fields::span_id(&request.span_id)?,
        max_value: ValueLimit::from(request.max_value_bytes),
    })
}

pub(super) fn explain_cost(caller: Caller, request: &ExplainCostRequest) -> Result<ExplainCost, Unreadable> {
    Ok(ExplainCost {
        caller,
        trace_id: fields::trace_id(&request.trace_id)?,
        span_id: fields::span_id(&request.span_id)?,
    })
}

pub(super) fn list_llm_spans(
    caller: Caller,
    request: ListLlmSpansRequest,
) -> Result<ListLlmSpans, Unreadable> {
    let order = match LlmSpanOrder::try_from(request.order_by) {
        Ok(LlmSpanOrder::Unspecified | LlmSpanOrder::StartTime) => LlmOrder::StartTime,
        Ok(LlmSpanOrder::Duration) => LlmOrder::Duration,
        Ok(LlmSpanOrder::Cost) => LlmOrder::Cost,
        Ok(LlmSpanOrder::Tokens) => LlmOrder::Tokens,
        Err(_) => return Err(Unreadable::Number("order_by", request.order_by)),
    };
    Ok(ListLlmSpans {
        caller,
        period: fields::period(request.start_time, request.end_time)?,
        selection: selection(&request)?,
        order,
        ascending: request.ascending,
        paging: fields::paging(request.page_size, request.page_token)?,
    })
}

fn selection(request: &ListLlmSpansRequest) -> Result<LlmSelection, Unreadable> {
    const STATUSES: [StatusCode; 3] = [StatusCode::UNSET, StatusCode::OK, StatusCode::ERROR];
    let range = |least, most| Range { least, most };
    Ok(LlmSelection {
        kind: fields::named("kind", &request.kind, LlmKind::ALL, LlmKind::name)?,
        provider: fields::text(&request.provider),
        model: fields::text(&request.model),
        service: fields::text(&request.service),
        session_id: fields::text(&request.session_id),
        user_id: fields::text(&request.user_id),
        status: fields::named("status", &request.status, &STATUSES, status_name)?,
        billable: request.billable,
        usage_missing: request.usage_missing,
        tool_name: fields::text(&request.tool_name),
        agent_name: fields::text(&request.agent_name),
        prompt_name: fields::text(&request.prompt_name),
        tag: fields::text(&request.tag),
        trace_id: fields::optional_trace_id(&request.trace_id)?,
        input_tokens: range(request.min_input_tokens, request.max_input_tokens),
        output_tokens: range(request.min_output_tokens, request.max_output_tokens),
        total_tokens: range(request.min_total_tokens, request.max_total_tokens),
        cost: range(request.min_cost_nanos, request.max_cost_nanos),
        duration: range(
            fields::optional_duration("min_duration", request.min_duration)?,
            fields::optional_duration("max_duration", request.max_duration)?,
        ),
    })
}

pub(super) fn list_models(caller: Caller, request: ListModelsRequest) -> Result<ListModels, Unreadable> {
    let order = match ModelOrderField::try_from(request.order_by) {
        Ok(ModelOrderField::Unspecified | ModelOrderField::Cost) => ModelOrder::Cost,
        Ok(ModelOrderField::Calls) => ModelOrder::Calls,
        Ok(ModelOrderField::Tokens) => ModelOrder::Tokens,
        Ok(ModelOrderField::Name) => ModelOrder::Name,
        Err(_) => return Err(Unreadable::Number("order_by", request.order_by)),
    };
    Ok(ListModels {
        caller,
        period: fields::period(request.start_time, request.end_time)?,
        provider: fields::text(&request.provider),
        service: fields::text(&request.service),
        unpriced_only: request.unpriced_only,
        order,
        paging: fields::paging(request.page_size, request.page_token)?,
    })
}

pub(super) fn list_prices(caller: Caller, request: ListPricesRequest) -> Result<ListPrices, Unreadable> {
    const LAYERS: [Layer; 3] = [Layer::Project, Layer::Everyone, Layer::Catalogue];
    Ok(ListPrices {
        caller,
        provider: fields::text(&request.provider),
        model_contains: fields::text(&request.model_contains),
        layer: fields::named("layer", &request.layer, &LAYERS, Layer::name)?,
        called_model: fields::text(&request.called_model),
        at: fields::optional_time("at_time", request.at_time)?,
        paging: fields::paging(request.page_size, request.page_token)?,
    })
}
