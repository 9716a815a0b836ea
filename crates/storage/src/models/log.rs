//! Rows of `logs`.

use llm_observatory_core::ids::{ProjectId, ResourceId, ScopeId, SpanId, TraceId};
use llm_observatory_core::log::Severity;
use llm_observatory_core::text::Text;
use llm_observatory_core::time::UnixNanos;
use uuid::Uuid;

use super::attributes::{Attributes, Inconsistent, ValueColumns};
use super::column::{
    ByteaOrNull, Count32, Id, Int2, Int4, JsonText, Nullable, SpanIdBytes, Timestamp, Utf8, Varchar,
    VarcharOrNull,
};
use super::llm::LlmRow;
use super::row::row;
use super::time::{joined, optional_nanos};

/// The origin of the time of a log record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i16)]
pub enum TimeSource {
    /// `time_unix_nano` of the record.
    Record = 0,
    /// `observed_time_unix_nano`, for a record without `time_unix_nano`.
    Observed = 1,
    /// The time at which the daemon received the record, for a record without either.
    Received = 2,
}

/// A row of `logs`.
#[derive(Debug, Clone, PartialEq)]
pub struct LogRow {
    /// Project of the record.
    pub project_id: ProjectId,
    /// Id of the record, derived from the hash of its request and its place there.
    pub id: Uuid,
    /// Time of the record; always known.
    pub time: UnixNanos,
    /// Origin of `time`.
    pub time_source: TimeSource,
    /// Time at which the record was collected; may be unknown.
    pub observed_time: UnixNanos,
    /// Severity as a number.
    pub severity: Severity,
    /// Severity in the words of the source, or empty.
    pub severity_text: Text,
    /// Name of the event, or empty.
    pub event_name: Text,
    /// Body of the record.
    pub body: ValueColumns,
    /// Attributes of the record.
    pub attributes: Attributes,
    /// Number of attributes that the client dropped.
    pub dropped_attributes_count: u32,
    /// OTLP flags.
    pub flags: u32,
    /// Trace of the record.
    pub trace_id: Option<TraceId>,
    /// Span of the record.
    pub span_id: Option<SpanId>,
    /// `service.name` of the resource.
    pub service_name: Text,
    /// Resource of the record.
    pub resource_id: ResourceId,
    /// Instrumentation scope of the record.
    pub scope_id: ScopeId,
    /// Whether it tells something of the LLM span that it was written in. No column: a record that is read has `false`.
    pub is_llm_event: bool,
    /// The call that it tells, if no span does. No column: a record that is read has `None`.
    pub call: Option<Box<LlmRow>>,
}

impl TimeSource {
    fn from_column(number: i16) -> Result<Self, Inconsistent> {
        match number {
            0 => Ok(Self::Record),
            1 => Ok(Self::Observed),
            2 => Ok(Self::Received),
            _ => Err(Inconsistent::Column("time_source")),
        }
    }
}

row! {
    LogRow, "logs", |log|
    let observed = log.observed_time.is_known().then_some(log.observed_time);
    [
        time: Timestamp = log.time,
        observed_time: Nullable<Timestamp> = observed,
        project_id: Int4 = log.project_id.0,
        severity_number: Int4 = log.severity.0,
        flags: Count32 = log.flags,
        dropped_attributes_count: Count32 = log.dropped_attributes_count,
        time_nanos: Int2 = log.time.sub_micros(),
        observed_nanos: Nullable<Int2> = observed.map(UnixNanos::sub_micros),
        time_source: Int2 = log.time_source as i16,
        id: Id = log.id,
        resource_id: Id = log.resource_id.0,
        scope_id: Id = log.scope_id.0,
        trace_id: Nullable<Id> = log.trace_id.map(|id| id.uuid()),
        span_id: Nullable<SpanIdBytes> = log.span_id,
        service_name: Varchar = &log.service_name,
        severity_text: VarcharOrNull = &log.severity_text,
        event_name: VarcharOrNull = &log.event_name,
        body_text: Nullable<Utf8> = log.body.text.as_deref(),
        body_layout: ByteaOrNull = &log.body.exact,
        attributes_layout: ByteaOrNull = &log.attributes.layout,
        attributes_json: JsonText = &log.attributes.json,
        body_json: Nullable<JsonText> = log.body.json.as_deref(),
    ]
    read Ok(Self {
        project_id: ProjectId(project_id),
        id,
        time: joined(time, time_nanos),
        time_source: TimeSource::from_column(time_source)?,
        observed_time: optional_nanos(observed_time, observed_nanos),
        severity: Severity(severity_number),
        severity_text,
        event_name,
        body: ValueColumns { text: body_text, json: body_json, exact: body_layout },
        attributes: Attributes { json: attributes_json, layout: attributes_layout },
        dropped_attributes_count,
        flags,
        trace_id: trace_id.map(TraceId::from_uuid),
        span_id,
        service_name,
        resource_id: ResourceId(resource_id),
        scope_id: ScopeId(scope_id),
        is_llm_event: false,
        call: None,
    })
}
