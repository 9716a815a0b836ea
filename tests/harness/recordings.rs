//! Recordings of real instrumentations (`tests/interop/genai/recordings`), and other ways in which they might have come.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Sent;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use serde_json::Value;

use crate::telemetry::text;

/// What one instrumentation exported in one case, and the truth about it.
#[derive(Debug, Clone)]
pub struct Recording {
    /// `<instrumentation>/<case>`.
    pub name: String,
    /// `truth.json`: what the fakes of the providers were asked and answered.
    pub truth: Value,
    /// The instrumentation's package and its version: the first in the truth.
    pub package: String,
    /// The requests with spans, in the order in which they came.
    pub traces: Vec<ExportTraceServiceRequest>,
    /// The requests with log records, in the order in which they came.
    pub logs: Vec<ExportLogsServiceRequest>,
}

impl Recording {
    /// The name of its service, by which its spans are found again.
    pub fn service(&self, take: u8) -> String {
        format!("{} take {take}", self.name)
    }

    /// Whether it has a span with this id.
    pub fn has_span(&self, id: &[u8]) -> bool {
        let scopes = self
            .traces
            .iter()
            .flat_map(|request| &request.resource_spans)
            .flat_map(|group| &group.scope_spans);
        scopes.flat_map(|scope| &scope.spans).any(|span| span.span_id == id)
    }

    /// The same as if it had been recorded at another place: every trace id is another one, the same for the same `take`, and
    /// the service tells recording and take. Take 0 has the trace ids of the recording.
    #[must_use]
    pub fn take(&self, take: u8) -> Self {
        let mut copy = self.clone();
        let other = |id: &mut Vec<u8>| *id = trace_id(id, take);
        for span in copy.traces.iter_mut().flat_map(spans_mut) {
            other(&mut span.trace_id);
            span.links.iter_mut().for_each(|link| other(&mut link.trace_id));
        }
        copy.logs.iter_mut().flat_map(records_mut).for_each(|record| other(&mut record.trace_id));
        let of_spans = copy.traces.iter_mut().flat_map(|request| &mut request.resource_spans);
        let of_logs = copy.logs.iter_mut().flat_map(|request| &mut request.resource_logs);
        let resources =
            of_spans.map(|group| &mut group.resource).chain(of_logs.map(|group| &mut group.resource));
        for resource in resources {
            let attributes = &mut resource.get_or_insert_default().attributes;
            attributes.retain(|attribute| attribute.key != SERVICE);
            attributes.push(text(SERVICE, &self.service(take)));
        }
        copy
    }
}

const SERVICE: &str = "service.name";

/// Shorter texts may be part of others by chance.
const WORD: usize = 12;

/// All values that an export holds, in attributes, bodies and messages, and in JSON inside of those.
#[derive(Debug, Default)]
pub struct Exported {
    values: HashSet<String>,
    texts: String,
    spans: String,
    /// Names of spans and events, keys of attributes and of JSON inside of them.
    names: HashSet<String>,
}

impl Exported {
    /// The values of a recording.
    pub fn of(recording: &Recording) -> Self {
        let mut copy = recording.clone();
        let mut exported = Self::default();
        for span in copy.traces.iter_mut().flat_map(spans_mut) {
            exported.spans += &span.name;
            exported.names.insert(span.name.clone());
            exported.attributes(&span.attributes);
            for event in &span.events {
                exported.names.insert(event.name.clone());
                exported.attributes(&event.attributes);
            }
            exported.text(span.status.as_ref().map_or("", |status| &status.message));
        }
        for record in copy.logs.iter_mut().flat_map(records_mut) {
            exported.names.insert(record.event_name.clone());
            exported.attributes(&record.attributes);
            record.body.iter().for_each(|body| exported.value(body));
        }
        exported
    }

    /// Whether a value, or every text in it, stands somewhere in the export: a number or a word alone, a longer text also in
    /// another one.
    pub fn holds(&self, value: &Value) -> bool {
        match value {
            Value::Null | Value::Bool(_) => true,
            Value::Number(number) => self.values.contains(&number.to_string()),
            Value::String(text) => {
                self.values.contains(text) || text.len() > WORD && self.texts.contains(text)
            }
            Value::Array(values) => values.iter().all(|value| self.holds(value)),
            Value::Object(fields) => {
                fields.iter().filter(|(key, _)| *key != "role").all(|(_, value)| self.holds(value))
            }
        }
    }

    /// Whether the name of a span tells of this.
    pub fn span_of(&self, what: &str) -> bool {
        self.spans.contains(what)
    }

    /// Whether the name of a span, event, attribute or field holds one of these words, in any case.
    pub fn names(&self, words: &[&str]) -> bool {
        let holds = |name: &String| words.iter().any(|word| name.to_lowercase().contains(word));
        self.names.iter().any(holds)
    }

    fn attributes(&mut self, attributes: &[KeyValue]) {
        for attribute in attributes {
            self.names.insert(attribute.key.clone());
            attribute.value.iter().for_each(|value| self.value(value));
        }
    }

