//! Requests of TraceService.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use proptest::collection::vec;
use proptest::prelude::*;

use super::value::{attributes, id, open_enum, optional_id, resource, scope, text, time, word};

/// Requests of up to a few dozen spans in a few traces. Trace ids are random, so no two requests share one.
pub fn traces() -> BoxedStrategy<ExportTraceServiceRequest> {
    let spans = vec(span(), 0..5);
    let scopes = vec((scope(), spans, text()), 0..3);
    let scopes = scopes.prop_map(|scopes| {
        let of = |(scope, spans, schema_url)| ScopeSpans { scope, spans, schema_url };
        scopes.into_iter().map(of).collect()
    });
    let resources = vec((resource(), scopes, text()), 0..4);
    (resources, vec(id(16), 3), any::<u64>())
        .prop_map(|(resources, trace_ids, first_id)| {
            let of =
                |(resource, scope_spans, schema_url)| ResourceSpans { resource, scope_spans, schema_url };
            let mut request =
                ExportTraceServiceRequest { resource_spans: resources.into_iter().map(of).collect() };
            name(&mut request, &trace_ids, first_id);
            request
        })
        .boxed()
}

/// One span. Its ids are given when the request is complete.
pub fn span() -> BoxedStrategy<Span> {
    let who = (optional_id(8), text(), text(), open_enum(5), word());
    let when = (time(), prop_oneof![3 => time().prop_map(Some), 2 => Just(None)], 0..10_000_000_000_u64);
    let what = (attributes(), vec(event(), 0..3), vec(link(), 0..3), status());
    let dropped = (word(), word(), word());
    (who, when, what, dropped)
        .prop_map(|((parent_span_id, name, trace_state, kind, flags), (start, end, lasts), what, dropped)| {
            Span {
                trace_id: Vec::new(),
                span_id: Vec::new(),
                trace_state,
                parent_span_id,
                flags,
                name,
                kind,
                start_time_unix_nano: start,
                end_time_unix_nano: end.unwrap_or(start.saturating_add(lasts)),
                attributes: what.0,
                dropped_attributes_count: dropped.0,
                events: what.1,
                dropped_events_count: dropped.1,
                links: what.2,
                dropped_links_count: dropped.2,
                status: what.3,
            }
        })
        .boxed()
}

fn event() -> impl Strategy<Value = Event> {
    (time(), text(), attributes(), word()).prop_map(|(time_unix_nano, name, attributes, dropped)| Event {
        time_unix_nano,
        name,
        attributes,
        dropped_attributes_count: dropped,
    })
}

fn link() -> impl Strategy<Value = Link> {
    (id(16), id(8), text(), attributes(), word(), word()).prop_map(
        |(trace_id, span_id, trace_state, attributes, dropped_attributes_count, flags)| Link {
            trace_id,
            span_id,
            trace_state,
            attributes,
            dropped_attributes_count,
            flags,
        },
    )
}

fn status() -> impl Strategy<Value = Option<Status>> {
    proptest::option::of((text(), open_enum(2)).prop_map(|(message, code)| Status { message, code }))
}

/// Gives every span one of the trace ids, and a span id of its own.
fn name(request: &mut ExportTraceServiceRequest, trace_ids: &[Vec<u8>], first_id: u64) {
    let scopes = request.resource_spans.iter_mut().flat_map(|resource| &mut resource.scope_spans);
    let spans = scopes.flat_map(|scope| &mut scope.spans);
    // Odd numbers step over zero, which is no id.
    for (n, (span, trace_id)) in spans.zip(trace_ids.iter().cycle()).enumerate() {
        span.trace_id.clone_from(trace_id);
        span.span_id = (first_id | 1).wrapping_add(2 * n as u64).to_be_bytes().to_vec();
    }
}
