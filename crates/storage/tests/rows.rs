//! Rows for tests, and tables as JSON.

use llm_observatory_core::attributes::Attribute;
use llm_observatory_core::ids::{MetricId, ProjectId, ResourceId, ScopeId, SeriesId, SpanId, TraceId};
use llm_observatory_core::log::Severity;
use llm_observatory_core::metric::{MetricKind, Temporality};
use llm_observatory_core::text::Text;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_core::trace::{SpanKind, StatusCode};
use llm_observatory_storage::models::attributes::{Attributes, ValueColumns};
use llm_observatory_storage::models::log::TimeSource;
use llm_observatory_storage::models::metric::PointValue;
use llm_observatory_storage::models::{DataPointRow, EventRow, LogRow, MetricRow, SeriesRow, SpanRow};
use tokio_postgres::Client;
use uuid::Uuid;

/// The last nanosecond of 2026-01-01 UTC.
pub(crate) const MIDNIGHT: UnixNanos = UnixNanos(1_767_311_999_999_999_999);

/// The present time, for rows of partitions that exist already.
pub(crate) fn now() -> UnixNanos {
    UnixNanos::from(std::time::SystemTime::now())
}

pub(crate) fn trace_id(n: u128) -> TraceId {
    TraceId::from_uuid(Uuid::from_u128(n))
}

pub(crate) fn span_id(n: u64) -> SpanId {
    SpanId::from_wire(&n.to_be_bytes()).unwrap()
}

/// A span with its required fields only.
pub(crate) fn span(trace: u128, id: u64, start_time: UnixNanos) -> SpanRow {
    SpanRow {
        project_id: ProjectId::DEFAULT,
        trace_id: trace_id(trace),
        span_id: span_id(id),
        parent_span_id: None,
        start_time,
        end_time: UnixNanos::UNKNOWN,
        name: Text::EMPTY,
        service_name: Text::EMPTY,
        kind: SpanKind::UNSPECIFIED,
        status: None,
        status_message: Text::EMPTY,
        trace_state: Text::EMPTY,
        flags: 0,
        resource_id: ResourceId(Uuid::from_u128(0xa)),
        scope_id: ScopeId(Uuid::from_u128(0xb)),
        attributes: Attributes::default(),
        dropped_attributes_count: 0,
        dropped_events_count: 0,
        dropped_links_count: 0,
        links: None,
    }
}

pub(crate) fn failed(mut span: SpanRow) -> SpanRow {
    span.status = Some(StatusCode::ERROR);
    span
}

/// An event of the span.
pub(crate) fn event(of: &SpanRow, ordinal: i32, name: &str) -> EventRow {
    EventRow {
        project_id: of.project_id,
        trace_id: of.trace_id,
        span_id: of.span_id,
        span_start_time: of.start_time,
        ordinal,
        time: of.start_time,
        name: name.into(),
        attributes: Attributes::default(),
        dropped_attributes_count: 0,
    }
}

pub(crate) fn metric(id: u128, kind: MetricKind) -> MetricRow {
    MetricRow {
        id: MetricId(Uuid::from_u128(id)),
        project_id: ProjectId::DEFAULT,
        kind,
        temporality: Temporality::UNSPECIFIED,
        is_monotonic: false,
        name: "requests".into(),
        unit: "1".into(),
        description: Text::EMPTY,
        metadata: Attributes::default(),
    }
}

pub(crate) fn series(id: u128, metric: u128) -> SeriesRow {
    SeriesRow {
        id: SeriesId(Uuid::from_u128(id)),
        project_id: ProjectId::DEFAULT,
        metric_id: MetricId(Uuid::from_u128(metric)),
        resource_id: ResourceId(Uuid::from_u128(0xa)),
        scope_id: ScopeId(Uuid::from_u128(0xb)),
        attributes: Attributes::new(&[Attribute::new("route", "/chat")]),
    }
}

pub(crate) fn point(series: u128, time: UnixNanos, value: PointValue) -> DataPointRow {
    DataPointRow {
        project_id: ProjectId::DEFAULT,
        series_id: SeriesId(Uuid::from_u128(series)),
        start_time: UnixNanos::UNKNOWN,
        time,
        flags: 0,
        value,
        exemplars: None,
    }
}

/// A log record with its required fields only.
pub(crate) fn log(id: u128, time: UnixNanos) -> LogRow {
    LogRow {
        project_id: ProjectId::DEFAULT,
        id: Uuid::from_u128(id),
        time,
        time_source: TimeSource::Record,
        observed_time: UnixNanos::UNKNOWN,
        severity: Severity::UNSPECIFIED,
        severity_text: Text::EMPTY,
        event_name: Text::EMPTY,
        body: ValueColumns::default(),
        attributes: Attributes::default(),
        dropped_attributes_count: 0,
        flags: 0,
        trace_id: None,
        span_id: None,
        service_name: Text::EMPTY,
        resource_id: ResourceId(Uuid::from_u128(0xa)),
        scope_id: ScopeId(Uuid::from_u128(0xb)),
        is_llm_event: false,
        call: None,
    }
}

/// Every row of the table as a JSON object of its columns, sorted by text.
pub(crate) async fn stored(client: &Client, table: &str) -> Vec<serde_json::Value> {
    let rows = client.query(&format!("SELECT row_to_json(t)::text FROM {table} t"), &[]).await.unwrap();
    let mut rows: Vec<serde_json::Value> =
        rows.iter().map(|row| serde_json::from_str(row.get(0)).unwrap()).collect();
    rows.sort_by_key(serde_json::Value::to_string);
    rows
}

/// Number of rows of the table.
pub(crate) async fn count(client: &Client, table: &str) -> i64 {
    client.query_one(&format!("SELECT count(*) FROM {table}"), &[]).await.unwrap().get(0)
}
