//! Log records into OTLP.

use llm_observatory_core::ids::{SpanId, TraceId};
use llm_observatory_storage::models::LogRow;
use llm_observatory_storage::models::attributes::{Inconsistent, ValueColumns};
use llm_observatory_storage::models::log::TimeSource;
use opentelemetry_proto::tonic::common::v1::AnyValue;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, LogsData, ResourceLogs, ScopeLogs};

use super::{Dictionary, attributes, id_bytes};

/// The records in their order; neighbours share their resource and scope.
///
/// # Errors
/// [`Inconsistent`] when a row contradicts itself.
pub fn logs(logs: &[LogRow], dictionary: &Dictionary) -> Result<LogsData, Inconsistent> {
    let groups = logs.chunk_by(|a, b| a.resource_id == b.resource_id);
    let resource_logs = groups.map(|group| resource_logs(group, dictionary));
    Ok(LogsData { resource_logs: resource_logs.collect::<Result<_, _>>()? })
}

fn resource_logs(logs: &[LogRow], dictionary: &Dictionary) -> Result<ResourceLogs, Inconsistent> {
    let (resource, schema_url) = dictionary.resource(logs[0].resource_id)?;
    let scope_logs =
        logs.chunk_by(|a, b| a.scope_id == b.scope_id).map(|group| scope_logs(group, dictionary));
    Ok(ResourceLogs { resource, scope_logs: scope_logs.collect::<Result<_, _>>()?, schema_url })
}

fn scope_logs(logs: &[LogRow], dictionary: &Dictionary) -> Result<ScopeLogs, Inconsistent> {
    let (scope, schema_url) = dictionary.scope(logs[0].scope_id)?;
    Ok(ScopeLogs { scope, log_records: logs.iter().map(record).collect::<Result<_, _>>()?, schema_url })
}

/// One record.
///
/// # Errors
/// [`Inconsistent`] when its row contradicts itself.
pub fn record(row: &LogRow) -> Result<LogRecord, Inconsistent> {
    Ok(LogRecord {
        // A time that was made up so that the record could be stored was not in it.
        time_unix_nano: if row.time_source == TimeSource::Record { row.time.0 } else { 0 },
        observed_time_unix_nano: row.observed_time.0,
        severity_number: row.severity.0,
        severity_text: row.severity_text.to_string(),
        body: body(&row.body)?,
        attributes: attributes(&row.attributes)?,
        dropped_attributes_count: row.dropped_attributes_count,
        flags: row.flags,
        trace_id: id_bytes(row.trace_id.as_ref().map(TraceId::as_bytes)),
        span_id: id_bytes(row.span_id.as_ref().map(SpanId::as_bytes)),
        event_name: row.event_name.to_string(),
    })
}

fn body(body: &ValueColumns) -> Result<Option<AnyValue>, Inconsistent> {
    let text = body.text.as_ref().map(|text| String::from_utf8_lossy(text).into_owned());
    let exact = (!body.exact.is_empty()).then_some(&*body.exact);
    ValueColumns::decode(text, body.json.as_deref(), exact)
}

/// About how many bytes a record takes in a message.
pub(crate) fn size(row: &LogRow) -> usize {
    const FIXED: usize = 80;
    let body = &row.body;
    FIXED
        + row.attributes.json.len()
        + row.attributes.layout.len()
        + body.text.as_ref().map_or(0, |text| text.len())
        + body.json.as_ref().map_or(0, |json| json.len())
        + body.exact.len()
        + row.severity_text.as_bytes().len()
        + row.event_name.as_bytes().len()
}
