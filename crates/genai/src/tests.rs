//! Observations for tests of dialects.

use llm_observatory_core::attributes::{Attribute, Value};
use llm_observatory_core::llm::LlmReading;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_core::trace::{SpanKind, StatusCode};

use crate::observation::{Event, LogObservation, Observation, Scope, SpanObservation};

/// Start of every span here; each takes two seconds.
pub(crate) const START: u64 = 1_700_000_000_000_000_000;

/// The reading of a span.
pub(crate) fn span(scope: &str, name: &str, attributes: &[Attribute<'_>]) -> Option<LlmReading> {
    with_events(scope, name, None, attributes, &[])
}

/// The reading of a span that failed.
pub(crate) fn failed(
    scope: &str,
    name: &str,
    message: &str,
    attributes: &[Attribute<'_>],
) -> Option<LlmReading> {
    crate::read(&Observation::Span(SpanObservation {
        scope: Scope { name: scope, version: "" },
        status_message: message,
        ..observed(name, Some(StatusCode::ERROR), attributes, &[])
    }))
}

/// The reading of a span with events.
pub(crate) fn with_events(
    scope: &str,
    name: &str,
    status: Option<StatusCode>,
    attributes: &[Attribute<'_>],
    events: &[Event<'_>],
) -> Option<LlmReading> {
    crate::read(&Observation::Span(SpanObservation {
        scope: Scope { name: scope, version: "" },
        ..observed(name, status, attributes, events)
    }))
}

/// The reading of a log record.
pub(crate) fn log(
    scope: &str,
    event_name: &str,
    attributes: &[Attribute<'_>],
    body: &Value<'_>,
) -> Option<LlmReading> {
    crate::read(&Observation::Log(LogObservation {
        scope: Scope { name: scope, version: "" },
        event_name,
        attributes,
        body,
        is_in_span: false,
    }))
}

/// An event so many milliseconds after the start of the span.
pub(crate) fn event<'a>(name: &'a str, millis: u64, attributes: &'a [Attribute<'a>]) -> Event<'a> {
    Event { name, time: UnixNanos(START + millis * 1_000_000), attributes, body: None }
}

fn observed<'a>(
    name: &'a str,
    status: Option<StatusCode>,
    attributes: &'a [Attribute<'a>],
    events: &'a [Event<'a>],
) -> SpanObservation<'a> {
    SpanObservation {
        scope: Scope::default(),
        name,
        kind: SpanKind::CLIENT,
        status,
        status_message: "",
        start_time: UnixNanos(START),
        end_time: UnixNanos(START + 2_000_000_000),
        attributes,
        events,
    }
}
