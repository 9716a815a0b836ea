//! Spans as OTLP requests.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{self as otlp, ResourceSpans, ScopeSpans, Status, span};
use serde_json::{Value, json};

use crate::span::{Attributes, SERVICES, Span};

/// One request as a collector would send it: spans gathered by resource, then by scope.
pub(crate) fn request(spans: Vec<Span>) -> ExportTraceServiceRequest {
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
