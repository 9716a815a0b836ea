//! Spans into OTLP.

use llm_observatory_core::ids::SpanId;
use llm_observatory_storage::models::attributes::Inconsistent;
use llm_observatory_storage::models::trace::{EventRow, Nested, Span, SpanRow};
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{
    ResourceSpans, ScopeSpans, Span as OtlpSpan, Status, TracesData,
};
use prost::Message as _;

use super::{Dictionary, attributes, id_bytes};

/// The spans in their order; neighbours share their resource and scope.
///
/// # Errors
/// [`Inconsistent`] when a row contradicts itself.
pub fn traces(spans: &[Span], dictionary: &Dictionary) -> Result<TracesData, Inconsistent> {
    let groups = spans.chunk_by(|a, b| a.row.resource_id == b.row.resource_id);
    let resource_spans = groups.map(|group| resource_spans(group, dictionary));
    Ok(TracesData { resource_spans: resource_spans.collect::<Result<_, _>>()? })
}

fn resource_spans(spans: &[Span], dictionary: &Dictionary) -> Result<ResourceSpans, Inconsistent> {
    let (resource, schema_url) = dictionary.resource(spans[0].row.resource_id)?;
    let groups = spans.chunk_by(|a, b| a.row.scope_id == b.row.scope_id);
    let scope_spans = groups.map(|group| scope_spans(group, dictionary));
    Ok(ResourceSpans { resource, scope_spans: scope_spans.collect::<Result<_, _>>()?, schema_url })
}

fn scope_spans(spans: &[Span], dictionary: &Dictionary) -> Result<ScopeSpans, Inconsistent> {
    let (scope, schema_url) = dictionary.scope(spans[0].row.scope_id)?;
    Ok(ScopeSpans { scope, spans: spans.iter().map(span).collect::<Result<_, _>>()?, schema_url })
}

/// One span.
///
/// # Errors
/// [`Inconsistent`] when its row contradicts itself.
pub fn span(Span { row, events }: &Span) -> Result<OtlpSpan, Inconsistent> {
    Ok(OtlpSpan {
        trace_id: row.trace_id.as_bytes().to_vec(),
        span_id: row.span_id.as_bytes().to_vec(),
        trace_state: row.trace_state.to_string(),
        parent_span_id: id_bytes(row.parent_span_id.as_ref().map(SpanId::as_bytes)),
        flags: row.flags,
        name: row.name.to_string(),
        kind: row.kind.0,
        start_time_unix_nano: row.start_time.0,
        end_time_unix_nano: row.end_time.0,
        attributes: attributes(&row.attributes)?,
        dropped_attributes_count: row.dropped_attributes_count,
        events: events.iter().map(event).collect::<Result<_, _>>()?,
        dropped_events_count: row.dropped_events_count,
        links: links(row.links.as_ref())?,
        dropped_links_count: row.dropped_links_count,
        status: status(row),
    })
}

fn status(row: &SpanRow) -> Option<Status> {
    row.status.map(|code| Status { message: row.status_message.to_string(), code: code.0 })
}

fn event(row: &EventRow) -> Result<Event, Inconsistent> {
    Ok(Event {
        time_unix_nano: row.time.0,
        name: row.name.to_string(),
        attributes: attributes(&row.attributes)?,
        dropped_attributes_count: row.dropped_attributes_count,
    })
}

/// Links are kept as an encoded span with nothing but them.
fn links(links: Option<&Nested>) -> Result<Vec<Link>, Inconsistent> {
    Ok(links.map(|links| OtlpSpan::decode(&*links.otlp)).transpose()?.unwrap_or_default().links)
}

/// About how many bytes a span takes in a message.
pub(crate) fn size(Span { row, events }: &Span) -> usize {
    const FIXED: usize = 80;
    let span = row.name.as_bytes().len()
        + row.status_message.as_bytes().len()
        + row.trace_state.as_bytes().len()
        + row.attributes.json.len()
        + row.attributes.layout.len()
        + row.links.as_ref().map_or(0, |links| links.otlp.len());
    let event = |event: &EventRow| event.attributes.json.len() + event.attributes.layout.len() + FIXED / 2;
    FIXED + span + events.iter().map(event).sum::<usize>()
}
