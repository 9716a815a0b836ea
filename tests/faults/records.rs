//! Records whose content follows from the seed and their id, so that the oracle need not keep what was sent.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use harness::telemetry::{attribute, resource, text};
use llm_observatory_core::Signal;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, exemplar, metric,
    number_data_point,
};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message as _;

use crate::run::Random;

/// Reads the id and the content of everything that is stored; the content as [`Records::content`] has it.
pub(crate) const fn query(signal: Signal) -> &'static str {
    match signal {
        Signal::Traces => {
            "SELECT (attributes_json::json->>'oracle.id')::bigint, concat_ws(' ', encode(uuid_send(trace_id), 'hex'), \
             encode(span_id, 'hex'), coalesce(encode(parent_span_id, 'hex'), 'root'), service_name, name, \
             (extract(epoch FROM start_time) * 1000000000)::bigint + start_nanos, \
             (extract(epoch FROM end_time) * 1000000000)::bigint + end_nanos, status_code, \
             attributes_json::json->>'oracle.payload') FROM trace_spans"
        }
        Signal::Metrics => {
            "SELECT value_int, concat_ws(' ', resource.service_name, series.attributes->>'shard', \
             (extract(epoch FROM time) * 1000000000)::bigint + time_nanos, \
             exemplars->0->'attributes'->>'oracle.payload') FROM metric_data_points AS point \
             LEFT JOIN metric_series AS series ON series.id = point.series_id AND series.project_id = point.project_id \
             LEFT JOIN resources AS resource \
             ON resource.id = series.resource_id AND resource.project_id = series.project_id"
        }
        Signal::Logs => {
            "SELECT (attributes_json::json->>'oracle.id')::bigint, concat_ws(' ', service_name, severity_number, \
             (extract(epoch FROM time) * 1000000000)::bigint + time_nanos, body_text) FROM logs"
        }
    }
}

/// Spans that belong together: fewer than most requests have, so that most traces come in several of them.
const TRACE_SPANS: u64 = 10;
const SERVICES: u64 = 3;
/// Neighbours that come from the same service: a request has several groups of resources, and begins and ends within one.
const NEIGHBOURS: u64 = 16;
const SHARDS: u64 = 8;
const MILLISECOND: u64 = 1_000_000;
const ERROR: i32 = 2;
/// Texts that are hard to carry through protobuf, JSON, COPY and SQL.
const PIECES: &[&str] = &[
    "plain words ",
    "\"quoted\" ",
    "back\\slash\\\\ ",
    "line\nbreak\r\n",
    "tab\t",
    "Größe ",
    "日本語 ",
    "🦀👩‍🚀 ",
    "{\"json\": [1, null]} ",
    "%s $1 '; -- ",
    "\u{1}\u{1f}\u{7f} ",
    "\\u0000 \\. \\N ",
    "\u{2028}\u{feff} ",
];

/// Makes records and requests.
#[derive(Debug)]
pub(crate) struct Records {
    seed: u64,
    /// The time of id 0; the others follow, one in a millisecond.
    epoch: u64,
}

