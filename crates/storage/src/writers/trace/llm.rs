//! Turns an `LlmSpan` of an application into a span.

use llm_observatory_core::attributes::Attribute;
use llm_observatory_core::llm::LlmSpan;
use llm_observatory_core::trace::SpanKind;

use super::batch::TraceBatch;
use crate::models::attributes::Attributes;
use crate::models::{ResourceRow, ScopeRow, SpanRow};

/// The span of an LLM call, with its resource and scope.
pub(super) fn batch(span: LlmSpan) -> TraceBatch {
    let resource = ResourceRow::of_service(span.project_id, &span.service_name);
    let scope = ScopeRow::named(span.project_id, "llm-observatory");
    let row = SpanRow {
        project_id: span.project_id,
        trace_id: span.trace_id,
        span_id: span.span_id,
        parent_span_id: span.parent_span_id,
        start_time: span.start_time,
        end_time: span.end_time,
        name: span.name.clone(),
        service_name: span.service_name.clone(),
        kind: SpanKind::CLIENT,
        status: Some(span.status_code),
        status_message: span.status_message.clone(),
        trace_state: Default::default(),
        flags: 0,
        resource_id: resource.id,
        scope_id: scope.id,
        attributes: Attributes::new(&gen_ai_attributes(&span)),
        dropped_attributes_count: 0,
        dropped_events_count: 0,
        dropped_links_count: 0,
        links: None,
        llm: Some(Box::new(span.reading)),
    };
    TraceBatch {
        resources: vec![resource],
        scopes: vec![scope],
        spans: vec![row.into()],
        ..TraceBatch::default()
    }
}

/// The reading as OpenTelemetry's `gen_ai.*` attributes, followed by the attributes of the call.
fn gen_ai_attributes(span: &LlmSpan) -> Vec<Attribute<'_>> {
    let reading = &span.reading;
    let texts = [
        ("gen_ai.operation.name", &reading.operation),
        ("gen_ai.provider.name", &reading.provider),
        ("gen_ai.request.model", &reading.request_model),
        ("gen_ai.response.model", &reading.response_model),
        ("session.id", &reading.session_id),
        ("user.id", &reading.user_id),
    ];
    let counts = [
        ("gen_ai.usage.input_tokens", reading.usage.input),
        ("gen_ai.usage.output_tokens", reading.usage.output),
        ("gen_ai.usage.cache_read.input_tokens", reading.usage.cache_read),
        ("gen_ai.usage.cache_creation.input_tokens", reading.usage.cache_creation),
        ("gen_ai.usage.reasoning.output_tokens", reading.usage.reasoning),
    ];
    let texts =
        texts.into_iter().filter_map(|(key, text)| Some(Attribute::new(key, text.as_ref()?.as_str())));
    let counts = counts.into_iter().filter_map(|(key, count)| Some(Attribute::new(key, count?)));
    texts.chain(counts).chain(span.attributes.iter().cloned()).collect()
}
