//! Recordings of real instrumentations (`tests/interop/genai/recordings`), as observations.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use llm_observatory_core::attributes::{Attribute, Value};
use llm_observatory_core::time::UnixNanos;
use llm_observatory_core::trace::SpanKind;
use llm_observatory_genai::{Event, Observation, Scope, SpanObservation};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Sent;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1 as otlp;
use prost::Message;

/// What one instrumentation exported in one case, with the truth that the fakes of the providers told.
pub(crate) struct Recording {
    /// `<instrumentation>/<case>`.
    pub(crate) name: String,
    /// What was asked and answered.
    pub(crate) truth: serde_json::Value,
    /// The spans, with the log records that belong to them among their events.
    pub(crate) spans: Vec<Span>,
}

/// A span of a recording.
pub(crate) struct Span {
    pub(crate) scope: (String, String),
    pub(crate) sent: otlp::Span,
    pub(crate) attributes: Vec<Attribute<'static>>,
    events: Vec<OwnedEvent>,
}

struct OwnedEvent {
    name: String,
    time: UnixNanos,
    attributes: Vec<Attribute<'static>>,
    body: Option<Value<'static>>,
}

/// All recordings, by name.
pub(crate) fn all() -> Vec<Recording> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/interop/genai/recordings");
    let mut cases: Vec<PathBuf> = folders(&root).iter().flat_map(|folder| folders(folder)).collect();
    cases.sort();
    assert!(!cases.is_empty(), "no recordings in {}", root.display());
    cases.iter().map(|case| read(&root, case)).collect()
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.is_dir()).collect()
}

fn read(root: &Path, case: &Path) -> Recording {
    let mut logs: HashMap<Vec<u8>, Vec<OwnedEvent>> = HashMap::new();
    for request in messages::<ExportLogsServiceRequest>(&case.join("logs.binpb")) {
        for scope in request.resource_logs.into_iter().flat_map(|group| group.scope_logs) {
            for record in scope.log_records {
                let span = [&*record.trace_id, &*record.span_id].concat();
                logs.entry(span).or_default().push(log_event(record));
            }
        }
    }
    let mut spans = Vec::new();
    for request in messages::<ExportTraceServiceRequest>(&case.join("traces.binpb")) {
        for group in request.resource_spans.into_iter().flat_map(|group| group.scope_spans) {
            let scope = group.scope.unwrap_or_default();
            for sent in group.spans {
                let mut events: Vec<_> = sent.events.iter().map(span_event).collect();
                let mut late = logs.remove(&[&*sent.trace_id, &*sent.span_id].concat()).unwrap_or_default();
                late.sort_by_key(|event| event.time);
                events.append(&mut late);
                let attributes = owned(&sent.attributes);
                spans.push(Span {
                    scope: (scope.name.clone(), scope.version.clone()),
                    attributes,
                    events,
                    sent,
                });
            }
        }
    }
    let truth = fs::read(case.join("truth.json")).unwrap();
    Recording {
        name: case.strip_prefix(root).unwrap().to_str().unwrap().to_owned(),
        truth: serde_json::from_slice(&truth).unwrap(),
        spans,
    }
}

/// The messages of a file, each of which stands after its length; none if there is no file.
fn messages<M: Message + Default>(path: &Path) -> Vec<M> {
    let bytes = fs::read(path).unwrap_or_default();
    let mut rest = &*bytes;
    let mut messages = Vec::new();
    while !rest.is_empty() {
        messages.push(M::decode_length_delimited(&mut rest).unwrap());
    }
    messages
}

fn span_event(sent: &otlp::span::Event) -> OwnedEvent {
    OwnedEvent {
        name: sent.name.clone(),
        time: UnixNanos(sent.time_unix_nano),
        attributes: owned(&sent.attributes),
        body: None,
    }
}

fn log_event(record: LogRecord) -> OwnedEvent {
    OwnedEvent {
        name: record.event_name,
        time: UnixNanos(record.time_unix_nano),
        attributes: owned(&record.attributes),
        body: Some(record.body.as_ref().map_or(Value::Empty, value)),
    }
}

fn owned(attributes: &[KeyValue]) -> Vec<Attribute<'static>> {
    let one =
        |sent: &KeyValue| Attribute::new(sent.key.clone(), sent.value.as_ref().map_or(Value::Empty, value));
    attributes.iter().map(one).collect()
}

fn value(sent: &AnyValue) -> Value<'static> {
    match &sent.value {
        None => Value::Empty,
        Some(Sent::StringValue(text)) => Value::from(text.clone()),
        Some(Sent::BoolValue(truth)) => Value::from(*truth),
        Some(Sent::IntValue(number)) => Value::from(*number),
        Some(Sent::DoubleValue(number)) => Value::from(*number),
        Some(Sent::BytesValue(bytes)) => Value::Bytes(bytes.clone().into()),
        Some(Sent::ArrayValue(list)) => Value::Array(list.values.iter().map(value).collect()),
        Some(Sent::KvlistValue(map)) => Value::Map(owned(&map.values)),
        Some(other) => panic!("{other:?}"),
    }
}

impl Span {
    /// All that the span and its events hold, to look for a text in it.
    pub(crate) fn text(&self) -> String {
        let bodies = self.events.iter().map(|event| format!("{:?}{:?}", event.attributes, event.body));
        format!("{:?}", self.attributes) + &bodies.collect::<String>()
    }

    /// Calls `read` with the span as an observation.
    pub(crate) fn observed<T>(&self, read: impl FnOnce(&Observation<'_>) -> T) -> T {
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
        read(&Observation::Span(SpanObservation {
            scope: Scope { name: &self.scope.0, version: &self.scope.1 },
            name: &self.sent.name,
            kind: SpanKind(self.sent.kind),
            status: None,
            status_message: "",
            start_time: UnixNanos(self.sent.start_time_unix_nano),
            end_time: UnixNanos(self.sent.end_time_unix_nano),
            attributes: &self.attributes,
            events: &events,
        }))
    }
}
