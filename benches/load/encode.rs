//! Spans as OTLP requests, ready to be sent, and as the naive rows of the same spans, ready to be copied.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{self as otlp, ResourceSpans, ScopeSpans, Status, span};
use prost::Message;
use serde::Serialize;
use serde_json::{Value, json};

use crate::spans::{Attributes, SERVICES, Span, Spans};
use crate::{Options, baseline};

/// One round's spans, in both forms.
pub(crate) struct Prepared {
    /// Encoded export requests.
    pub(crate) requests: Vec<Bytes>,
    /// Files of naive rows, one for each `psql \copy`.
    pub(crate) files: Vec<PathBuf>,
    pub(crate) spans: u64,
    pub(crate) shape: Shape,
}

/// What the generated spans are like on average.
#[derive(Clone, Serialize)]
pub(crate) struct Shape {
    pub(crate) bytes_per_span: f64,
    pub(crate) row_bytes_per_span: Option<f64>,
    pub(crate) llm_share: f64,
    pub(crate) attributes_per_span: f64,
    pub(crate) events_per_span: f64,
    pub(crate) spans_per_trace: f64,
}

/// Generates a round's spans; rows are written only when there are `copies` to load them.
pub(crate) fn prepare(seed: u64, options: &Options, copies: usize, scratch: &Path) -> Result<Prepared> {
    let mut source = Spans::new(seed);
    let mut rows = Rows::create(copies, scratch)?;
    let mut requests = Vec::new();
    let mut totals = Totals::default();
    let mut left = options.spans;
    while left > 0 {
        let count = left.min(options.request_spans);
        left -= count;
        let spans: Vec<_> = source.by_ref().take(count as usize).collect();
        spans.iter().for_each(|span| totals.add(span));
        rows.write(&spans)?;
        let body = Bytes::from(request(spans).encode_to_vec());
        totals.bytes += body.len();
        requests.push(body);
    }
    let (files, row_bytes) = rows.finish()?;
    let spans = options.spans;
    let per_span = |total: usize| total as f64 / spans as f64;
    let shape = Shape {
        bytes_per_span: per_span(totals.bytes),
        row_bytes_per_span: (copies > 0).then(|| per_span(row_bytes)),
        llm_share: per_span(totals.llm),
        attributes_per_span: per_span(totals.attributes),
        events_per_span: per_span(totals.events),
        spans_per_trace: spans as f64 / totals.traces.max(1) as f64,
    };
    Ok(Prepared { requests, files, spans, shape })
}

#[derive(Default)]
struct Totals {
    bytes: usize,
    llm: usize,
    attributes: usize,
    events: usize,
    traces: usize,
}

impl Totals {
    fn add(&mut self, span: &Span) {
        self.llm += usize::from(span.attributes.iter().any(|(key, _)| *key == "gen_ai.operation.name"));
        self.attributes += span.attributes.len();
        self.events += span.events.len();
        self.traces += usize::from(span.parent.is_none());
    }
}

/// The files of naive rows: requests take turns, so that the files are of one size.
struct Rows {
    files: Vec<(PathBuf, BufWriter<File>)>,
    turn: usize,
    line: Vec<u8>,
    bytes: usize,
}

impl Rows {
    fn create(copies: usize, scratch: &Path) -> Result<Self> {
        let create = |number| {
            let path = scratch.join(format!("rows-{number}.txt"));
            let file = File::create(&path).with_context(|| format!("creating {}", path.display()))?;
            Ok((path, BufWriter::with_capacity(1 << 20, file)))
        };
        let files = (0..copies).map(create).collect::<Result<_>>()?;
        Ok(Self { files, turn: 0, line: Vec::new(), bytes: 0 })
    }

    fn write(&mut self, spans: &[Span]) -> Result<()> {
        let copies = self.files.len();
        let Some((_, file)) = self.files.get_mut(self.turn) else {
            return Ok(());
        };
        for span in spans {
            self.line.clear();
            baseline::write_row(&mut self.line, span)?;
            self.bytes += self.line.len();
            file.write_all(&self.line)?;
        }
        self.turn = (self.turn + 1) % copies;
        Ok(())
    }

    fn finish(self) -> Result<(Vec<PathBuf>, usize)> {
        let finish = |(path, file): (PathBuf, BufWriter<File>)| {
            // On the disk before any clock starts: writing back shall not disturb what is measured.
            file.into_inner().map_err(|error| error.into_error())?.sync_all()?;
            Ok(path)
        };
        Ok((self.files.into_iter().map(finish).collect::<Result<_>>()?, self.bytes))
    }
}

/// One request as a collector would send it: spans gathered by resource, then by scope.
fn request(spans: Vec<Span>) -> ExportTraceServiceRequest {
    let mut resources: BTreeMap<_, BTreeMap<_, Vec<_>>> = BTreeMap::new();
    for span in spans {
        let scopes = resources.entry((span.service, span.instance)).or_default();
        scopes.entry(span.scope).or_default().push(encode(span));
    }
    let resource_spans = resources.into_iter().map(|((service, instance), scopes)| ResourceSpans {
        resource: Some(resource(service, instance)),
        scope_spans: scopes.into_iter().map(|(name, spans)| scope_spans(name, spans)).collect(),
        schema_url: String::new(),
    });
    ExportTraceServiceRequest { resource_spans: resource_spans.collect() }
}

