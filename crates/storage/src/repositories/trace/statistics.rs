//! Counts and durations of spans, per service.

use llm_observatory_core::text::Text;

use crate::error::Error;
use crate::models::column::{Count64Array, Int8, Nullable, Varchar};
use crate::models::fields::Fields;
use crate::models::row::ReadRow;

/// Counts and durations of the spans of one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceStatistics {
    /// Name of the service, or empty.
    pub service: Text,
    /// Number of spans.
    pub span_count: i64,
    /// Number of spans with status ERROR.
    pub error_count: i64,
    /// Durations of the spans; `None` if none has ended.
    pub durations: Option<Durations>,
}

/// Percentiles of the durations of ended spans, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Durations {
    /// The duration that 50 of 100 spans do not exceed.
    pub p50: i64,
    /// The duration that 95 of 100 spans do not exceed.
    pub p95: i64,
    /// The duration that 99 of 100 spans do not exceed.
    pub p99: i64,
}

impl Durations {
    fn of(percentiles: Vec<u64>) -> Option<Self> {
        let &[p50, p95, p99] = &percentiles[..] else { return None };
        Some(Self { p50: p50.cast_signed(), p95: p95.cast_signed(), p99: p99.cast_signed() })
    }
}

impl ReadRow for ServiceStatistics {
    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            service: fields.take::<Varchar>("service_name")?,
            span_count: fields.take::<Int8>("span_count")?,
            error_count: fields.take::<Int8>("error_count")?,
            durations: fields.take::<Nullable<Count64Array>>("durations")?.and_then(Durations::of),
        })
    }
}
