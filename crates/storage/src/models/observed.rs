//! Stored spans and log records as `genai` observes them.

use llm_observatory_core::attributes::{Attribute, Value, find};
use llm_observatory_core::text::Text;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_genai::{Event, LogObservation, Observation, Scope, SpanObservation, is_llm_event};

use super::arena::Arena;
use super::attributes::{Attributes, Inconsistent, ValueColumns, from_any_value};
use super::log::LogRow;
use super::resource::ScopeRow;
use super::trace::Span;

/// Attribute that names the event of a log record, for clients that know no event name of records.
const EVENT_NAME: &str = "event.name";

/// A stored span with its events and GenAI log records, decoded.
#[derive(Debug)]
pub struct Observed<'s> {
    span: &'s Span,
    scope_name: Text,
    scope_version: Text,
    attributes: Vec<Attribute<'static>>,
    events: Vec<Happening>,
    log_events: usize,
}

/// A stored log record that tells a call by itself, decoded.
#[derive(Debug)]
pub struct ObservedLog {
    event_name: Text,
    scope_name: Text,
    scope_version: Text,
    attributes: Vec<Attribute<'static>>,
    body: Value<'static>,
    is_in_span: bool,
}

impl ObservedLog {
    /// The record.
    ///
    /// # Errors
    /// [`Inconsistent`] when the columns of the row contradict each other.
    pub fn new(log: &LogRow, scope: Option<&ScopeRow>) -> Result<Self, Inconsistent> {
        Ok(Self {
            event_name: log.event_name.clone(),
            scope_name: scope.map(|scope| scope.name.clone()).unwrap_or_default(),
            scope_version: scope.map(|scope| scope.version.clone()).unwrap_or_default(),
            attributes: log.attributes.attributes()?,
            body: body(&log.body)?,
            is_in_span: log.span_id.is_some(),
        })
    }

    /// Name of the instrumentation scope.
    pub fn scope_name(&self) -> &Text {
        &self.scope_name
    }

    /// Version of the instrumentation scope.
    pub fn scope_version(&self) -> &Text {
        &self.scope_version
    }

    /// The attributes of the record, in the order in which the client sent them.
    pub fn attributes(&self) -> &[Attribute<'static>] {
        &self.attributes
    }

    /// The row as it was when the record came: ids hash its JSON, which PostgreSQL wrote otherwise before schema version 10.
    pub(crate) fn as_sent(&self, stored: &LogRow) -> LogRow {
        let mut row = stored.clone();
        row.attributes = Attributes::new(&self.attributes);
        if row.body != ValueColumns::default() {
            row.body = ValueColumns::encode(&self.body, &mut Arena::default());
        }
        row
    }

    /// What `look` makes of the observation.
    pub fn observe<T>(&self, look: impl FnOnce(&Observation<'_>) -> T) -> T {
        look(&Observation::Log(LogObservation {
            scope: Scope { name: &self.scope_name, version: &self.scope_version },
            event_name: &self.event_name,
            attributes: &self.attributes,
            body: &self.body,
            is_in_span: self.is_in_span,
        }))
    }
}

/// An event of the span, or a log record.
#[derive(Debug)]
struct Happening {
    name: Text,
    time: UnixNanos,
    attributes: Vec<Attribute<'static>>,
    body: Option<Value<'static>>,
}

impl<'s> Observed<'s> {
    /// The span with those of its log records that say something of an LLM call; `logs` are in the order of their times.
    ///
    /// # Errors
    /// [`Inconsistent`] when the columns of a row contradict each other.
    pub fn new(
        span: &'s Span,
        scope: Option<&ScopeRow>,
        logs: impl IntoIterator<Item = LogRow>,
    ) -> Result<Self, Inconsistent> {
        let mut events = Vec::with_capacity(span.events.len());
        for event in &span.events {
            let attributes = event.attributes.attributes()?;
            events.push(Happening { name: event.name.clone(), time: event.time, attributes, body: None });
        }
        for log in logs {
            events.extend(happening(log)?);
        }
        Ok(Self {
            span,
            scope_name: scope.map(|scope| scope.name.clone()).unwrap_or_default(),
            scope_version: scope.map(|scope| scope.version.clone()).unwrap_or_default(),
            attributes: span.row.attributes.attributes()?,
            log_events: events.len() - span.events.len(),
            events,
        })
    }

    /// Name of the instrumentation scope.
    pub fn scope_name(&self) -> &Text {
        &self.scope_name
    }

    /// Version of the instrumentation scope.
    pub fn scope_version(&self) -> &Text {
        &self.scope_version
    }

    /// The attributes of the span, in the order in which the client sent them.
    pub fn attributes(&self) -> &[Attribute<'static>] {
        &self.attributes
    }

    /// Number of log records that belong to the observation.
    pub fn log_events(&self) -> usize {
        self.log_events
    }

    /// What `look` makes of the observation.
    pub fn observe<T>(&self, look: impl FnOnce(&Observation<'_>) -> T) -> T {
        let events: Vec<_> = self
            .events
            .iter()
            .map(|event| Event {
                name: &event.name,
                time: event.time,
                attributes: &event.attributes,
                body: event.body.as_ref(),
            })
            .collect();
        let row = &self.span.row;
        look(&Observation::Span(SpanObservation {
            scope: Scope { name: &self.scope_name, version: &self.scope_version },
            name: &row.name,
            kind: row.kind,
            status: row.status,
            status_message: &row.status_message,
            start_time: row.start_time,
            end_time: row.end_time,
            attributes: &self.attributes,
            buffer: None,
            events: &events,
        }))
    }
}

/// The log record as an event; `None` if it says nothing of an LLM call.
fn happening(log: LogRow) -> Result<Option<Happening>, Inconsistent> {
    let attributes = log.attributes.attributes()?;
    if !is_llm_event(&log.event_name, &attributes) {
        return Ok(None);
    }
    let named = find(&attributes, EVENT_NAME).and_then(|name| name.as_str().map(Text::from));
    let name = if log.event_name.is_empty() { named.unwrap_or_default() } else { log.event_name };
    Ok(Some(Happening { name, time: log.time, attributes, body: Some(body(&log.body)?) }))
}

fn body(columns: &ValueColumns) -> Result<Value<'static>, Inconsistent> {
    let text = columns.text.as_ref().map(|text| String::from_utf8_lossy(text).into_owned());
    let exact = (!columns.exact.is_empty()).then_some(&*columns.exact);
    let value = ValueColumns::decode(text, columns.json.as_deref(), exact)?;
    Ok(value.map_or(Value::Empty, from_any_value))
}
