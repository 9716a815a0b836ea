//! LLM spans as messages.

use std::sync::Arc;

use llm_observatory_core::ids::SpanId;
use llm_observatory_core::llm::{LlmReading, Parameters, TokenUsage};
use llm_observatory_core::text::Text;
use llm_observatory_core::trace::StatusCode;
use llm_observatory_proto::otlp::common::v1::KeyValue;
use llm_observatory_proto::v1;
use llm_observatory_query::llm::{LlmRow, LlmSpan, Speaker, key_value};

use super::money;
use crate::grpc::query::times::{duration, timestamp};

/// The name of a status.
pub(super) fn status_name(status: StatusCode) -> &'static str {
    match status {
        StatusCode::OK => "ok",
        StatusCode::ERROR => "error",
        _ => "unset",
    }
}

/// A text that may not be told, which a message has as an empty one.
fn text(text: Option<Text>) -> String {
    text.map(|text| text.to_string()).unwrap_or_default()
}

fn texts(texts: Vec<Text>) -> Vec<String> {
    texts.iter().map(Text::to_string).collect()
}

/// An LLM span.
pub(super) fn span(LlmSpan { row, status_message }: LlmSpan) -> v1::LlmSpan {
    v1::LlmSpan {
        trace_id: row.trace_id.to_string(),
        span_id: row.span_id.to_string(),
        parent_span_id: row.parent_span_id.as_ref().map(SpanId::to_string).unwrap_or_default(),
        name: row.name.to_string(),
        service: row.service_name.to_string(),
        start_time: row.start_time.is_known().then(|| timestamp(row.start_time)),
        duration: row.duration_nanos.map(duration),
        status: status_name(row.status.unwrap_or(StatusCode::UNSET)).to_owned(),
        status_message: status_message.to_string(),
        billing: Some(billing(&row)),
        reading_version: row.reading_version.into(),
        log_id: row.log_id.as_ref().map(ToString::to_string).unwrap_or_default(),
        reading: Some(reading(Arc::unwrap_or_clone(row.reading), row.taken_over)),
    }
}

fn billing(row: &LlmRow) -> v1::LlmBilling {
    let cost = row.cost.as_ref().filter(|_| row.billable);
    v1::LlmBilling {
        billable: row.billable,
        usage_missing: row.usage_missing,
        cost: cost.map(money::cost),
        reported_cost: row.reading.reported_cost.map(money::dollars),
        price_id: cost.map(|cost| price_id(cost.price_id)).unwrap_or_default(),
    }
}

/// The id of a price as text.
pub(super) fn price_id(id: i64) -> String {
    format!("{id:016x}")
}

fn reading(reading: LlmReading, above: Speaker) -> v1::LlmReading {
    let taken_over = [("session_id", above.session_id.is_some()), ("user_id", above.user_id.is_some())];
    let taken_over = taken_over.into_iter().filter(|(_, is_taken_over)| *is_taken_over);
    v1::LlmReading {
        kind: reading.kind.name().to_owned(),
        dialect: reading.dialect.name().to_owned(),
        is_call: reading.is_call,
        operation: text(reading.operation),
        provider: text(reading.provider),
        framework: text(reading.framework),
        request_model: text(reading.request_model),
        response_model: text(reading.response_model),
        response_id: text(reading.response_id),
        service_tier: text(reading.service_tier),
        usage: Some(usage(reading.usage)),
        finish_reasons: texts(reading.finish_reasons),
        parameters: Some(parameters(reading.parameters)),
        streaming: reading.streaming,
        time_to_first_token: reading.time_to_first_token.map(duration),
        session_id: text(reading.session_id.or(above.session_id)),
        conversation_id: text(reading.conversation_id),
        user_id: text(reading.user_id.or(above.user_id)),
        tool_name: text(reading.tool_name),
        tool_call_id: text(reading.tool_call_id),
        agent_name: text(reading.agent_name),
        agent_id: text(reading.agent_id),
        prompt_name: text(reading.prompt_name),
        prompt_version: text(reading.prompt_version),
        error_type: text(reading.error_type),
        tags: texts(reading.tags),
        metadata: reading.metadata.iter().map(key_value).collect::<Vec<KeyValue>>(),
        taken_over: taken_over.map(|(field, _)| field.to_owned()).collect(),
    }
}

/// Token counts.
pub(super) fn usage(usage: TokenUsage) -> v1::TokenUsage {
    let TokenUsage {
        input,
        output,
        cache_read,
        cache_creation,
        cache_creation_1h,
        reasoning,
        input_audio,
        output_audio,
        input_image,
        output_image,
    } = usage;
    v1::TokenUsage {
        input,
        output,
        cache_read,
        cache_creation,
        cache_creation_1h,
        reasoning,
        input_audio,
        output_audio,
        input_image,
        output_image,
    }
}

fn parameters(parameters: Parameters) -> v1::LlmParameters {
    v1::LlmParameters {
        temperature: parameters.temperature,
        top_p: parameters.top_p,
        top_k: parameters.top_k,
        max_tokens: parameters.max_tokens,
        seed: parameters.seed,
        stop: texts(parameters.stop),
        frequency_penalty: parameters.frequency_penalty,
        presence_penalty: parameters.presence_penalty,
        choice_count: parameters.choice_count,
        reasoning_effort: text(parameters.reasoning_effort),
    }
}