fn resource(service: usize, instance: usize) -> Resource {
    let name = SERVICES[service];
    let pod = format!("{name}-7d9f8b6c5-{instance:05}");
    let attributes = vec![
        ("service.name", json!(name)),
        ("service.namespace", json!("shop")),
        ("service.version", json!(format!("2.{service}.4"))),
        ("service.instance.id", json!(format!("5c1a70c4-08a6-4c2f-9f1e-{service:06}{instance:06}"))),
        ("deployment.environment.name", json!("production")),
        ("k8s.namespace.name", json!("shop")),
        ("k8s.pod.name", json!(pod)),
        ("host.name", json!(format!("node-{instance}.internal.example.com"))),
        ("process.pid", json!(7 + instance)),
        ("telemetry.sdk.language", json!("python")),
        ("telemetry.sdk.name", json!("opentelemetry")),
        ("telemetry.sdk.version", json!("1.38.0")),
    ];
    Resource { attributes: key_values(attributes), ..Resource::default() }
}

fn scope_spans(name: &str, spans: Vec<otlp::Span>) -> ScopeSpans {
    let scope =
        InstrumentationScope { name: name.to_owned(), version: "0.59b0".to_owned(), ..Default::default() };
    let schema_url = "https://opentelemetry.io/schemas/1.37.0".to_owned();
    ScopeSpans { scope: Some(scope), spans, schema_url }
}

fn encode(span: Span) -> otlp::Span {
    let events = span.events.into_iter().map(|event| span::Event {
        time_unix_nano: event.time,
        name: event.name.to_owned(),
        attributes: key_values(event.attributes),
        dropped_attributes_count: 0,
    });
    otlp::Span {
        trace_id: span.trace_id.to_vec(),
        span_id: span.span_id.to_vec(),
        parent_span_id: span.parent.map(Vec::from).unwrap_or_default(),
        // Sampled, and whether the parent is remote is known: what current SDKs send.
        flags: 0x101,
        name: span.name,
        kind: span.kind as i32,
        start_time_unix_nano: span.start,
        end_time_unix_nano: span.end,
        attributes: key_values(span.attributes),
        events: events.collect(),
        status: Some(Status { message: String::new(), code: span.status as i32 }),
        ..otlp::Span::default()
    }
}

fn key_values(attributes: Attributes) -> Vec<KeyValue> {
    attributes.into_iter().map(|(key, value)| key_value(key.to_owned(), value)).collect()
}

fn key_value(key: String, value: Value) -> KeyValue {
    KeyValue { key, value: Some(any_value(value)), ..KeyValue::default() }
}

fn any_value(value: Value) -> AnyValue {
    let value = match value {
        Value::Null => None,
        Value::Bool(value) => Some(any_value::Value::BoolValue(value)),
        Value::Number(number) => Some(match number.as_i64() {
            Some(value) => any_value::Value::IntValue(value),
            // What serde_json holds and i64 does not, it gives as a double.
            None => any_value::Value::DoubleValue(number.as_f64().unwrap_or(f64::NAN)),
        }),
        Value::String(value) => Some(any_value::Value::StringValue(value)),
        Value::Array(values) => Some(any_value::Value::ArrayValue(ArrayValue {
            values: values.into_iter().map(any_value).collect(),
        })),
        Value::Object(values) => Some(any_value::Value::KvlistValue(KeyValueList {
            values: values.into_iter().map(|(key, value)| key_value(key, value)).collect(),
        })),
    };
    AnyValue { value }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[test]
    fn a_round_holds_what_was_asked_for_in_both_forms() {
        let scratch = tempfile::tempdir().unwrap();
        let options = Options::parse_from(["load", "--spans", "10001", "--request-spans", "400"]);
        let round = prepare(5, &options, 3, scratch.path()).unwrap();
        assert_eq!(round.requests.len(), 26);
        let decoded = round.requests.iter().map(|request| {
            let request = ExportTraceServiceRequest::decode(request.clone()).unwrap();
            request.resource_spans.iter().flat_map(|r| &r.scope_spans).map(|s| s.spans.len()).sum::<usize>()
        });
        assert_eq!(decoded.sum::<usize>(), 10_001);
        let lines = round.files.iter().map(|path| std::fs::read_to_string(path).unwrap().lines().count());
        assert_eq!(lines.sum::<usize>(), 10_001);
    }

    #[test]
    fn spans_have_the_shape_that_the_readme_promises() {
        let scratch = tempfile::tempdir().unwrap();
        let options = Options::parse_from(["load", "--spans", "20000"]);
        let shape = prepare(1, &options, 0, scratch.path()).unwrap().shape;
        assert!((900.0..1150.0).contains(&shape.bytes_per_span), "{}", shape.bytes_per_span);
        assert!((0.24..0.26).contains(&shape.llm_share), "{}", shape.llm_share);
        assert!((10.0..12.5).contains(&shape.attributes_per_span), "{}", shape.attributes_per_span);
        assert!((9.5..10.5).contains(&shape.spans_per_trace), "{}", shape.spans_per_trace);
        assert!(shape.events_per_span > 0.05, "{}", shape.events_per_span);
    }
}
