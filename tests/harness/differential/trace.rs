//! Spans.

use llm_observatory_core::ids::{ResourceId, ScopeId, SpanId, TraceId};
use llm_observatory_core::text::Text;
use llm_observatory_storage::models::EventRow;
use llm_observatory_storage::models::trace::Span as SpanWithEvents;
use llm_observatory_storage::writers::TraceBatch;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message as _;
use uuid::Uuid;

use super::columns::Columns;
use super::normal_form::{self, Shape};
use super::{Compared, Origin, Told, attributes};
use crate::otlp::normalise;

impl Compared for TraceBatch {
    type Otlp = ExportTraceServiceRequest;
    const SHAPE: &'static Shape = &normal_form::TRACES;

    fn theirs(request: &ExportTraceServiceRequest) -> Told {
        let mut told = Told::new();
        for (r, resource) in request.resource_spans.iter().enumerate() {
            for (s, scope) in resource.scope_spans.iter().enumerate() {
                let origin = Origin {
                    resource: resource.resource.clone().unwrap_or_default(),
                    resource_schema_url: resource.schema_url.clone(),
                    scope: scope.scope.clone().unwrap_or_default(),
                    scope_schema_url: scope.schema_url.clone(),
                };
                for (n, span) in scope.spans.iter().enumerate() {
                    let place = format!("resource_spans[{r}].scope_spans[{s}].spans[{n}]");
                    told.insert(place, valid(span).map(|span| tell(&origin, span)));
                }
            }
        }
        told
    }

    fn ours(batch: &TraceBatch) -> Vec<String> {
        let origin = |span: &SpanWithEvents| {
            Origin::of(&batch.resources, span.row.resource_id, &batch.scopes, span.row.scope_id)
        };
        batch.spans.iter().map(|span| tell(&origin(span), otlp(span))).collect()
    }

    fn show(batch: &TraceBatch, columns: &mut Columns) {
        columns.dictionaries(&batch.resources, &batch.scopes);
        columns.rows(&batch.spans);
        for SpanWithEvents { row, events, llm, speaker } in &batch.spans {
            [&row.name, &row.status_message, &row.trace_state]
                .into_iter()
                .for_each(|text| columns.text(text));
            columns.attributes(&row.attributes);
            row.links.iter().for_each(|links| columns.nested(links));
            columns.rows(events);
            for event in events {
                columns.text(&event.name);
                columns.attributes(&event.attributes);
            }
            if let Some(speaker) = speaker {
                columns.rows(std::slice::from_ref(&**speaker));
                [&speaker.session_id, &speaker.user_id]
                    .into_iter()
                    .flatten()
                    .for_each(|text| columns.text(text));
            }
            if let Some(llm) = llm {
                columns.rows(std::slice::from_ref(&**llm));
                let models = [&llm.request_model, &llm.response_model];
                let others = [&llm.operation, &llm.provider, &llm.session_id, &llm.user_id];
                models.into_iter().chain(others).flatten().for_each(|text| columns.text(text));
            }
        }
    }

    fn elements(span: &SpanWithEvents) -> usize {
        let links = otlp(span).links;
        let within_links: usize = links.iter().map(|link| 4 + link.attributes.len()).sum();
        let within_events: usize =
            span.events.iter().map(|event| 4 + attributes(&event.attributes).len()).sum();
        attributes(&span.row.attributes).len() + within_events + within_links
    }

    fn bare(batch: &TraceBatch, n: usize) -> String {
        let mut span = batch.spans[n].clone();
        span.row.resource_id = ResourceId(Uuid::nil());
        span.row.scope_id = ScopeId(Uuid::nil());
        span.row.service_name = Text::EMPTY;
        format!("{span:?}")
    }

    fn item(_: &TraceBatch, _: usize, record: &[u8]) -> Vec<u8> {
        record.to_vec()
    }
}

/// The span without those ids that are none; or the reason why it can't be stored.
fn valid(span: &Span) -> Result<Span, &'static str> {
    TraceId::from_wire(&span.trace_id).ok_or("trace_id")?;
    SpanId::from_wire(&span.span_id).ok_or("span_id")?;
    let mut span = span.clone();
    if SpanId::from_wire(&span.parent_span_id).is_none() {
        span.parent_span_id.clear();
    }
    Ok(span)
}

fn tell(origin: &Origin, span: Span) -> String {
    let Origin { resource, resource_schema_url, scope, scope_schema_url } = origin.clone();
    let scope = ScopeSpans { scope: Some(scope), spans: vec![span], schema_url: scope_schema_url };
    let resource =
        ResourceSpans { resource: Some(resource), scope_spans: vec![scope], schema_url: resource_schema_url };
    normalise::spans(&[resource]).remove(0)
}

fn otlp(SpanWithEvents { row, events, .. }: &SpanWithEvents) -> Span {
    let status = |code: llm_observatory_core::trace::StatusCode| Status {
        message: row.status_message.to_string(),
        code: code.0,
    };
    Span {
        trace_id: row.trace_id.as_bytes().to_vec(),
        span_id: row.span_id.as_bytes().to_vec(),
        trace_state: row.trace_state.to_string(),
        parent_span_id: row.parent_span_id.map(|id| id.as_bytes().to_vec()).unwrap_or_default(),
        flags: row.flags,
        name: row.name.to_string(),
        kind: row.kind.0,
        start_time_unix_nano: row.start_time.0,
        end_time_unix_nano: row.end_time.0,
        attributes: attributes(&row.attributes),
        dropped_attributes_count: row.dropped_attributes_count,
        events: events.iter().map(event).collect(),
        dropped_events_count: row.dropped_events_count,
        links: row.links.as_ref().map(|links| exact_links(&links.otlp)).unwrap_or_default(),
        dropped_links_count: row.dropped_links_count,
        status: row.status.map(status),
    }
}

fn event(row: &EventRow) -> Event {
    Event {
        time_unix_nano: row.time.0,
        name: row.name.to_string(),
        attributes: attributes(&row.attributes),
        dropped_attributes_count: row.dropped_attributes_count,
    }
}

fn exact_links(otlp: &[u8]) -> Vec<Link> {
    Span::decode(otlp).expect("links that were written").links
}
