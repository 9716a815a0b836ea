//! Turns an `LlmSpan` of an application into a span.

use std::sync::Arc;

use llm_observatory_core::attributes::Attribute;
use llm_observatory_core::llm::{LlmReading, LlmSpan};
use llm_observatory_core::trace::SpanKind;
use llm_observatory_genai::{Observation, Scope, SpanObservation, attributes, read};

use super::batch::TraceBatch;
use crate::models::attributes::Attributes;
use crate::models::trace::Span;
use crate::models::{ResourceRow, ScopeRow, SpanRow};

/// Name of the scope of spans that applications write through this crate.
const SCOPE: &str = "llm-observatory";

/// The span of an LLM span, with its resource and scope. Its reading is what `genai` reads of its attributes, as of any
/// span that comes by OTLP.
pub(super) fn batch(span: &LlmSpan) -> TraceBatch {
    let resource = ResourceRow::of_service(span.project_id, &span.service_name);
    let scope = ScopeRow::named(span.project_id, SCOPE);
    let attributes = attributes(span);
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
        attributes: Attributes::new(&attributes),
        dropped_attributes_count: 0,
        dropped_events_count: 0,
        dropped_links_count: 0,
        links: None,
    };
    let llm = reading(&row, &attributes).map(Arc::new);
    TraceBatch {
        resources: vec![resource],
        scopes: vec![scope],
        spans: vec![Span { llm, ..row.into() }],
        ..TraceBatch::default()
    }
}

fn reading(row: &SpanRow, attributes: &[Attribute<'_>]) -> Option<LlmReading> {
    read(&Observation::Span(SpanObservation {
        scope: Scope { name: SCOPE, version: "" },
        name: &row.name,
        kind: row.kind,
        status: row.status,
        status_message: &row.status_message,
        start_time: row.start_time,
        end_time: row.end_time,
        attributes,
        buffer: None,
        events: &[],
    }))
}
