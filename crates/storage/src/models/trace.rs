//! Rows of `traces`, `trace_spans` and `trace_events`.

use bytes::Bytes;
use llm_observatory_core::ids::{ProjectId, ResourceId, ScopeId, SpanId, TraceId};
use llm_observatory_core::span::LlmReading;
use llm_observatory_core::text::Text;
use llm_observatory_core::time::{Day, UnixNanos};
use llm_observatory_core::trace::{SpanKind, StatusCode};

use super::attributes::Attributes;
use super::row::{Row, RowEncoder, Table};

/// A row of `trace_spans`.
#[derive(Debug, Clone, PartialEq)]
pub struct SpanRow {
    /// The project.
    pub project_id: ProjectId,
    /// The trace.
    pub trace_id: TraceId,
    /// The span.
    pub span_id: SpanId,
    /// The span that called it.
    pub parent_span_id: Option<SpanId>,
    /// When it started.
    pub start_time: UnixNanos,
    /// When it ended; unknown while it has not.
    pub end_time: UnixNanos,
    /// Name of the span.
    pub name: Text,
    /// `service.name` of its resource.
    pub service_name: Text,
    /// Server, client, internal ...
    pub kind: SpanKind,
    /// Its status, if it carried one.
    pub status: Option<StatusCode>,
    /// What went wrong, or empty.
    pub status_message: Text,
    /// W3C tracestate, or empty.
    pub trace_state: Text,
    /// OTLP flags.
    pub flags: u32,
    /// Where it comes from.
    pub resource_id: ResourceId,
    /// The library that made it.
    pub scope_id: ScopeId,
    /// Span attributes.
    pub attributes: Attributes,
    /// How many attributes the client dropped.
    pub dropped_attributes_count: u32,
    /// How many events the client dropped.
    pub dropped_events_count: u32,
    /// How many links the client dropped.
    pub dropped_links_count: u32,
    /// Its links, if any.
    pub links: Option<Nested>,
    /// What it says as an LLM operation, if it is one.
    pub llm: Option<Box<LlmReading>>,
}

/// Repeated OTLP messages that stay with their row: JSON for people, the encoded messages for exactness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nested {
    /// A JSON array.
    pub json: Bytes,
    /// The messages, as an encoded OTLP message of the row's kind with only them set.
    pub otlp: Bytes,
}

impl Nested {
    /// Writes the two columns, NULL when there is none.
    pub(crate) fn encode(nested: Option<&Self>, to: &mut RowEncoder<'_>) {
        to.nullable(nested, |to, nested| to.json(&nested.json));
        to.nullable(nested, |to, nested| to.bytes(&nested.otlp));
    }
}

/// What a span is known by, in the order of the unique key; its start in whole microseconds.
pub type SpanKey = (TraceId, i64, SpanId, ProjectId);

impl SpanRow {
    /// Whether the span failed.
    pub fn is_error(&self) -> bool {
        self.status == Some(StatusCode::ERROR)
    }

    /// The order of the unique key, which is the order in which rows are stored.
    pub fn key(&self) -> SpanKey {
        (self.trace_id, self.start_time.micros(), self.span_id, self.project_id)
    }
}

impl Row for SpanRow {
    const TABLE: Table = Table {
        name: "trace_spans",
        columns: &[
            "start_time",
            "end_time",
            "duration_nanos",
            "input_tokens",
            "output_tokens",
            "cache_read_tokens",
            "cache_creation_tokens",
            "reasoning_tokens",
            "project_id",
            "kind",
            "status_code",
            "flags",
            "dropped_attributes_count",
            "dropped_events_count",
            "dropped_links_count",
            "start_nanos",
            "end_nanos",
            "trace_id",
            "resource_id",
            "scope_id",
            "span_id",
            "parent_span_id",
            "name",
            "service_name",
            "trace_state",
            "status_message",
            "llm_operation",
            "llm_provider",
            "llm_request_model",
            "llm_response_model",
            "llm_session_id",
            "llm_user_id",
            "attributes",
            "attributes_layout",
            "links",
            "links_otlp",
        ],
    };

