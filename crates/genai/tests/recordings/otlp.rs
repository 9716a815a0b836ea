//! Recorded exports as observations.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use llm_observatory_core::attributes::{Attribute, Value};
use llm_observatory_core::ids::SpanId;
use llm_observatory_core::llm::LlmReading;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_core::trace::{SpanKind, StatusCode};
use llm_observatory_genai::{Event, LogObservation, Observation, Scope, SpanObservation, is_llm_event, read};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

/// A recorded export.
#[derive(Default)]
pub(crate) struct Export {
    /// Spans with their scopes, each once: of one that was sent twice, the later.
    pub(crate) spans: BTreeMap<(Vec<u8>, Vec<u8>), (InstrumentationScope, Span)>,
    /// Log records with their scopes.
    pub(crate) logs: Vec<(InstrumentationScope, LogRecord)>,
}

/// Attributes that hold requests, answers and messages as they went over the wire. They are not looked through for counts:
/// they may hold those of other calls.
const CONTENT: &[&str] = &[
    "input.value",
    "output.value",
    "gen_ai.prompt",
    "gen_ai.completion",
    "mlflow.spanInputs",
    "mlflow.spanOutputs",
    "traceloop.entity.input",
    "traceloop.entity.output",
    "langfuse.observation.input",
    "langfuse.observation.output",
    "response_text",
];

/// Whether a value is this text or number, or holds it between characters that are neither letters nor digits.
fn holds(value: &Value<'_>, told: &str) -> bool {
    match value {
        Value::Str(text) => text.match_indices(told).any(|(place, _)| {
            let before = text[..place].chars().next_back();
            let after = text[place + told.len()..].chars().next();
            let ends = |next: Option<char>| {
                next.is_none_or(|next| !next.is_alphanumeric() && !matches!(next, '-' | '_' | '.'))
            };
            ends(before) && ends(after)
        }),
        Value::Int(number) => number.to_string() == told,
        Value::Double(number) => number.to_string() == told,
        Value::Array(values) => values.iter().any(|value| holds(value, told)),
        Value::Map(entries) => entries.iter().any(|entry| holds(&entry.value, told)),
        _ => false,
    }
}

/// A step of a recording.
pub(crate) struct Step {
    pub(crate) trace: Vec<u8>,
    pub(crate) id: Option<SpanId>,
    pub(crate) parent: Option<SpanId>,
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) name: String,
    /// `None` for a span that is no LLM span.
    pub(crate) reading: Option<LlmReading>,
}

