//! Plain telemetry, for tests that are not about its contents.

use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::metrics::v1::{
    Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};

/// One second, in OTLP's nanoseconds.
pub const SECOND: u64 = 1_000_000_000;

/// Now, in OTLP's nanoseconds.
pub fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    u64::try_from(now.as_nanos()).expect("a clock before 2554")
}

/// The trace id with this number, as its 16 bytes.
pub fn trace_id(n: u128) -> Vec<u8> {
    n.to_be_bytes().to_vec()
}

/// An attribute.
pub fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

/// An attribute whose value is a text.
pub fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Value::StringValue(value.to_owned()))
}

/// A root span named `span {id}` that began a minute ago and took a millisecond.
pub fn span(trace: u128, id: u64) -> Span {
    let start = now() - 60 * SECOND;
    Span {
        trace_id: trace_id(trace),
        span_id: id.to_be_bytes().to_vec(),
        name: format!("span {id}"),
        start_time_unix_nano: start,
        end_time_unix_nano: start + SECOND / 1_000,
        ..Span::default()
    }
}

/// A request with these spans of one service.
pub fn spans(service: &str, spans: Vec<Span>) -> ExportTraceServiceRequest {
    let scope = ScopeSpans { spans, ..ScopeSpans::default() };
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: resource(service),
            scope_spans: vec![scope],
            ..ResourceSpans::default()
        }],
    }
}

/// A request with one gauge of the service `shop`.
pub fn gauge(name: &str, data_points: Vec<NumberDataPoint>) -> ExportMetricsServiceRequest {
    let metric =
        Metric { name: name.to_owned(), data: Some(Data::Gauge(Gauge { data_points })), ..Metric::default() };
    metrics(vec![metric])
}

/// A request with these metrics of the service `shop`.
pub fn metrics(metrics: Vec<Metric>) -> ExportMetricsServiceRequest {
    let scope = ScopeMetrics { metrics, ..ScopeMetrics::default() };
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: resource("shop"),
            scope_metrics: vec![scope],
            ..ResourceMetrics::default()
        }],
    }
}

/// A data point without attributes.
pub fn point(time_unix_nano: u64, value: i64) -> NumberDataPoint {
    NumberDataPoint { time_unix_nano, value: Some(Number::AsInt(value)), ..NumberDataPoint::default() }
}

/// A request with these log records of one service.
pub fn records(service: &str, log_records: Vec<LogRecord>) -> ExportLogsServiceRequest {
    let scope = ScopeLogs { log_records, ..ScopeLogs::default() };
    ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs {
            resource: resource(service),
            scope_logs: vec![scope],
            ..ResourceLogs::default()
        }],
    }
}

/// A log record of this moment.
pub fn record(body: &str) -> LogRecord {
    LogRecord {
        time_unix_nano: now(),
        body: Some(AnyValue { value: Some(Value::StringValue(body.to_owned())) }),
        ..LogRecord::default()
    }
}

/// The resource of a service.
pub fn resource(service: &str) -> Option<Resource> {
    Some(Resource { attributes: vec![text("service.name", service)], ..Resource::default() })
}
