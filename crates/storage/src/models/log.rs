//! Rows of `logs`.

use llm_observatory_core::ids::{ProjectId, ResourceId, ScopeId, SpanId, TraceId};
use llm_observatory_core::log::Severity;
use llm_observatory_core::text::Text;
use llm_observatory_core::time::UnixNanos;
use uuid::Uuid;

use super::attributes::{Attributes, ValueColumns};
use super::row::{Row, RowEncoder, Table};

/// Where the time of a log record comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i16)]
pub enum TimeSource {
    /// The record's own time.
    Record = 0,
    /// Its observed time, since it has none of its own.
    Observed = 1,
    /// The moment at which it was received, since it has neither.
    Received = 2,
}

/// A row of `logs`.
#[derive(Debug, Clone, PartialEq)]
pub struct LogRow {
    /// The project.
    pub project_id: ProjectId,
    /// Hash of the request that brought it, and its place in there.
    pub id: Uuid,
    /// When it happened; never unknown.
    pub time: UnixNanos,
    /// Where `time` comes from.
    pub time_source: TimeSource,
    /// When it was collected; may be unknown.
    pub observed_time: UnixNanos,
    /// How bad it is.
    pub severity: Severity,
    /// The source's own word for it, or empty.
    pub severity_text: Text,
    /// What kind of event it is, or empty.
    pub event_name: Text,
    /// The body.
    pub body: ValueColumns,
    /// Record attributes.
    pub attributes: Attributes,
    /// How many attributes the client dropped.
    pub dropped_attributes_count: u32,
    /// OTLP flags.
    pub flags: u32,
    /// The trace that it belongs to.
    pub trace_id: Option<TraceId>,
    /// The span that it belongs to.
    pub span_id: Option<SpanId>,
    /// `service.name` of its resource.
    pub service_name: Text,
    /// Where it comes from.
    pub resource_id: ResourceId,
    /// The library that made it.
    pub scope_id: ScopeId,
}

impl Row for LogRow {
    const TABLE: Table = Table {
        name: "logs",
        columns: &[
            "time",
            "observed_time",
            "project_id",
            "severity_number",
            "flags",
            "dropped_attributes_count",
            "time_nanos",
            "observed_nanos",
            "time_source",
            "id",
            "resource_id",
            "scope_id",
            "trace_id",
            "span_id",
            "service_name",
            "severity_text",
            "event_name",
            "body_text",
            "body",
            "body_layout",
            "attributes",
            "attributes_layout",
        ],
    };

    fn encode(&self, to: &mut RowEncoder<'_>) {
        let observed = self.observed_time.is_known().then_some(self.observed_time);
        to.time(self.time);
        to.nullable(observed, RowEncoder::time);
        to.i32(self.project_id.0);
        to.i32(self.severity.0);
        to.count32(self.flags);
        to.count32(self.dropped_attributes_count);
        to.i16(self.time.sub_micros());
        to.nullable(observed, |to, observed| to.i16(observed.sub_micros()));
        to.i16(self.time_source as i16);
        to.uuid(self.id);
        to.uuid(self.resource_id.0);
        to.uuid(self.scope_id.0);
        to.nullable(self.trace_id, |to, id| to.uuid(id.uuid()));
        to.nullable(self.span_id, |to, id| to.bytes(id.as_bytes()));
        to.text(self.service_name.as_bytes());
        to.text_or_null(self.severity_text.as_bytes());
        to.text_or_null(self.event_name.as_bytes());
        to.nullable(self.body.text.as_ref(), |to, text| to.text(text));
        to.nullable(self.body.json.as_ref(), |to, json| to.json(json));
        to.text_or_null(&self.body.exact);
        to.attributes(&self.attributes);
    }
}
