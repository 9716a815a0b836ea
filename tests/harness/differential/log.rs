//! Log records.

use llm_observatory_core::ids::{ResourceId, ScopeId, SpanId, TraceId};
use llm_observatory_core::text::Text;
use llm_observatory_storage::models::LogRow;
use llm_observatory_storage::models::attributes::ValueColumns;
use llm_observatory_storage::models::log::TimeSource;
use llm_observatory_storage::writers::LogBatch;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use uuid::Uuid;

use super::columns::Columns;
use super::normal_form::{self, Shape};
use super::{Compared, Origin, RECEIVED, Told, attributes};
use crate::otlp::normalise;

impl Compared for LogBatch {
    type Otlp = ExportLogsServiceRequest;
    const SHAPE: &'static Shape = &normal_form::LOGS;

    fn theirs(request: &ExportLogsServiceRequest) -> Told {
        let mut told = Told::new();
        for (r, resource) in request.resource_logs.iter().enumerate() {
            for (s, scope) in resource.scope_logs.iter().enumerate() {
                let origin = Origin {
                    resource: resource.resource.clone().unwrap_or_default(),
                    resource_schema_url: resource.schema_url.clone(),
                    scope: scope.scope.clone().unwrap_or_default(),
                    scope_schema_url: scope.schema_url.clone(),
                };
                for (n, record) in scope.log_records.iter().enumerate() {
                    let place = format!("resource_logs[{r}].scope_logs[{s}].log_records[{n}]");
                    told.insert(place, Ok(tell(&origin, without_false_ids(record))));
                }
            }
        }
        told
    }

    fn ours(batch: &LogBatch) -> Vec<String> {
        let origin =
            |log: &LogRow| Origin::of(&batch.resources, log.resource_id, &batch.scopes, log.scope_id);
        batch.logs.iter().map(|log| tell(&origin(log), otlp(log))).collect()
    }

    fn show(batch: &LogBatch, columns: &mut Columns) {
        columns.dictionaries(&batch.resources, &batch.scopes);
        columns.rows(&batch.logs);
        for log in &batch.logs {
            columns.text(&log.severity_text);
            columns.text(&log.event_name);
            columns.value(&log.body);
            columns.attributes(&log.attributes);
        }
    }

    fn elements(log: &LogRow) -> usize {
        attributes(&log.attributes).len()
    }

    fn bare(batch: &LogBatch, n: usize) -> String {
        let log = LogRow {
            id: Uuid::nil(),
            resource_id: ResourceId(Uuid::nil()),
            scope_id: ScopeId(Uuid::nil()),
            service_name: Text::EMPTY,
            ..batch.logs[n].clone()
        };
        format!("{log:?}")
    }

    fn item(_: &LogBatch, _: usize, record: &[u8]) -> Vec<u8> {
        record.to_vec()
    }
}

fn without_false_ids(record: &LogRecord) -> LogRecord {
    let mut record = record.clone();
    if TraceId::from_wire(&record.trace_id).is_none() {
        record.trace_id.clear();
    }
    if SpanId::from_wire(&record.span_id).is_none() {
        record.span_id.clear();
    }
    record
}

fn tell(origin: &Origin, record: LogRecord) -> String {
    let Origin { resource, resource_schema_url, scope, scope_schema_url } = origin.clone();
    let scope = ScopeLogs { scope: Some(scope), log_records: vec![record], schema_url: scope_schema_url };
    let resource =
        ResourceLogs { resource: Some(resource), scope_logs: vec![scope], schema_url: resource_schema_url };
    normalise::records(&[resource]).remove(0)
}

fn otlp(log: &LogRow) -> LogRecord {
    let time = match log.time_source {
        TimeSource::Record => log.time.0,
        TimeSource::Observed => {
            assert_eq!(log.time, log.observed_time);
            0
        }
        TimeSource::Received => {
            assert_eq!((log.time, log.observed_time.is_known()), (RECEIVED, false));
            0
        }
    };
    let ValueColumns { text, json, exact } = &log.body;
    let text = text.as_ref().map(|text| String::from_utf8_lossy(text).into_owned());
    let exact = (!exact.is_empty()).then_some(&**exact);
    LogRecord {
        time_unix_nano: time,
        observed_time_unix_nano: log.observed_time.0,
        severity_number: log.severity.0,
        severity_text: log.severity_text.to_string(),
        body: ValueColumns::decode(text, json.as_deref(), exact).expect("a body that was written"),
        attributes: attributes(&log.attributes),
        dropped_attributes_count: log.dropped_attributes_count,
        flags: log.flags,
        trace_id: log.trace_id.map(|id| id.as_bytes().to_vec()).unwrap_or_default(),
        span_id: log.span_id.map(|id| id.as_bytes().to_vec()).unwrap_or_default(),
        event_name: log.event_name.to_string(),
    }
}
