//! Decodes `ExportTraceServiceRequest` into rows of spans and their events.

use std::sync::Arc;

use bytes::Bytes;
use llm_observatory_core::attributes::{Attribute, Value};
use llm_observatory_core::ids::{SpanId, TraceId};
use llm_observatory_core::llm::LlmReading;
use llm_observatory_core::text::Text;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_core::trace::{SpanKind, StatusCode};
use llm_observatory_genai::speaker::Speaker;
use llm_observatory_genai::{Event, Observation, Scope, SpanObservation};
use llm_observatory_storage::models::attributes::{Attributes, to_key_value};
use llm_observatory_storage::models::trace::{Nested, Span};
use llm_observatory_storage::models::{EventRow, SpanRow};
use llm_observatory_storage::writers::TraceBatch;
use opentelemetry_proto::tonic::trace::v1::{Span as OtlpSpan, span::Link};

use super::decoded::{Decoded, Undecodable};
use super::decoder::Decoder;
use super::nested::nested;
use super::place::Levels;
use super::rejection::Reason;
use super::resource::{Owner, each_record};
use super::value;
use crate::wire::{Fields, Malformed};

/// The names of the levels of a request.
pub(crate) const LEVELS: Levels = ["resource_spans", "scope_spans", "spans"];

/// Decodes a request.
///
/// # Errors
/// [`Undecodable`] when the outer framing is broken or the rows outgrow their allowance. Anything broken below that
/// rejects single records.
pub(crate) fn decode(mut decoder: Decoder<'_>) -> Result<Decoded<TraceBatch>, Undecodable> {
    let mut spans = Vec::with_capacity(decoder.expected);
    let mut room = Room::default();
    let (resources, scopes) = each_record(&mut decoder, |owner, place, message, decoder| {
        let span = owner.map_err(Reason::from).and_then(|owner| span(message, owner, &mut room, decoder));
        match span {
            Ok(span) => {
                decoder.decoded(place, message, held(&span));
                spans.push(span);
            }
            Err(reason) => decoder.reject(reason, place, LEVELS, message),
        }
    })?;
    Ok(decoder.finish(TraceBatch { resources, scopes, spans, ..TraceBatch::default() }))
}

/// The attributes of the span that is being decoded. All spans of a request use the same vectors.
#[derive(Default)]
struct Room<'a> {
    span: Vec<Attribute<'a>>,
    /// The attributes of all its events, one event after the other.
    events: Vec<Attribute<'a>>,
    /// Where the attributes of each event end in `events`.
    event_ends: Vec<usize>,
}

impl<'a> Room<'a> {
    fn clear(&mut self) {
        self.span.clear();
        self.events.clear();
        self.event_ends.clear();
    }

    /// The events with their attributes.
    fn observed<'s>(&'s self, events: &'s [EventRow]) -> Vec<Event<'s>> {
        let mut start = 0;
        let mut attributes_to = |end: usize| &self.events[std::mem::replace(&mut start, end)..end];
        let named = events.iter().zip(&self.event_ends);
        let event = |(event, end): (&'s EventRow, &usize)| Event {
            name: &event.name,
            time: event.time,
            attributes: attributes_to(*end),
            body: None,
        };
        named.map(event).collect()
    }
}

/// Memory of a span's rows, without the request that their texts are slices of.
fn held(span: &Span) -> usize {
    let row = &span.row;
    let links = row.links.as_ref().map_or(0, |links| links.json.len() + links.otlp.len());
    let events = span.events.iter().map(|event| size_of::<EventRow>() + event.attributes.bytes());
    let llm = span.llm.as_ref().map_or(0, |llm| size_of_val(&**llm));
    let speaker = span.speaker.as_ref().map_or(0, |speaker| size_of_val(&**speaker));
    size_of::<Span>() + row.attributes.bytes() + links + events.sum::<usize>() + llm + speaker
}

/// The fields of a span before they are checked.
#[derive(Default)]
struct Raw<'a> {
    trace_id: &'a [u8],
    span_id: &'a [u8],
    parent_span_id: &'a [u8],
    trace_state: &'a [u8],
    name: &'a [u8],
    kind: i32,
    start_time: u64,
    end_time: u64,
    dropped_attributes_count: u32,
    dropped_events_count: u32,
    dropped_links_count: u32,
    status: Option<&'a [u8]>,
    flags: u32,
    events: Vec<&'a [u8]>,
    links: Vec<&'a [u8]>,
}

fn span<'a>(
    message: &'a [u8],
    owner: &Owner,
    room: &mut Room<'a>,
    decoder: &mut Decoder<'a>,
) -> Result<Span, Reason> {
    room.clear();
    let raw = read(message, &mut room.span, decoder)?;
    let trace_id = TraceId::from_wire(raw.trace_id).ok_or(Reason::TraceId)?;
    let span_id = SpanId::from_wire(raw.span_id).ok_or(Reason::SpanId)?;
    let (status, status_message) = status(raw.status, decoder)?;
    let mut row = SpanRow {
        project_id: decoder.project_id,
        trace_id,
        span_id,
        parent_span_id: SpanId::from_wire(raw.parent_span_id),
        start_time: UnixNanos(raw.start_time),
        end_time: UnixNanos(raw.end_time),
        name: decoder.text(raw.name),
        service_name: owner.service.clone(),
        kind: SpanKind(raw.kind),
        status,
        status_message,
        trace_state: decoder.text(raw.trace_state),
        flags: raw.flags,
        resource_id: owner.resource,
        scope_id: owner.scope,
        attributes: Attributes::encode(&room.span, &mut decoder.arena),
        dropped_attributes_count: raw.dropped_attributes_count,
        dropped_events_count: raw.dropped_events_count,
        dropped_links_count: raw.dropped_links_count,
        links: None,
    };
    if !raw.links.is_empty() {
        row.links = Some(links(&raw.links, decoder)?);
    }
    let mut events = Vec::with_capacity(raw.events.len());
    for (ordinal, message) in (0..).zip(raw.events) {
        events.push(event(message, ordinal, &row, room, decoder)?);
    }
    let llm = read_llm(&row, &events, owner, room, decoder.bytes);
    let speaker = if llm.is_none() { Speaker::of_attributes(&room.span).map(Box::new) } else { None };
    Ok(Span { row, events, llm, speaker })
}

