//! Rows of `traces`, `trace_spans` and `trace_events`.

use std::sync::Arc;

use bytes::Bytes;
use llm_observatory_core::ids::{ProjectId, ResourceId, ScopeId, SpanId, TraceId};
use llm_observatory_core::llm::LlmReading;
use llm_observatory_core::text::Text;
use llm_observatory_core::time::{Day, UnixNanos};
use llm_observatory_core::trace::{SpanKind, StatusCode};
use llm_observatory_genai::speaker::{Speaker, Told};

use super::attributes::{Attributes, Inconsistent};
use super::column::{
    Bytea, ByteaOrNull, Count32, Date, Id, Int2, Int4, Int8, JsonText, Jsonb, Nullable, SpanIdBytes,
    Timestamp, Varchar, VarcharArray, VarcharOrNull,
};
use super::row::row;
use super::speakers::Speakers;
use super::time::{joined, optional_nanos};

/// A row of `trace_spans`.
#[derive(Debug, Clone, PartialEq)]
pub struct SpanRow {
    /// Project of the span.
    pub project_id: ProjectId,
    /// Trace of the span.
    pub trace_id: TraceId,
    /// Id of the span.
    pub span_id: SpanId,
    /// The calling span; `None` for a root span.
    pub parent_span_id: Option<SpanId>,
    /// Start of the span; may be unknown.
    pub start_time: UnixNanos,
    /// End of the span; unknown while it runs.
    pub end_time: UnixNanos,
    /// Name of the span.
    pub name: Text,
    /// `service.name` of the resource.
    pub service_name: Text,
    /// Kind of the span: server, client, internal ...
    pub kind: SpanKind,
    /// Status of the span; `None` if the client sent none.
    pub status: Option<StatusCode>,
    /// Reason of a failure, or empty.
    pub status_message: Text,
    /// W3C tracestate, or empty.
    pub trace_state: Text,
    /// OTLP flags.
    pub flags: u32,
    /// Resource of the span.
    pub resource_id: ResourceId,
    /// Instrumentation scope of the span.
    pub scope_id: ScopeId,
    /// Attributes of the span.
    pub attributes: Attributes,
    /// Number of attributes that the client dropped.
    pub dropped_attributes_count: u32,
    /// Number of events that the client dropped.
    pub dropped_events_count: u32,
    /// Number of links that the client dropped.
    pub dropped_links_count: u32,
    /// Links of the span.
    pub links: Option<Nested>,
}

/// Repeated OTLP messages in two columns of their row: links of a span, exemplars of a point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nested {
    /// A JSON array of the messages, for people.
    pub json: Bytes,
    /// The exact messages: an encoded OTLP message of the row's kind (a span, a data point) in which only they are set.
    pub otlp: Bytes,
}

impl Nested {
    /// The messages from their two columns, which are both present or both NULL.
    pub(super) fn read(json: Option<Bytes>, otlp: Option<Bytes>) -> Result<Option<Self>, Inconsistent> {
        match (json, otlp) {
            (Some(json), Some(otlp)) => Ok(Some(Self { json, otlp })),
            (None, None) => Ok(None),
            _ => Err(Inconsistent::Nested),
        }
    }
}

/// The unique key of a span: trace, start in whole microseconds since 1970, span id, project.
pub type SpanKey = (TraceId, i64, SpanId, ProjectId);

impl SpanRow {
    /// Whether the status of the span is ERROR.
    pub fn is_error(&self) -> bool {
        self.status == Some(StatusCode::ERROR)
    }

    /// The unique key. Writers store rows in its order.
    pub fn key(&self) -> SpanKey {
        (self.trace_id, self.start_time.micros(), self.span_id, self.project_id)
    }
}