    fn encode(&self, to: &mut RowEncoder<'_>) {
        let end = self.end_time.is_known().then_some(self.end_time);
        let usage = self.llm.as_ref().map(|llm| llm.usage).unwrap_or_default();
        to.time(self.start_time);
        to.nullable(end, RowEncoder::time);
        to.nullable(end, |to, end| to.i64(end.since(self.start_time)));
        for tokens in [usage.input, usage.output, usage.cache_read, usage.cache_creation, usage.reasoning] {
            to.nullable(tokens, RowEncoder::i64);
        }
        to.i32(self.project_id.0);
        to.i32(self.kind.0);
        to.nullable(self.status, |to, status| to.i32(status.0));
        to.count32(self.flags);
        to.count32(self.dropped_attributes_count);
        to.count32(self.dropped_events_count);
        to.count32(self.dropped_links_count);
        to.i16(self.start_time.sub_micros());
        to.nullable(end, |to, end| to.i16(end.sub_micros()));
        to.uuid(self.trace_id.uuid());
        to.uuid(self.resource_id.0);
        to.uuid(self.scope_id.0);
        to.bytes(self.span_id.as_bytes());
        to.nullable(self.parent_span_id, |to, parent| to.bytes(parent.as_bytes()));
        to.text(self.name.as_bytes());
        to.text(self.service_name.as_bytes());
        to.text_or_null(self.trace_state.as_bytes());
        to.text_or_null(self.status_message.as_bytes());
        self.encode_llm_texts(to);
        to.attributes(&self.attributes);
        Nested::encode(self.links.as_ref(), to);
    }
}

impl SpanRow {
    fn encode_llm_texts(&self, to: &mut RowEncoder<'_>) {
        let none = LlmReading::default();
        let llm = self.llm.as_deref().unwrap_or(&none);
        for text in [
            &llm.operation,
            &llm.provider,
            &llm.request_model,
            &llm.response_model,
            &llm.session_id,
            &llm.user_id,
        ] {
            to.nullable(text.as_ref(), |to, text| to.text(text.as_bytes()));
        }
    }
}

/// A row of `trace_events`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    /// The project.
    pub project_id: ProjectId,
    /// The trace.
    pub trace_id: TraceId,
    /// The span that it happened in.
    pub span_id: SpanId,
    /// When that span started: an event is kept in the partition of its span.
    pub span_start_time: UnixNanos,
    /// Its place among the events of the span, from 0.
    pub ordinal: i32,
    /// When it happened.
    pub time: UnixNanos,
    /// Name of the event.
    pub name: Text,
    /// Event attributes.
    pub attributes: Attributes,
    /// How many attributes the client dropped.
    pub dropped_attributes_count: u32,
}

impl Row for EventRow {
    const TABLE: Table = Table {
        name: "trace_events",
        columns: &[
            "start_time",
            "time",
            "project_id",
            "ordinal",
            "dropped_attributes_count",
            "time_nanos",
            "trace_id",
            "span_id",
            "name",
            "attributes",
            "attributes_layout",
        ],
    };

    fn encode(&self, to: &mut RowEncoder<'_>) {
        to.time(self.span_start_time);
        to.time(self.time);
        to.i32(self.project_id.0);
        to.i32(self.ordinal);
        to.count32(self.dropped_attributes_count);
        to.i16(self.time.sub_micros());
        to.uuid(self.trace_id.uuid());
        to.bytes(self.span_id.as_bytes());
        to.text(self.name.as_bytes());
        to.attributes(&self.attributes);
    }
}

/// A span with its events.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// The span.
    pub row: SpanRow,
    /// What happened in it.
    pub events: Vec<EventRow>,
}

