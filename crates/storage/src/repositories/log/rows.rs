//! Rows of `logs`, read back.

use std::time::SystemTime;

use bytes::Bytes;
use llm_observatory_core::ids::{ProjectId, ResourceId, ScopeId, TraceId};
use llm_observatory_core::log::Severity;
use llm_observatory_core::text::Text;
use llm_observatory_core::time::UnixNanos;

use crate::error::Error;
use crate::models::LogRow;
use crate::models::attributes::ValueColumns;
use crate::models::log::TimeSource;
use crate::models::row::Row as _;
use crate::repositories::fields::{Fields, JsonText, Read, time};

macro_rules! log_columns {
    () => {
        "time, observed_time, project_id, severity_number, flags, dropped_attributes_count, time_nanos, observed_nanos, \
         time_source, id, resource_id, scope_id, trace_id, span_id, service_name, severity_text, event_name, body_text, \
         body, body_layout, attributes, attributes_layout"
    };
}

pub(super) use log_columns;

/// How many records there are of one service and severity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogStatistics {
    /// The service.
    pub service: Text,
    /// The severity.
    pub severity: Severity,
    /// Number of records.
    pub count: i64,
}

impl Read for LogRow {
    const COLUMNS: &'static [&'static str] = Self::TABLE.columns;

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        let (at, observed): (SystemTime, Option<SystemTime>) = (fields.take()?, fields.take()?);
        let (project_id, severity) = (ProjectId(fields.take()?), Severity(fields.take()?));
        let (flags, dropped_attributes_count) = (fields.count32()?, fields.count32()?);
        let at = time(at, fields.take()?);
        let observed_nanos: Option<i16> = fields.take()?;
        let time_source = match fields.take::<i16>()? {
            0 => TimeSource::Record,
            1 => TimeSource::Observed,
            2 => TimeSource::Received,
            _ => return Err(fields.wrong()),
        };
        Ok(Self {
            id: fields.take()?,
            resource_id: ResourceId(fields.take()?),
            scope_id: ScopeId(fields.take()?),
            trace_id: fields.take::<Option<_>>()?.map(TraceId::from_uuid),
            span_id: fields.optional_span_id()?,
            service_name: fields.text()?,
            severity_text: fields.text()?,
            event_name: fields.text()?,
            body: ValueColumns {
                text: fields.take::<Option<&str>>()?.map(|text| Bytes::copy_from_slice(text.as_bytes())),
                json: fields.take::<Option<JsonText>>()?.map(|json| json.0),
                exact: fields.bytes()?,
            },
            attributes: fields.attributes()?,
            project_id,
            time: at,
            time_source,
            observed_time: observed
                .map_or(UnixNanos::UNKNOWN, |observed| time(observed, observed_nanos.unwrap_or(0))),
            severity,
            flags,
            dropped_attributes_count,
        })
    }
}

impl Read for LogStatistics {
    const COLUMNS: &'static [&'static str] = &["service_name", "severity_number", "count"];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self { service: fields.text()?, severity: Severity(fields.take()?), count: fields.take()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_selected_in_the_order_in_which_they_are_read() {
        assert_eq!(log_columns!().split(", ").collect::<Vec<_>>(), LogRow::COLUMNS);
    }
}
