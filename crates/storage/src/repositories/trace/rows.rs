//! Rows of `traces`, `trace_spans` and `trace_events`, read back.

use std::time::SystemTime;

use llm_observatory_core::ids::{ProjectId, ResourceId, ScopeId, TraceId};
use llm_observatory_core::span::{LlmReading, TokenUsage};
use llm_observatory_core::text::Text;
use llm_observatory_core::time::{Day, UnixNanos};
use llm_observatory_core::trace::{SpanKind, StatusCode};

use crate::error::Error;
use crate::models::row::Row as _;
use crate::models::trace::Root;
use crate::models::{EventRow, SpanRow, TraceRow};
use crate::repositories::fields::{Fields, Read, time};

macro_rules! trace_columns {
    () => {
        "start_time, end_time, root_start, span_count, error_count, day - '1970-01-01' AS day, project_id, start_nanos, \
         end_nanos, trace_id, root_span_id, root_name, root_service, services"
    };
}

macro_rules! span_columns {
    () => {
        "start_time, end_time, duration_nanos, input_tokens, output_tokens, cache_read_tokens, cache_creation_tokens, \
         reasoning_tokens, project_id, kind, status_code, flags, dropped_attributes_count, dropped_events_count, \
         dropped_links_count, start_nanos, end_nanos, trace_id, resource_id, scope_id, span_id, parent_span_id, name, \
         service_name, trace_state, status_message, llm_operation, llm_provider, llm_request_model, llm_response_model, \
         llm_session_id, llm_user_id, attributes, attributes_layout, links, links_otlp"
    };
}

macro_rules! event_columns {
    () => {
        "start_time, time, project_id, ordinal, dropped_attributes_count, time_nanos, trace_id, span_id, name, \
         attributes, attributes_layout"
    };
}

pub(super) use {event_columns, span_columns, trace_columns};

/// What the spans of one service say together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceStatistics {
    /// The service.
    pub service: Text,
    /// Number of spans.
    pub span_count: i64,
    /// Number of spans with status ERROR.
    pub error_count: i64,
    /// How long they took; `None` when none has ended.
    pub durations: Option<Durations>,
}

/// Percentiles of the duration of spans that have ended, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Durations {
    /// Half of the spans took at most this long.
    pub p50: i64,
    /// 95 of 100 spans took at most this long.
    pub p95: i64,
    /// 99 of 100 spans took at most this long.
    pub p99: i64,
}

impl Read for TraceRow {
    const COLUMNS: &'static [&'static str] = Self::TABLE.columns;

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        let (start, end): (SystemTime, SystemTime) = (fields.take()?, fields.take()?);
        let root_start: Option<SystemTime> = fields.take()?;
        let (span_count, error_count) = (fields.take()?, fields.take()?);
        let (day, project_id) = (Day(fields.take()?), ProjectId(fields.take()?));
        let (start_time, end_time) = (time(start, fields.take()?), time(end, fields.take()?));
        let trace_id = TraceId::from_uuid(fields.take()?);
        let (root_id, name, service) =
            (fields.optional_span_id()?, fields.optional_text()?, fields.optional_text()?);
        let root = match (root_start, root_id, name, service) {
            (Some(start), Some(span_id), Some(name), Some(service)) => {
                Some(Root { start_micros: UnixNanos::from(start).micros(), span_id, name, service })
            }
            (None, None, None, None) => None,
            _ => return Err(fields.wrong()),
        };
        let mut services: Vec<Text> = fields.take::<Vec<&str>>()?.into_iter().map(Text::from).collect();
        services.sort();
        services.dedup();
        Ok(Self { project_id, trace_id, day, start_time, end_time, span_count, error_count, root, services })
    }
}

