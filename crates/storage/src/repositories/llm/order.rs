//! The orders of a list of LLM spans, and the places in it.

use llm_observatory_core::ids::{SpanId, TraceId};
use llm_observatory_core::time::UnixNanos;

use crate::error::Error;
use crate::models::LlmRow;
use crate::models::column::Int8;
use crate::models::fields::Fields;
use crate::models::row::ReadRow;

/// What LLM spans are ordered by. Spans of the same value are ordered by start, trace and id.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LlmOrder {
    /// Start of the span.
    #[default]
    StartTime,
    /// Time from start to end.
    Duration,
    /// Cost of a billable span in US dollars.
    Cost,
    /// Input and output tokens together.
    Tokens,
}

/// The place of an LLM span in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LlmCursor {
    /// The value that the list is ordered by; `i64::MIN` where it was not told, 0 in the order by time.
    pub value: i64,
    /// Start of the span.
    pub start_time: UnixNanos,
    /// Trace of the span.
    pub trace_id: TraceId,
    /// Id of the span.
    pub span_id: SpanId,
}

/// An LLM span in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedLlmSpan {
    /// The span.
    pub row: LlmRow,
    /// Its value in the order of the list.
    value: i64,
}

impl ReadRow for ListedLlmSpan {
    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self { row: LlmRow::read(fields)?, value: fields.take::<Int8>("place")? })
    }
}

impl From<&ListedLlmSpan> for LlmCursor {
    fn from(ListedLlmSpan { row, value }: &ListedLlmSpan) -> Self {
        Self { value: *value, start_time: row.start_time, trace_id: row.trace_id, span_id: row.span_id }
    }
}