    fn value(&mut self, value: &AnyValue) {
        match &value.value {
            Some(Sent::StringValue(text)) => self.text(text),
            Some(Sent::IntValue(number)) => _ = self.values.insert(number.to_string()),
            Some(Sent::DoubleValue(number)) => _ = self.values.insert(number.to_string()),
            Some(Sent::ArrayValue(list)) => list.values.iter().for_each(|value| self.value(value)),
            Some(Sent::KvlistValue(map)) => self.attributes(&map.values),
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        self.texts += text;
        self.texts.push('\n');
        self.values.insert(text.to_owned());
        if text.starts_with(['{', '[', '"'])
            && let Ok(json) = serde_json::from_str(text)
        {
            self.json(&json);
        }
    }

    fn json(&mut self, json: &Value) {
        match json {
            Value::String(text) => self.text(text),
            Value::Number(number) => _ = self.values.insert(number.to_string()),
            Value::Array(values) => values.iter().for_each(|value| self.json(value)),
            Value::Object(fields) => {
                self.names.extend(fields.keys().cloned());
                fields.values().for_each(|value| self.json(value));
            }
            _ => {}
        }
    }
}

/// The trace id of another take. Asked twice, it gives the id back.
pub fn trace_id(id: &[u8], take: u8) -> Vec<u8> {
    id.iter().map(|byte| byte ^ take).collect()
}

fn spans_mut(request: &mut ExportTraceServiceRequest) -> impl Iterator<Item = &mut Span> {
    let scopes = request.resource_spans.iter_mut().flat_map(|resource| &mut resource.scope_spans);
    scopes.flat_map(|scope| &mut scope.spans)
}

fn records_mut(request: &mut ExportLogsServiceRequest) -> impl Iterator<Item = &mut LogRecord> {
    let scopes = request.resource_logs.iter_mut().flat_map(|resource| &mut resource.scope_logs);
    scopes.flat_map(|scope| &mut scope.log_records)
}

/// A request for each span.
pub fn single_spans(request: &ExportTraceServiceRequest) -> Vec<ExportTraceServiceRequest> {
    let mut singles = Vec::new();
    for resource in &request.resource_spans {
        for scope in &resource.scope_spans {
            for span in &scope.spans {
                let scope = ScopeSpans { spans: vec![span.clone()], ..scope.clone() };
                let resource = ResourceSpans { scope_spans: vec![scope], ..resource.clone() };
                singles.push(ExportTraceServiceRequest { resource_spans: vec![resource] });
            }
        }
    }
    singles
}

/// A request for each log record.
pub fn single_records(request: &ExportLogsServiceRequest) -> Vec<ExportLogsServiceRequest> {
    let mut singles = Vec::new();
    for resource in &request.resource_logs {
        for scope in &resource.scope_logs {
            for record in &scope.log_records {
                let scope = ScopeLogs { log_records: vec![record.clone()], ..scope.clone() };
                let resource = ResourceLogs { scope_logs: vec![scope], ..resource.clone() };
                singles.push(ExportLogsServiceRequest { resource_logs: vec![resource] });
            }
        }
    }
    singles
}

/// One request with all spans.
pub fn merged_spans<'a>(
    requests: impl IntoIterator<Item = &'a ExportTraceServiceRequest>,
) -> ExportTraceServiceRequest {
    let resource_spans = requests.into_iter().flat_map(|request| request.resource_spans.clone()).collect();
    ExportTraceServiceRequest { resource_spans }
}

/// One request with all log records.
pub fn merged_records<'a>(
    requests: impl IntoIterator<Item = &'a ExportLogsServiceRequest>,
) -> ExportLogsServiceRequest {
    let resource_logs = requests.into_iter().flat_map(|request| request.resource_logs.clone()).collect();
    ExportLogsServiceRequest { resource_logs }
}

/// All recordings, by name.
pub fn all() -> Vec<Recording> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop/genai/recordings");
    let mut cases: Vec<PathBuf> = folders(&root).iter().flat_map(|folder| folders(folder)).collect();
    cases.sort();
    assert!(!cases.is_empty(), "no recordings in {}", root.display());
    cases.iter().map(|case| read(&root, case)).collect()
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder of recordings");
    entries.map(|entry| entry.expect("its entry").path()).filter(|path| path.is_dir()).collect()
}

fn read(root: &Path, case: &Path) -> Recording {
    let text = fs::read_to_string(case.join("truth.json")).expect("a recording has its truth");
    Recording {
        name: case.strip_prefix(root).expect("a case lies below the root").display().to_string(),
        package: first_package(&text),
        truth: serde_json::from_str(&text).expect("truth.json is JSON"),
        traces: messages(&case.join("traces.binpb")),
        logs: messages(&case.join("logs.binpb")),
    }
}

/// The package that stands first, which a parsed map would no longer tell.
fn first_package(truth: &str) -> String {
    let packages = truth.split_once("\"packages\": {").expect("the truth has its packages").1;
    let mut words = packages.split('"').skip(1).step_by(2);
    format!("{} {}", words.next().unwrap_or_default(), words.next().unwrap_or_default())
}

/// The messages of a file, each of which stands after its length; none if there is no file.
fn messages<M: Message + Default>(path: &Path) -> Vec<M> {
    let bytes = fs::read(path).unwrap_or_default();
    let mut rest = &*bytes;
    let mut messages = Vec::new();
    while !rest.is_empty() {
        messages.push(M::decode_length_delimited(&mut rest).expect("a recorded request"));
    }
    messages
}