impl Read for SpanRow {
    const COLUMNS: &'static [&'static str] = Self::TABLE.columns;

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        let (start, end): (SystemTime, Option<SystemTime>) = (fields.take()?, fields.take()?);
        let _duration: Option<i64> = fields.take()?;
        let usage = TokenUsage {
            input: fields.take()?,
            output: fields.take()?,
            cache_read: fields.take()?,
            cache_creation: fields.take()?,
            reasoning: fields.take()?,
        };
        let project_id = ProjectId(fields.take()?);
        let (kind, status) = (SpanKind(fields.take()?), fields.take::<Option<i32>>()?.map(StatusCode));
        let flags = fields.count32()?;
        let dropped = [fields.count32()?, fields.count32()?, fields.count32()?];
        let start_time = time(start, fields.take()?);
        let end_nanos: Option<i16> = fields.take()?;
        Ok(Self {
            project_id,
            trace_id: TraceId::from_uuid(fields.take()?),
            resource_id: ResourceId(fields.take()?),
            scope_id: ScopeId(fields.take()?),
            span_id: fields.span_id()?,
            parent_span_id: fields.optional_span_id()?,
            name: fields.text()?,
            service_name: fields.text()?,
            trace_state: fields.text()?,
            status_message: fields.text()?,
            llm: read_llm(fields, usage)?,
            attributes: fields.attributes()?,
            links: fields.nested()?,
            start_time,
            end_time: end.map_or(UnixNanos::UNKNOWN, |end| time(end, end_nanos.unwrap_or(0))),
            kind,
            status,
            flags,
            dropped_attributes_count: dropped[0],
            dropped_events_count: dropped[1],
            dropped_links_count: dropped[2],
        })
    }
}

fn read_llm(fields: &mut Fields<'_>, usage: TokenUsage) -> Result<Option<Box<LlmReading>>, Error> {
    let reading = LlmReading {
        operation: fields.optional_text()?,
        provider: fields.optional_text()?,
        request_model: fields.optional_text()?,
        response_model: fields.optional_text()?,
        session_id: fields.optional_text()?,
        user_id: fields.optional_text()?,
        usage,
    };
    Ok((reading != LlmReading::default()).then(|| Box::new(reading)))
}

impl Read for EventRow {
    const COLUMNS: &'static [&'static str] = Self::TABLE.columns;

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        let (span_start, at): (SystemTime, SystemTime) = (fields.take()?, fields.take()?);
        Ok(Self {
            span_start_time: time(span_start, 0),
            project_id: ProjectId(fields.take()?),
            ordinal: fields.take()?,
            dropped_attributes_count: fields.count32()?,
            time: time(at, fields.take()?),
            trace_id: TraceId::from_uuid(fields.take()?),
            span_id: fields.span_id()?,
            name: fields.text()?,
            attributes: fields.attributes()?,
        })
    }
}

impl Read for ServiceStatistics {
    const COLUMNS: &'static [&'static str] = &["service_name", "span_count", "error_count", "durations"];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            service: fields.text()?,
            span_count: fields.take()?,
            error_count: fields.take()?,
            durations: match fields.take::<Option<Vec<Option<i64>>>>()?.as_deref() {
                Some([Some(p50), Some(p95), Some(p99)]) => {
                    Some(Durations { p50: *p50, p95: *p95, p99: *p99 })
                }
                _ => None,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_selected_in_the_order_in_which_they_are_read() {
        let names = |columns: &'static str| columns.split(", ").collect::<Vec<_>>();
        assert_eq!(names(span_columns!()), SpanRow::COLUMNS);
        assert_eq!(names(event_columns!()), EventRow::COLUMNS);
        let days = trace_columns!().replace("day - '1970-01-01' AS day", "day");
        assert_eq!(days.split(", ").collect::<Vec<_>>(), TraceRow::COLUMNS);
        let in_list = |name| super::super::sql::LIST.1.contains(&format!("d.{name},"));
        assert!(TraceRow::COLUMNS.iter().filter(|name| !["day", "services"].contains(*name)).all(in_list));
    }
}
