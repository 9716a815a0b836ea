//! Observations: what instrumentation tells, in OTLP's own terms.

use llm_observatory_core::attributes::{Attribute, Value};
use llm_observatory_core::trace::{SpanKind, StatusCode};

/// A span with its events, or a log record. Either may tell of an LLM call.
#[derive(Debug, Clone, Copy)]
pub enum Observation<'a> {
    /// A span, once all of it is known.
    Span(SpanObservation<'a>),
    /// A log record.
    Log(LogObservation<'a>),
}

/// The library that observed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Scope<'a> {
    /// Its name; many dialects are told by it.
    pub name: &'a str,
    /// Its version: what a count means may depend on it.
    pub version: &'a str,
}

/// What a span tells.
#[derive(Debug, Clone, Copy)]
pub struct SpanObservation<'a> {
    /// The library that made the span.
    pub scope: Scope<'a>,
    /// Name of the span.
    pub name: &'a str,
    /// Server, client, internal ...
    pub kind: SpanKind,
    /// Its status, if it carried one.
    pub status: Option<StatusCode>,
    /// Span attributes.
    pub attributes: &'a [Attribute<'a>],
    /// What happened in the span, in order.
    pub events: &'a [Event<'a>],
}

/// An event of a span.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    /// Name of the event.
    pub name: &'a str,
    /// Event attributes.
    pub attributes: &'a [Attribute<'a>],
}

/// What a log record tells.
#[derive(Debug, Clone, Copy)]
pub struct LogObservation<'a> {
    /// The library that made the record.
    pub scope: Scope<'a>,
    /// What kind of event it is, or empty.
    pub event_name: &'a str,
    /// Record attributes.
    pub attributes: &'a [Attribute<'a>],
    /// The body.
    pub body: &'a Value<'a>,
}

impl<'a> Observation<'a> {
    /// The attributes of the span or record itself.
    pub(crate) fn attributes(&self) -> &'a [Attribute<'a>] {
        match self {
            Self::Span(span) => span.attributes,
            Self::Log(log) => log.attributes,
        }
    }
}
