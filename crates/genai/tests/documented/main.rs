//! Every field that a dialect documents, as its documentation writes it: one file a family of dialects. What real
//! instrumentations export is in `recordings`.

#![expect(clippy::unwrap_used, reason = "tests and their helpers panic on errors")]

mod coding_agents;
mod frameworks;
mod langfuse;
mod logs;
mod openinference;
mod openllmetry;
mod otel;
mod otel_content;
mod precedence;
mod providers;
mod robust;
mod shown;
mod tracers;
mod vercel;

use llm_observatory_core::attributes::{Attribute, Value};
use llm_observatory_core::time::UnixNanos;
use llm_observatory_core::trace::{SpanKind, StatusCode};
use llm_observatory_genai::{Event, LogObservation, Observation, Scope, SpanObservation, content, read};
use serde_json::Value as Json;

/// Start of every span here; each takes two seconds.
const START: u64 = 1_700_000_000_000_000_000;

/// A span, or a log record, as a test writes it. Attributes are JSON.
#[derive(Clone)]
struct Told {
    scope: &'static str,
    name: String,
    attributes: Json,
    /// Name, milliseconds after the start, attributes, and the body of a log record.
    events: Vec<(&'static str, u64, Json, Option<Json>)>,
    failed: Option<&'static str>,
    /// The body, if it is a log record.
    body: Option<Json>,
}

/// A span of a library with this name.
fn span(scope: &'static str, name: impl Into<String>, attributes: Json) -> Told {
    Told { scope, name: name.into(), attributes, events: Vec::new(), failed: None, body: None }
}

/// A log record of a library, in no span.
fn record(scope: &'static str, event_name: &str, attributes: Json, body: Json) -> Told {
    Told { body: Some(body), ..span(scope, event_name, attributes) }
}

impl Told {
    /// The same with one more attribute.
    fn with(&self, key: &str, value: Json) -> Self {
        let mut told = self.clone();
        told.attributes.as_object_mut().unwrap().insert(key.to_owned(), value);
        told
    }

    /// The same with an event.
    fn event(mut self, name: &'static str, millis: u64, attributes: Json) -> Self {
        self.events.push((name, millis, attributes, None));
        self
    }

    /// The same with a log record that was written in it.
    fn log(mut self, name: &'static str, millis: u64, attributes: Json, body: Json) -> Self {
        self.events.push((name, millis, attributes, Some(body)));
        self
    }

    /// The same, failed.
    fn failed(mut self, message: &'static str) -> Self {
        self.failed = Some(message);
        self
    }

    fn look<T>(&self, look: impl FnOnce(&Observation<'_>) -> T) -> T {
        let attributes = attributes(&self.attributes);
        let scope = Scope { name: self.scope, version: "1" };
        if let Some(body) = &self.body {
            let body = value(body);
            return look(&Observation::Log(LogObservation {
                scope,
                event_name: &self.name,
                attributes: &attributes,
                body: &body,
                is_in_span: false,
            }));
        }
        let events: Vec<_> = self
            .events
            .iter()
            .map(|(name, millis, told, body)| {
                let time = UnixNanos(START + millis * 1_000_000);
                (*name, time, self::attributes(told), body.as_ref().map(value))
            })
            .collect();
        let events: Vec<_> = events
            .iter()
            .map(|(name, time, attributes, body)| Event {
                name,
                time: *time,
                attributes,
                body: body.as_ref(),
            })
            .collect();
        look(&Observation::Span(SpanObservation {
            scope,
            name: &self.name,
            kind: SpanKind::CLIENT,
            status: self.failed.map(|_| StatusCode::ERROR),
            status_message: self.failed.unwrap_or_default(),
            start_time: UnixNanos(START),
            end_time: UnixNanos(START + 2_000_000_000),
            attributes: &attributes,
            buffer: None,
            events: &events,
        }))
    }

    /// What is read and said, as JSON.
    fn shown(&self) -> Json {
        self.look(|observation| shown::shown(read(observation).as_ref(), &content(observation)))
    }

    /// Checks that each of these fields has this value; `null` for one that is not told.
    #[track_caller]
    fn tells(&self, expected: Json) {
        let faults = faults(&self.shown(), &expected);
        assert!(faults.is_empty(), "{} of {}:\n{}", self.name, self.attributes, faults.join("\n"));
    }
}

fn faults(shown: &Json, expected: &Json) -> Vec<String> {
    let fields = expected.as_object().unwrap().iter();
    let wrong = fields.filter(|(field, expected)| !is_same(&shown[field.as_str()], expected));
    wrong.map(|(field, expected)| format!("{field} is {}, not {expected}", shown[field.as_str()])).collect()
}

fn is_same(shown: &Json, expected: &Json) -> bool {
    shown == expected || shown.as_f64().is_some_and(|shown| expected.as_f64() == Some(shown))
}

/// Checks for each row that the span with this one attribute more tells this field.
#[track_caller]
fn each(base: &Told, rows: &[(&str, Json, &str, Json)]) {
    let mut wrong = Vec::new();
    for (key, value, field, expected) in rows {
        let shown = base.with(key, value.clone()).shown();
        let expected = serde_json::json!({ *field: expected });
        wrong.extend(faults(&shown, &expected).into_iter().map(|fault| format!("{key} = {value}: {fault}")));
    }
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

/// A JSON map as attributes.
fn attributes(json: &Json) -> Vec<Attribute<'static>> {
    let fields = json.as_object().unwrap().iter();
    fields.map(|(key, json)| Attribute { key: key.clone().into(), value: value(json) }).collect()
}

/// JSON as a value: what it is, not its text.
fn value(json: &Json) -> Value<'static> {
    match json {
        Json::Null => Value::Empty,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(number) => match number.as_i64() {
            Some(number) => Value::Int(number),
            None => Value::Double(number.as_f64().unwrap()),
        },
        Json::String(text) => Value::Str(text.clone().into()),
        Json::Array(items) => Value::Array(items.iter().map(value).collect()),
        Json::Object(_) => Value::Map(attributes(json)),
    }
}