// The table has further columns, of which V9 says that they are unused: `LlmRow` has the reading of a span.
row! {
    SpanRow, "trace_spans", |span|
    let end = span.end_time.is_known().then_some(span.end_time);
    [
        start_time: Timestamp = span.start_time,
        end_time: Nullable<Timestamp> = end,
        duration_nanos: Nullable<Int8> = end.map(|end| end.since(span.start_time)),
        project_id: Int4 = span.project_id.0,
        kind: Int4 = span.kind.0,
        status_code: Nullable<Int4> = span.status.map(|status| status.0),
        flags: Count32 = span.flags,
        dropped_attributes_count: Count32 = span.dropped_attributes_count,
        dropped_events_count: Count32 = span.dropped_events_count,
        dropped_links_count: Count32 = span.dropped_links_count,
        start_nanos: Int2 = span.start_time.sub_micros(),
        end_nanos: Nullable<Int2> = end.map(UnixNanos::sub_micros),
        trace_id: Id = span.trace_id.uuid(),
        resource_id: Id = span.resource_id.0,
        scope_id: Id = span.scope_id.0,
        span_id: SpanIdBytes = span.span_id,
        parent_span_id: Nullable<SpanIdBytes> = span.parent_span_id,
        name: Varchar = &span.name,
        service_name: Varchar = &span.service_name,
        trace_state: VarcharOrNull = &span.trace_state,
        status_message: VarcharOrNull = &span.status_message,
        attributes_layout: ByteaOrNull = &span.attributes.layout,
        links: Nullable<Jsonb> = span.links.as_ref().map(|links| &*links.json),
        links_otlp: Nullable<Bytea> = span.links.as_ref().map(|links| &*links.otlp),
        attributes_json: JsonText = &span.attributes.json,
    ]
    read {
        _ = duration_nanos; // it follows from start and end
        Ok(Self {
            project_id: ProjectId(project_id),
            trace_id: TraceId::from_uuid(trace_id),
            span_id,
            parent_span_id,
            start_time: joined(start_time, start_nanos),
            end_time: optional_nanos(end_time, end_nanos),
            name,
            service_name,
            kind: SpanKind(kind),
            status: status_code.map(StatusCode),
            status_message,
            trace_state,
            flags,
            resource_id: ResourceId(resource_id),
            scope_id: ScopeId(scope_id),
            attributes: Attributes { json: attributes_json, layout: attributes_layout },
            dropped_attributes_count,
            dropped_events_count,
            dropped_links_count,
            links: Nested::read(links, links_otlp)?,
        })
    }
}

/// A row of `trace_events`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    /// Project of the event.
    pub project_id: ProjectId,
    /// Trace of the event.
    pub trace_id: TraceId,
    /// Span of the event.
    pub span_id: SpanId,
    /// Start of the span. It decides the partition of the event.
    pub span_start_time: UnixNanos,
    /// Place among the events of the span, from 0.
    pub ordinal: i32,
    /// Time of the event; may be unknown.
    pub time: UnixNanos,
    /// Name of the event.
    pub name: Text,
    /// Attributes of the event.
    pub attributes: Attributes,
    /// Number of attributes that the client dropped.
    pub dropped_attributes_count: u32,
}

row! {
    EventRow, "trace_events", |event|
    [
        start_time: Timestamp = event.span_start_time,
        time: Timestamp = event.time,
        project_id: Int4 = event.project_id.0,
        ordinal: Int4 = event.ordinal,
        dropped_attributes_count: Count32 = event.dropped_attributes_count,
        time_nanos: Int2 = event.time.sub_micros(),
        trace_id: Id = event.trace_id.uuid(),
        span_id: SpanIdBytes = event.span_id,
        name: Varchar = &event.name,
        attributes_layout: ByteaOrNull = &event.attributes.layout,
        attributes_json: JsonText = &event.attributes.json,
    ]
    read Ok(Self {
        project_id: ProjectId(project_id),
        trace_id: TraceId::from_uuid(trace_id),
        span_id,
        span_start_time: start_time,
        ordinal,
        time: joined(time, time_nanos),
        name,
        attributes: Attributes { json: attributes_json, layout: attributes_layout },
        dropped_attributes_count,
    })
}

/// A span with its events and its reading.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// The span.
    pub row: SpanRow,
    /// Events of the span, by ordinal.
    pub events: Vec<EventRow>,
    /// The reading of `genai`; `None` if this is no LLM span.
    pub llm: Option<Arc<LlmReading>>,
    /// Whom a span tells that is no LLM span; `None` if it tells nobody.
    pub speaker: Option<Box<Speaker>>,
}

impl Span {
    /// The session and the user that the span tells.
    pub(crate) fn speaker(&self) -> Told<'_> {
        match (&self.llm, &self.speaker) {
            (Some(reading), _) => (reading.session_id.as_ref(), reading.user_id.as_ref()),
            (None, Some(speaker)) => speaker.told(),
            (None, None) => (None, None),
        }
    }
}

impl From<SpanRow> for Span {
    /// A span without events that is no LLM span.
    fn from(row: SpanRow) -> Self {
        Self { row, events: Vec::new(), llm: None, speaker: None }
    }
}

/// A row of `traces`: the summary of the spans of one trace that started on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceRow {
    /// Project of the trace.
    pub project_id: ProjectId,
    /// Id of the trace.
    pub trace_id: TraceId,
    /// The UTC day on which the spans started.
    pub day: Day,
    /// Earliest start of the spans.
    pub start_time: UnixNanos,
    /// Latest end of the spans. A span without an end counts with its start.
    pub end_time: UnixNanos,
    /// Number of spans.
    pub span_count: i64,
    /// Number of spans with status ERROR.
    pub error_count: i64,
    /// Number of spans that call a model.
    pub llm_calls: i64,
    /// Whether the spans tell a session and a user, and whether LLM spans lack them.
    pub speakers: Speakers,
    /// The root span of this day; the earliest if there are several.
    pub root: Option<Root>,
    /// Names of the services of the spans, sorted, without duplicates and without the empty name.
    pub services: Vec<Text>,
}

