//! Spans as OTLP.

use llm_observatory_core::ids::SpanId;
use llm_observatory_storage::models::attributes::Inconsistent;
use llm_observatory_storage::models::trace::{EventRow, Nested, Span, SpanRow};
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{
    ResourceSpans, ScopeSpans, Span as OtlpSpan, Status, TracesData,
};
use prost::Message as _;

use super::{Encoded, Origins, ValueLimit, attributes, id_bytes, runs};

/// Groups the spans in their order; neighbours share their resource and scope.
///
/// # Errors
/// [`Inconsistent`] when the columns of a resource or scope contradict each other.
pub(crate) fn traces(spans: Vec<Encoded<OtlpSpan>>, origins: &Origins) -> Result<TracesData, Inconsistent> {
    let resource_spans = runs(spans, |span| span.resource_id).into_iter().map(|(id, spans)| {
        let (resource, schema_url) = origins.resource(id)?;
        let scope_spans = runs(spans, |span| span.scope_id).into_iter().map(|(id, spans)| {
            let (scope, schema_url) = origins.scope(id)?;
            let spans = spans.into_iter().map(|span| span.record).collect();
            Ok(ScopeSpans { scope, spans, schema_url })
        });
        Ok(ResourceSpans {
            resource,
            scope_spans: scope_spans.collect::<Result<_, Inconsistent>>()?,
            schema_url,
        })
    });
    Ok(TracesData { resource_spans: resource_spans.collect::<Result<_, Inconsistent>>()? })
}

/// Encodes one span with its events, and cuts their values to `limit`.
///
/// # Errors
/// [`Inconsistent`] when the columns of a row contradict each other.
pub(crate) fn span(
    Span { row, events, .. }: &Span,
    limit: ValueLimit,
) -> Result<Encoded<OtlpSpan>, Inconsistent> {
    let record = OtlpSpan {
        trace_id: row.trace_id.as_bytes().to_vec(),
        span_id: row.span_id.as_bytes().to_vec(),
        trace_state: row.trace_state.to_string(),
        parent_span_id: id_bytes(row.parent_span_id.as_ref().map(SpanId::as_bytes)),
        flags: row.flags,
        name: row.name.to_string(),
        kind: row.kind.0,
        start_time_unix_nano: row.start_time.0,
        end_time_unix_nano: row.end_time.0,
        attributes: attributes(&row.attributes, limit)?,
        dropped_attributes_count: row.dropped_attributes_count,
        events: events.iter().map(|row| event(row, limit)).collect::<Result<_, _>>()?,
        dropped_events_count: row.dropped_events_count,
        links: links(row.links.as_ref(), limit)?,
        dropped_links_count: row.dropped_links_count,
        status: status(row),
    };
    Ok(Encoded { record, resource_id: row.resource_id, scope_id: row.scope_id })
}

fn status(row: &SpanRow) -> Option<Status> {
    row.status.map(|code| Status { message: row.status_message.to_string(), code: code.0 })
}

fn event(row: &EventRow, limit: ValueLimit) -> Result<Event, Inconsistent> {
    Ok(Event {
        time_unix_nano: row.time.0,
        name: row.name.to_string(),
        attributes: attributes(&row.attributes, limit)?,
        dropped_attributes_count: row.dropped_attributes_count,
    })
}

/// Decodes links. The column holds them as an encoded span without other fields.
fn links(links: Option<&Nested>, limit: ValueLimit) -> Result<Vec<Link>, Inconsistent> {
    let encoded = links.map(|links| OtlpSpan::decode(&*links.otlp)).transpose()?;
    let mut links = encoded.unwrap_or_default().links;
    links.iter_mut().for_each(|link| limit.cut_attributes(&mut link.attributes));
    Ok(links)
}
