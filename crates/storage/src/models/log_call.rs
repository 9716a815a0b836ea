//! Rows of calls that log records tell.

use std::sync::Arc;

use llm_observatory_core::ids::{SpanId, TraceId};
use llm_observatory_core::time::UnixNanos;
use llm_observatory_core::trace::StatusCode;
use llm_observatory_genai::speaker::Speaker;
use llm_observatory_genai::{LogCall, READING_VERSION};
use uuid::Uuid;

use super::llm::LlmRow;
use super::log::{LogRow, TimeSource};
use super::resource::content_id;

impl LlmRow {
    /// The row of a call that `log` tells, without cost. The same record that comes again gives the same key, if it tells its
    /// time.
    pub fn of_log(log: &LogRow, call: LogCall) -> Self {
        let LogCall { reading, name, duration_nanos, trace } = call;
        let began = |nanos: i64| log.time.0.checked_sub(nanos.unsigned_abs()).filter(|start| *start > 0);
        let start = duration_nanos.and_then(began).map(UnixNanos);
        let record = hash_of(log);
        // Records that name nothing in common are each a trace of its own.
        let trace = trace.as_ref().map_or(&record.as_bytes()[..], |trace| trace.as_bytes());
        let mut row = Self {
            project_id: log.project_id,
            trace_id: log.trace_id.unwrap_or_else(|| trace_of(log, trace)),
            span_id: span_of(record),
            parent_span_id: log.span_id,
            log_id: Some(log.id),
            start_time: start.unwrap_or(log.time),
            duration_nanos: duration_nanos.filter(|_| start.is_some()),
            status: reading.error_type.is_some().then_some(StatusCode::ERROR),
            service_name: log.service_name.clone(),
            name,
            reading: Arc::new(reading),
            taken_over: Speaker::default(),
            reading_version: READING_VERSION,
            log_events: 0,
            billable: false,
            usage_missing: false,
            cost: None,
        };
        row.bill(row.reading.is_call);
        row
    }

    /// When the log record was made that tells the call: at its end.
    pub fn log_time(&self) -> UnixNanos {
        UnixNanos(self.start_time.0.saturating_add(self.duration_nanos.unwrap_or(0).unsigned_abs()))
    }
}

/// The hash of all that a record says by itself, and of where it comes from.
fn hash_of(log: &LogRow) -> Uuid {
    let time = match log.time_source {
        TimeSource::Record | TimeSource::Observed => log.time.0,
        TimeSource::Received => 0,
    };
    content_id(&[
        b"record",
        &log.project_id.0.to_le_bytes(),
        log.resource_id.0.as_bytes(),
        &time.to_le_bytes(),
        log.event_name.as_bytes(),
        &log.attributes.json,
        &log.attributes.layout,
        log.body.text.as_deref().unwrap_or_default(),
        log.body.json.as_deref().unwrap_or_default(),
        &log.body.exact,
    ])
}

/// The trace of records that have `common` in common.
fn trace_of(log: &LogRow, common: &[u8]) -> TraceId {
    TraceId::from_uuid(content_id(&[b"trace", &log.project_id.0.to_le_bytes(), common]))
}

/// The first eight bytes of the id, or the last ones: one of 2^64 ids begins with zeros, which OTLP calls "no id".
fn span_of(record: Uuid) -> SpanId {
    let bytes = record.as_bytes();
    // No hash that anybody will ever see is all zeros.
    SpanId::from_wire(&bytes[..8]).or_else(|| SpanId::from_wire(&bytes[8..])).expect("a hash")
}