/// The root span of a trace. Roots are ordered by start, then by id, so that the same one is kept whichever is stored
/// first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Root {
    /// Start of the span, in whole microseconds since 1970.
    pub start_micros: i64,
    /// Id of the span.
    pub span_id: SpanId,
    /// Name of the span.
    pub name: Text,
    /// Service of the span.
    pub service: Text,
}

impl TraceRow {
    /// The summary of a single span.
    pub fn of(span: &SpanRow) -> Self {
        let root = span.parent_span_id.is_none().then(|| Root {
            start_micros: span.start_time.micros(),
            span_id: span.span_id,
            name: span.name.clone(),
            service: span.service_name.clone(),
        });
        Self {
            project_id: span.project_id,
            trace_id: span.trace_id,
            day: span.start_time.day(),
            start_time: span.start_time,
            end_time: span.start_time.max(span.end_time),
            span_count: 1,
            error_count: i64::from(span.is_error()),
            llm_calls: 0,
            speakers: Speakers::default(),
            root,
            // A span without `service.name` names no service.
            services: Some(span.service_name.clone()).into_iter().filter(|name| !name.is_empty()).collect(),
        }
    }

    /// The unique key: trace, day, project.
    pub fn key(&self) -> (TraceId, Day, ProjectId) {
        (self.trace_id, self.day, self.project_id)
    }

    /// Adds one more span of the same trace and day.
    pub(crate) fn add(&mut self, span: &SpanRow) {
        // Most spans are no roots and belong to a known service: adding them needs no row to merge.
        let known = span.service_name.is_empty() || self.services.contains(&span.service_name);
        if span.parent_span_id.is_none() || !known {
            return self.merge(&Self::of(span));
        }
        self.start_time = self.start_time.min(span.start_time);
        self.end_time = self.end_time.max(span.start_time.max(span.end_time));
        self.span_count += 1;
        self.error_count += i64::from(span.is_error());
    }

    /// Adds another summary of the same trace. Any order of merging gives the same result.
    pub fn merge(&mut self, other: &Self) {
        self.start_time = self.start_time.min(other.start_time);
        self.end_time = self.end_time.max(other.end_time);
        self.span_count += other.span_count;
        self.error_count += other.error_count;
        self.llm_calls += other.llm_calls;
        self.speakers |= other.speakers;
        if let Some(theirs) = &other.root
            && self.root.as_ref().is_none_or(|mine| theirs < mine)
        {
            self.root = Some(theirs.clone());
        }
        for service in &other.services {
            if let Err(place) = self.services.binary_search(service) {
                self.services.insert(place, service.clone());
            }
        }
    }
}

row! {
    TraceRow, "traces", |trace|
    let root = trace.root.as_ref();
    [
        start_time: Timestamp = trace.start_time,
        end_time: Timestamp = trace.end_time,
        root_start: Nullable<Timestamp> = root.map(|root| UnixNanos::from_parts(root.start_micros, 0)),
        span_count: Int8 = trace.span_count,
        error_count: Int8 = trace.error_count,
        day: Date = trace.day,
        project_id: Int4 = trace.project_id.0,
        start_nanos: Int2 = trace.start_time.sub_micros(),
        end_nanos: Int2 = trace.end_time.sub_micros(),
        trace_id: Id = trace.trace_id.uuid(),
        root_span_id: Nullable<SpanIdBytes> = root.map(|root| root.span_id),
        root_name: Nullable<Varchar> = root.map(|root| &root.name),
        root_service: Nullable<Varchar> = root.map(|root| &root.service),
        services: VarcharArray = &trace.services,
        llm_calls: Int8 = trace.llm_calls,
        speakers: Int2 = trace.speakers.0,
    ]
    read {
        let root = match (root_start, root_span_id, root_name, root_service) {
            (Some(start), Some(span_id), Some(name), Some(service)) => {
                Some(Root { start_micros: start.micros(), span_id, name, service })
            }
            (None, None, None, None) => None,
            _ => return Err(Inconsistent::Column("root_start").into()),
        };
        let mut services = services;
        services.sort();
        services.dedup();
        Ok(Self {
            project_id: ProjectId(project_id),
            trace_id: TraceId::from_uuid(trace_id),
            day,
            start_time: joined(start_time, start_nanos),
            end_time: joined(end_time, end_nanos),
            span_count,
            error_count,
            llm_calls,
            speakers: Speakers(speakers),
            root,
            services,
        })
    }
}
