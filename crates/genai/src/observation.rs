//! Observations: spans and log records in OTLP's terms.

use bytes::Bytes;
use llm_observatory_core::attributes::{Attribute, Value};
use llm_observatory_core::time::UnixNanos;
use llm_observatory_core::trace::{SpanKind, StatusCode};

/// A span with its events, or a log record by itself. Either may describe an LLM call.
#[derive(Debug, Clone, Copy)]
pub enum Observation<'a> {
    /// A span with all its events.
    Span(SpanObservation<'a>),
    /// A log record.
    Log(LogObservation<'a>),
}

/// The instrumentation scope: the library that made the observation.
#[derive(Debug, Clone, Copy, Default)]
pub struct Scope<'a> {
    /// Name of the library. A dialect may be recognised by it.
    pub name: &'a str,
    /// Version of the library. The meaning of a token count may depend on it.
    pub version: &'a str,
}

/// The parts of a span that a dialect may read.
#[derive(Debug, Clone, Copy)]
pub struct SpanObservation<'a> {
    /// The library that made the span.
    pub scope: Scope<'a>,
    /// Name of the span.
    pub name: &'a str,
    /// Kind of the span: server, client, internal ...
    pub kind: SpanKind,
    /// Status of the span; `None` if the client sent none.
    pub status: Option<StatusCode>,
    /// Reason of a failure, or empty.
    pub status_message: &'a str,
    /// Start of the span.
    pub start_time: UnixNanos,
    /// End of the span; unknown while it runs.
    pub end_time: UnixNanos,
    /// Attributes of the span.
    pub attributes: &'a [Attribute<'a>],
    /// What the texts of the attributes are slices of, if they are: the reading shares it, and copies them otherwise.
    pub buffer: Option<&'a Bytes>,
    /// Events of the span, in the order in which the client sent them, then the log records that belong to it, by time.
    pub events: &'a [Event<'a>],
}

/// An event of a span, or a log record that belongs to it.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    /// Name of the event.
    pub name: &'a str,
    /// Time of the event; may be unknown.
    pub time: UnixNanos,
    /// Attributes of the event.
    pub attributes: &'a [Attribute<'a>],
    /// Body of the log record; `None` for an event of a span.
    pub body: Option<&'a Value<'a>>,
}

/// The parts of a log record that a dialect may read.
#[derive(Debug, Clone, Copy)]
pub struct LogObservation<'a> {
    /// The library that made the record.
    pub scope: Scope<'a>,
    /// Event name of the record, or empty.
    pub event_name: &'a str,
    /// Attributes of the record.
    pub attributes: &'a [Attribute<'a>],
    /// Body of the record.
    pub body: &'a Value<'a>,
    /// Whether the record was written in a span: it has a span id.
    pub is_in_span: bool,
}