impl From<SpanRow> for Span {
    /// A span in which nothing happened.
    fn from(row: SpanRow) -> Self {
        Self { row, events: Vec::new() }
    }
}

/// A row of `traces`: what one day knows of one trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceRow {
    /// The project.
    pub project_id: ProjectId,
    /// The trace.
    pub trace_id: TraceId,
    /// The UTC day on which the spans started.
    pub day: Day,
    /// Earliest start of its spans.
    pub start_time: UnixNanos,
    /// Latest end of its spans.
    pub end_time: UnixNanos,
    /// Number of spans.
    pub span_count: i64,
    /// Number of spans with status ERROR.
    pub error_count: i64,
    /// The root span, as far as it is known; of several the earliest.
    pub root: Option<Root>,
    /// Every service that took part, once each, in order.
    pub services: Vec<Text>,
}

/// The root span of a trace. Roots are ordered by start, then by id, so that any order of arrival keeps the same one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Root {
    /// When it started, in whole microseconds since 1970.
    pub start_micros: i64,
    /// Its id.
    pub span_id: SpanId,
    /// Its name.
    pub name: Text,
    /// Its service.
    pub service: Text,
}

impl TraceRow {
    /// What one span says of its trace.
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
            root,
            // A service without a name is none.
            services: Some(span.service_name.clone()).into_iter().filter(|name| !name.is_empty()).collect(),
        }
    }

    /// What it is known by, in the order of the unique key.
    pub fn key(&self) -> (TraceId, Day, ProjectId) {
        (self.trace_id, self.day, self.project_id)
    }

    /// Whether the span belongs to this trace and day.
    pub(crate) fn is_of(&self, span: &SpanRow) -> bool {
        self.key() == (span.trace_id, span.start_time.day(), span.project_id)
    }

    /// Adds what one more span says of the same trace.
    pub(crate) fn add(&mut self, span: &SpanRow) {
        // Most spans are no roots and come from a service that is known: they need no row of their own to be merged.
        let known = span.service_name.is_empty() || self.services.contains(&span.service_name);
        if span.parent_span_id.is_none() || !known {
            return self.merge(&Self::of(span));
        }
        self.start_time = self.start_time.min(span.start_time);
        self.end_time = self.end_time.max(span.start_time.max(span.end_time));
        self.span_count += 1;
        self.error_count += i64::from(span.is_error());
    }

    /// Adds what `other` knows of the same trace. Any order of merging gives the same result.
    pub fn merge(&mut self, other: &Self) {
        self.start_time = self.start_time.min(other.start_time);
        self.end_time = self.end_time.max(other.end_time);
        self.span_count += other.span_count;
        self.error_count += other.error_count;
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

impl Row for TraceRow {
    const TABLE: Table = Table {
        name: "traces",
        columns: &[
            "start_time",
            "end_time",
            "root_start",
            "span_count",
            "error_count",
            "day",
            "project_id",
            "start_nanos",
            "end_nanos",
            "trace_id",
            "root_span_id",
            "root_name",
            "root_service",
            "services",
        ],
    };

    fn encode(&self, to: &mut RowEncoder<'_>) {
        let root = self.root.as_ref();
        to.time(self.start_time);
        to.time(self.end_time);
        to.nullable(root, |to, root| to.time(UnixNanos::from_parts(root.start_micros, 0)));
        to.i64(self.span_count);
        to.i64(self.error_count);
        to.day(self.day);
        to.i32(self.project_id.0);
        to.i16(self.start_time.sub_micros());
        to.i16(self.end_time.sub_micros());
        to.uuid(self.trace_id.uuid());
        to.nullable(root, |to, root| to.bytes(root.span_id.as_bytes()));
        to.nullable(root, |to, root| to.text(root.name.as_bytes()));
        to.nullable(root, |to, root| to.text(root.service.as_bytes()));
        to.text_array(&self.services.iter().map(Text::as_bytes).collect::<Vec<_>>());
    }
}