/// The reading of a span; `None` if it is about no LLM call. It comes last, since it needs the events.
fn read_llm(
    row: &SpanRow,
    events: &[EventRow],
    owner: &Owner,
    room: &Room<'_>,
    buffer: &Bytes,
) -> Option<Arc<LlmReading>> {
    let observation = Observation::Span(SpanObservation {
        scope: Scope { name: &owner.scope_name, version: &owner.scope_version },
        name: &row.name,
        kind: row.kind,
        status: row.status,
        status_message: &row.status_message,
        start_time: row.start_time,
        end_time: row.end_time,
        attributes: &room.span,
        buffer: Some(buffer),
        events: &room.observed(events),
    });
    llm_observatory_genai::read(&observation).map(Arc::new)
}

fn read<'a>(
    message: &'a [u8],
    attributes: &mut Vec<Attribute<'a>>,
    decoder: &mut Decoder<'a>,
) -> Result<Raw<'a>, Malformed> {
    let mut raw = Raw::default();
    for field in Fields::of(message) {
        let field = field?;
        match field.number {
            1 => raw.trace_id = field.bytes()?,
            2 => raw.span_id = field.bytes()?,
            3 => raw.trace_state = field.bytes()?,
            4 => raw.parent_span_id = field.bytes()?,
            5 => raw.name = field.bytes()?,
            6 => raw.kind = field.i32()?,
            7 => raw.start_time = field.fixed64()?,
            8 => raw.end_time = field.fixed64()?,
            9 => attributes.push(value::attribute(field.bytes()?, &mut decoder.notes)?),
            10 => raw.dropped_attributes_count = field.u32()?,
            11 => {
                decoder.notes.elements(4)?; // an event is about as large as four attributes, and a link too
                raw.events.push(field.bytes()?);
            }
            12 => raw.dropped_events_count = field.u32()?,
            13 => {
                decoder.notes.elements(4)?;
                raw.links.push(field.bytes()?);
            }
            14 => raw.dropped_links_count = field.u32()?,
            15 => raw.status = Some(field.bytes()?),
            16 => raw.flags = field.fixed32()?,
            _ => {}
        }
    }
    Ok(raw)
}

fn status(
    message: Option<&[u8]>,
    decoder: &mut Decoder<'_>,
) -> Result<(Option<StatusCode>, Text), Malformed> {
    let Some(message) = message else {
        return Ok((None, Text::EMPTY));
    };
    let (mut code, mut text) = (StatusCode::UNSET, Text::EMPTY);
    for field in Fields::of(message) {
        let field = field?;
        match field.number {
            2 => text = decoder.text(field.bytes()?),
            3 => code = StatusCode(field.i32()?),
            _ => {}
        }
    }
    Ok((Some(code), text))
}

fn event<'a>(
    message: &'a [u8],
    ordinal: i32,
    span: &SpanRow,
    room: &mut Room<'a>,
    decoder: &mut Decoder<'a>,
) -> Result<EventRow, Malformed> {
    let first = room.events.len();
    let (mut time, mut name, mut dropped) = (0, Text::EMPTY, 0);
    for field in Fields::of(message) {
        let field = field?;
        match field.number {
            1 => time = field.fixed64()?,
            2 => name = decoder.text(field.bytes()?),
            3 => room.events.push(value::attribute(field.bytes()?, &mut decoder.notes)?),
            4 => dropped = field.u32()?,
            _ => {}
        }
    }
    room.event_ends.push(room.events.len());
    Ok(EventRow {
        project_id: span.project_id,
        trace_id: span.trace_id,
        span_id: span.span_id,
        span_start_time: span.start_time,
        ordinal,
        time: UnixNanos(time),
        name,
        attributes: Attributes::encode(&room.events[first..], &mut decoder.arena),
        dropped_attributes_count: dropped,
    })
}

/// Links are few and seldom queried, so they are stored in the row of their span: as JSON for people, and exactly as
/// protobuf.
fn links(messages: &[&[u8]], decoder: &mut Decoder<'_>) -> Result<Nested, Malformed> {
    let mut exact = OtlpSpan::default();
    let mut shown = Vec::with_capacity(messages.len());
    for message in messages {
        let mut link = Link::default();
        let mut attributes = Vec::new();
        for field in Fields::of(message) {
            let field = field?;
            match field.number {
                1 => link.trace_id = field.bytes()?.to_vec(),
                2 => link.span_id = field.bytes()?.to_vec(),
                3 => link.trace_state = value::string(field.bytes()?, &mut decoder.notes).into_owned(),
                4 => attributes.push(value::attribute(field.bytes()?, &mut decoder.notes)?),
                5 => link.dropped_attributes_count = field.u32()?,
                6 => link.flags = field.fixed32()?,
                _ => {}
            }
        }
        link.attributes = attributes.iter().map(to_key_value).collect();
        shown.push(Value::Map(vec![
            Attribute::new("trace_id", hex::encode(&link.trace_id)),
            Attribute::new("span_id", hex::encode(&link.span_id)),
            Attribute::new("trace_state", link.trace_state.clone()),
            Attribute::new("attributes", Value::Map(attributes)),
        ]));
        exact.links.push(link);
    }
    Ok(nested(shown, &exact, decoder))
}