impl Records {
    pub(crate) fn new(seed: u64) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let an_hour_ago = u64::try_from(now.as_millis()).unwrap() - 3_600_000;
        Self { seed, epoch: an_hour_ago * MILLISECOND }
    }

    /// The bytes of an Export request of these records.
    pub(crate) fn request(&self, signal: Signal, ids: &[u64]) -> Bytes {
        let groups = ids.chunk_by(|left, right| service(*left) == service(*right));
        match signal {
            Signal::Traces => {
                let resource_spans = groups.map(|ids| self.resource_spans(ids)).collect();
                ExportTraceServiceRequest { resource_spans }.encode_to_vec().into()
            }
            Signal::Metrics => {
                let resource_metrics = groups.map(|ids| self.resource_metrics(ids)).collect();
                ExportMetricsServiceRequest { resource_metrics }.encode_to_vec().into()
            }
            Signal::Logs => {
                let resource_logs = groups.map(|ids| self.resource_logs(ids)).collect();
                ExportLogsServiceRequest { resource_logs }.encode_to_vec().into()
            }
        }
    }

    /// What [`query`] says of the record, if it was stored as it was sent.
    pub(crate) fn content(&self, signal: Signal, id: u64) -> String {
        let (service, payload) = (service(id), self.payload(signal, id));
        match signal {
            Signal::Traces => {
                let span = self.span(id);
                let parent = if span.parent_span_id.is_empty() {
                    "root".to_owned()
                } else {
                    hex::encode(&span.parent_span_id)
                };
                let status = span.status.map(|status| format!(" {}", status.code)).unwrap_or_default();
                format!(
                    "{} {} {parent} {service} {} {} {}{status} {payload}",
                    hex::encode(&span.trace_id),
                    hex::encode(&span.span_id),
                    span.name,
                    span.start_time_unix_nano,
                    span.end_time_unix_nano,
                )
            }
            Signal::Metrics => format!("{service} {} {} {payload}", shard(id), self.time(id)),
            Signal::Logs => format!("{service} {} {} {payload}", severity(id), self.time(id)),
        }
    }

    fn resource_spans(&self, ids: &[u64]) -> ResourceSpans {
        let spans = ids.iter().map(|id| self.span(*id)).collect();
        ResourceSpans {
            resource: resource(&service(ids[0])),
            scope_spans: vec![ScopeSpans { spans, ..ScopeSpans::default() }],
            ..ResourceSpans::default()
        }
    }

    fn resource_metrics(&self, ids: &[u64]) -> ResourceMetrics {
        let data_points = ids.iter().map(|id| self.point(*id)).collect();
        let data = Some(metric::Data::Gauge(Gauge { data_points }));
        let metric = Metric { name: "oracle.id".to_owned(), data, ..Metric::default() };
        ResourceMetrics {
            resource: resource(&service(ids[0])),
            scope_metrics: vec![ScopeMetrics { metrics: vec![metric], ..ScopeMetrics::default() }],
            ..ResourceMetrics::default()
        }
    }

    fn resource_logs(&self, ids: &[u64]) -> ResourceLogs {
        let log_records = ids.iter().map(|id| self.log_record(*id)).collect();
        ResourceLogs {
            resource: resource(&service(ids[0])),
            scope_logs: vec![ScopeLogs { log_records, ..ScopeLogs::default() }],
            ..ResourceLogs::default()
        }
    }

    fn span(&self, id: u64) -> Span {
        let (trace, place) = ((id - 1) / TRACE_SPANS, (id - 1) % TRACE_SPANS);
        let root = (id - place).to_be_bytes().to_vec();
        let start = self.time(id);
        Span {
            trace_id: (u128::from(self.seed) << 64 | u128::from(trace + 1)).to_be_bytes().to_vec(),
            span_id: id.to_be_bytes().to_vec(),
            parent_span_id: if place == 0 { Vec::new() } else { root },
            name: format!("span-{id}"),
            start_time_unix_nano: start,
            end_time_unix_nano: start + id % 1_000 * MILLISECOND,
            status: id.is_multiple_of(7).then(|| Status { code: ERROR, ..Status::default() }),
            attributes: self.attributes(Signal::Traces, id),
            ..Span::default()
        }
    }

    fn point(&self, id: u64) -> NumberDataPoint {
        NumberDataPoint {
            attributes: vec![text("shard", &shard(id).to_string())],
            time_unix_nano: self.time(id),
            exemplars: vec![Exemplar {
                filtered_attributes: self.attributes(Signal::Metrics, id),
                time_unix_nano: self.time(id),
                value: Some(exemplar::Value::AsInt(id.cast_signed())),
                ..Exemplar::default()
            }],
            value: Some(number_data_point::Value::AsInt(id.cast_signed())),
            ..NumberDataPoint::default()
        }
    }

    fn log_record(&self, id: u64) -> LogRecord {
        let body = Value::StringValue(self.payload(Signal::Logs, id));
        LogRecord {
            time_unix_nano: self.time(id),
            severity_number: severity(id),
            body: Some(AnyValue { value: Some(body) }),
            attributes: vec![attribute("oracle.id", Value::IntValue(id.cast_signed()))],
            ..LogRecord::default()
        }
    }

    fn attributes(&self, signal: Signal, id: u64) -> Vec<KeyValue> {
        vec![
            attribute("oracle.id", Value::IntValue(id.cast_signed())),
            text("oracle.payload", &self.payload(signal, id)),
        ]
    }

    fn time(&self, id: u64) -> u64 {
        self.epoch + id * MILLISECOND + id % 1_000
    }

    /// Up to 2000 bytes; most are short, as in life.
    fn payload(&self, signal: Signal, id: u64) -> String {
        let mut random = Random::new(&[self.seed, signal as u64, id]);
        let longest = if random.percent(10) { 2_000 } else { 200 };
        let length = random.within(0..longest) as usize;
        let mut payload = format!("{:x} ", random.next());
        while payload.len() < length {
            payload.push_str(random.one_of::<&str>(PIECES));
        }
        payload
    }
}

fn service(id: u64) -> String {
    format!("shop-{}", id / NEIGHBOURS % SERVICES)
}

fn shard(id: u64) -> u64 {
    id % SHARDS
}

fn severity(id: u64) -> i32 {
    1 + (id % 24) as i32
}