impl Export {
    /// The export in a folder.
    pub(crate) fn of(folder: &Path) -> Self {
        let mut export = Self::default();
        for request in messages::<ExportTraceServiceRequest>(&folder.join("traces.binpb")) {
            for scoped in request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans) {
                let scope = scoped.scope.unwrap_or_default();
                for span in scoped.spans {
                    let key = (span.trace_id.clone(), span.span_id.clone());
                    let later = export
                        .spans
                        .get(&key)
                        .is_none_or(|(_, other)| other.end_time_unix_nano <= span.end_time_unix_nano);
                    if later {
                        export.spans.insert(key, (scope.clone(), span));
                    }
                }
            }
        }
        for request in messages::<ExportLogsServiceRequest>(&folder.join("logs.binpb")) {
            for scoped in request.resource_logs.into_iter().flat_map(|resource| resource.scope_logs) {
                let scope = scoped.scope.unwrap_or_default();
                export.logs.extend(scoped.log_records.into_iter().map(|record| (scope.clone(), record)));
            }
        }
        export.logs.sort_by_key(|(_, record)| record.time_unix_nano);
        export
    }

    /// All spans, and the log records that are steps by themselves, by their start.
    pub(crate) fn steps(&self) -> Vec<Step> {
        let mut steps: Vec<Step> = self.spans.values().map(|(scope, span)| self.step(scope, span)).collect();
        steps.extend(self.logs.iter().filter_map(|(scope, record)| lone_record(scope, record)));
        steps.sort_by_key(|step| step.start);
        steps
    }

    /// Whether a text stands in an attribute, as a whole or as a part of its JSON, but for those that hold all that was said.
    pub(crate) fn tells(&self, told: &str) -> bool {
        let of_spans = self.spans.values().flat_map(|(_, span)| {
            span.attributes.iter().chain(span.events.iter().flat_map(|event| &event.attributes))
        });
        let of_logs = self.logs.iter().flat_map(|(_, record)| &record.attributes);
        let telling = of_spans.chain(of_logs).filter(|pair| !CONTENT.contains(&&*pair.key));
        telling.filter_map(|pair| pair.value.as_ref()).any(|any| holds(&value(any), told))
    }

    /// Whether an attribute is there that tells why answers end.
    pub(crate) fn tells_an_end(&self) -> bool {
        let of_spans = self.spans.values().flat_map(|(_, span)| {
            span.attributes.iter().chain(span.events.iter().flat_map(|event| &event.attributes))
        });
        let mut keys = of_spans.map(|pair| &pair.key);
        keys.any(|key| ["finish_reason", "finishReason", "stop_reason"].iter().any(|word| key.contains(word)))
    }

    fn step(&self, scope: &InstrumentationScope, span: &Span) -> Step {
        Step {
            trace: span.trace_id.clone(),
            id: SpanId::from_wire(&span.span_id),
            parent: SpanId::from_wire(&span.parent_span_id),
            start: span.start_time_unix_nano,
            end: span.end_time_unix_nano,
            name: span.name.clone(),
            reading: self.observed(scope, span, read),
        }
    }

    /// What `look` finds in all observations: spans, and log records that belong to no LLM span.
    pub(crate) fn each<T>(&self, look: impl Fn(&Observation<'_>) -> T) -> Vec<T> {
        let mut found: Vec<T> =
            self.spans.values().map(|(scope, span)| self.observed(scope, span, &look)).collect();
        found.extend(self.logs.iter().filter_map(|(scope, record)| lone(scope, record, &look)));
        found
    }

    /// What `look` finds in a span, with the log records that belong to it among its events.
    fn observed<T>(
        &self,
        scope: &InstrumentationScope,
        span: &Span,
        look: impl Fn(&Observation<'_>) -> T,
    ) -> T {
        let own: Vec<_> = span
            .events
            .iter()
            .map(|event| (event.name.as_str(), event.time_unix_nano, attributes(&event.attributes), None))
            .collect();
        let mut told = own;
        for (_, record) in &self.logs {
            let noted = attributes(&record.attributes);
            if (&record.trace_id, &record.span_id) == (&span.trace_id, &span.span_id)
                && is_llm_event(&record.event_name, &noted)
            {
                let body = record.body.as_ref().map_or(Value::Empty, value);
                told.push((record.event_name.as_str(), record.time_unix_nano, noted, Some(body)));
            }
        }
        let events: Vec<Event<'_>> = told
            .iter()
            .map(|(name, time, attributes, body)| Event {
                name,
                time: UnixNanos(*time),
                attributes,
                body: body.as_ref(),
            })
            .collect();
        let own = attributes(&span.attributes);
        look(&Observation::Span(SpanObservation {
            scope: Scope { name: &scope.name, version: &scope.version },
            name: &span.name,
            kind: SpanKind(span.kind),
            status: span.status.as_ref().map(|status| StatusCode(status.code)),
            status_message: span.status.as_ref().map_or("", |status| &status.message),
            start_time: UnixNanos(span.start_time_unix_nano),
            end_time: UnixNanos(span.end_time_unix_nano),
            attributes: &own,
            buffer: None,
            events: &events,
        }))
    }
}

/// What `look` finds in a log record; `None` of one that belongs to an LLM span.
fn lone<T>(
    scope: &InstrumentationScope,
    record: &LogRecord,
    look: impl Fn(&Observation<'_>) -> T,
) -> Option<T> {
    let noted = attributes(&record.attributes);
    if is_llm_event(&record.event_name, &noted) && !record.span_id.is_empty() {
        return None;
    }
    let body = record.body.as_ref().map_or(Value::Empty, value);
    Some(look(&Observation::Log(LogObservation {
        scope: Scope { name: &scope.name, version: &scope.version },
        event_name: &record.event_name,
        attributes: &noted,
        body: &body,
        is_in_span: !record.span_id.is_empty(),
    })))
}

/// The step that a log record tells which belongs to no LLM span.
fn lone_record(scope: &InstrumentationScope, record: &LogRecord) -> Option<Step> {
    let reading = lone(scope, record, read)?;
    reading.as_ref()?;
    let noted = attributes(&record.attributes);
    let name = noted.iter().find(|attribute| attribute.key == "event.name");
    Some(Step {
        trace: record.trace_id.clone(),
        id: None,
        parent: SpanId::from_wire(&record.span_id),
        start: record.time_unix_nano,
        end: record.time_unix_nano,
        name: format!("log {}", name.and_then(|name| name.value.as_str()).unwrap_or(&record.event_name)),
        reading,
    })
}

/// Messages that each stand after their length as a varint; none if there is no such file.
fn messages<M: Message + Default>(path: &Path) -> Vec<M> {
    let bytes = std::fs::read(path).unwrap_or_default();
    let mut rest = bytes.as_slice();
    let mut messages = Vec::new();
    while !rest.is_empty() {
        messages.push(M::decode_length_delimited(&mut rest).unwrap());
    }
    messages
}

fn attributes(list: &[KeyValue]) -> Vec<Attribute<'static>> {
    list.iter()
        .map(|pair| Attribute {
            key: Cow::Owned(pair.key.clone()),
            value: pair.value.as_ref().map_or(Value::Empty, value),
        })
        .collect()
}

fn value(any: &AnyValue) -> Value<'static> {
    match &any.value {
        Some(any_value::Value::StringValue(text)) => Value::Str(Cow::Owned(text.clone())),
        Some(any_value::Value::BoolValue(truth)) => Value::Bool(*truth),
        Some(any_value::Value::IntValue(number)) => Value::Int(*number),
        Some(any_value::Value::DoubleValue(number)) => Value::Double(*number),
        Some(any_value::Value::BytesValue(bytes)) => Value::Bytes(Cow::Owned(bytes.clone())),
        Some(any_value::Value::ArrayValue(list)) => Value::Array(list.values.iter().map(value).collect()),
        Some(any_value::Value::KvlistValue(list)) => Value::Map(attributes(&list.values)),
        _ => Value::Empty,
    }
}
