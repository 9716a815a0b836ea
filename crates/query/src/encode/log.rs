//! Log records as OTLP.

use llm_observatory_core::ids::{SpanId, TraceId};
use llm_observatory_storage::models::LogRow;
use llm_observatory_storage::models::attributes::{Inconsistent, ValueColumns};
use llm_observatory_storage::models::log::TimeSource;
use opentelemetry_proto::tonic::common::v1::AnyValue;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, LogsData, ResourceLogs, ScopeLogs};

use super::{Encoded, Origins, ValueLimit, attributes, id_bytes, runs};

/// Groups the records in their order; neighbours share their resource and scope.
///
/// # Errors
/// [`Inconsistent`] when the columns of a resource or scope contradict each other.
pub(crate) fn logs(records: Vec<Encoded<LogRecord>>, origins: &Origins) -> Result<LogsData, Inconsistent> {
    let resource_logs = runs(records, |record| record.resource_id).into_iter().map(|(id, records)| {
        let (resource, schema_url) = origins.resource(id)?;
        let scope_logs = runs(records, |record| record.scope_id).into_iter().map(|(id, records)| {
            let (scope, schema_url) = origins.scope(id)?;
            let log_records = records.into_iter().map(|record| record.record).collect();
            Ok(ScopeLogs { scope, log_records, schema_url })
        });
        Ok(ResourceLogs {
            resource,
            scope_logs: scope_logs.collect::<Result<_, Inconsistent>>()?,
            schema_url,
        })
    });
    Ok(LogsData { resource_logs: resource_logs.collect::<Result<_, Inconsistent>>()? })
}

/// Encodes one record, and cuts its values to `limit`.
///
/// # Errors
/// [`Inconsistent`] when the columns of the row contradict each other.
pub(crate) fn record(row: &LogRow, limit: ValueLimit) -> Result<Encoded<LogRecord>, Inconsistent> {
    let record = LogRecord {
        // A record without `time_unix_nano` is stored at another time, which it did not carry.
        time_unix_nano: if row.time_source == TimeSource::Record { row.time.0 } else { 0 },
        observed_time_unix_nano: row.observed_time.0,
        severity_number: row.severity.0,
        severity_text: row.severity_text.to_string(),
        body: body(&row.body, limit)?,
        attributes: attributes(&row.attributes, limit)?,
        dropped_attributes_count: row.dropped_attributes_count,
        flags: row.flags,
        trace_id: id_bytes(row.trace_id.as_ref().map(TraceId::as_bytes)),
        span_id: id_bytes(row.span_id.as_ref().map(SpanId::as_bytes)),
        event_name: row.event_name.to_string(),
    };
    Ok(Encoded { record, resource_id: row.resource_id, scope_id: row.scope_id })
}

fn body(body: &ValueColumns, limit: ValueLimit) -> Result<Option<AnyValue>, Inconsistent> {
    let text = body.text.as_ref().map(|text| String::from_utf8_lossy(text).into_owned());
    let exact = (!body.exact.is_empty()).then_some(&*body.exact);
    let mut body = ValueColumns::decode(text, body.json.as_deref(), exact)?;
    body.iter_mut().for_each(|value| limit.cut(value));
    Ok(body)
}
