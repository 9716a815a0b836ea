//! Reading LLM spans.

mod filter;
mod models;
mod price;
mod sql;

use llm_observatory_core::ids::{SpanId, TraceId};
use llm_observatory_core::time::UnixNanos;
use uuid::Uuid;

use super::page::{Page, limits, timestamp};
use super::parameter::parameters;
use super::read::{Order, Reader};
use super::repository::repository;
use crate::error::Error;
use crate::models::LlmRow;
use crate::models::column::Int8;
use crate::models::fields::Fields;
use crate::models::row::ReadRow;
use crate::statement::Statement;

pub use filter::{LlmFilter, LlmSelection, Range};
pub use models::{ModelCursor, ModelFilter, ModelOrder, ModelUsage};

/// The statements of this module.
pub(super) const STATEMENTS: [&[&Statement]; 3] = [sql::STATEMENTS, models::STATEMENTS, price::STATEMENTS];

/// Reads LLM spans.
#[derive(Debug, Clone)]
pub struct LlmRepository {
    reader: Reader,
}

repository!(LlmRepository);

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

impl LlmRepository {
    /// The LLM spans that fit the filter, in its order.
    ///
    /// Cost, with and without recent statistics of the table: in the order by time, reads spans from the first one of the
    /// page on until the page is full: those of the model or session, by index, if the filter names one, or else all. A
    /// filter that few spans fit costs the whole range. With a trace, reads the spans of that trace. In any other order,
    /// reads all these spans and sorts them.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when PostgreSQL can't be reached, [`Error::Postgres`] when it refuses the statement or
    /// ends it at the time limit, [`Error::Inconsistent`] when the columns of a stored row contradict each other.
    pub async fn list(&self, filter: LlmFilter) -> Result<Page<ListedLlmSpan, LlmCursor>, Error> {
        let (limit, asked) = limits(filter.limit);
        let (order, ascending) = (filter.order, filter.ascending);
        let range = filter.range;
        let (start, start_nanos, trace, span, value) = match (filter.after, ascending) {
            (Some(after), _) => (
                timestamp(after.start_time),
                after.start_time.sub_micros(),
                after.trace_id.uuid(),
                after.span_id.as_bytes().to_vec(),
                after.value,
            ),
            // No span has the id of zeros, so all spans of the range are behind the first place and before the last.
            (None, true) => {
                (timestamp(range.start), range.start.sub_micros(), Uuid::nil(), Vec::new(), i64::MIN)
            }
            (None, false) => (timestamp(range.end), range.end_nanos(), Uuid::nil(), Vec::new(), i64::MAX),
        };
        let mut parameters = parameters![
            self.reader.project.0,
            timestamp(range.start),
            range.start.sub_micros(),
            timestamp(range.end),
            range.end_nanos(),
            asked,
            start,
            start_nanos,
            trace,
            span,
        ];
        if order != LlmOrder::StartTime {
            parameters.extend(parameters![value]);
        }
        let of_trace = filter.selection.trace_id.is_some();
        let planned = match (order, of_trace) {
            (LlmOrder::StartTime, false) => Order::Indexed,
            _ => Order::Planned,
        };
        let statement = sql::list_by(order, ascending, of_trace);
        let conditions = filter::conditions(filter.selection, parameters);
        Ok(Page::new(self.reader.rows_where(statement, conditions, planned).await?, limit))
    }

    /// The LLM span with this key; `None` if the span is no LLM span, or is not stored.
    ///
    /// Cost: one look-up by key.
    ///
    /// # Errors
    /// Those of [`Self::list`].
    pub async fn get(
        &self,
        trace_id: TraceId,
        start_time: UnixNanos,
        span_id: SpanId,
    ) -> Result<Option<LlmRow>, Error> {
        let parameters = parameters![
            trace_id.uuid(),
            timestamp(start_time),
            span_id.as_bytes().to_vec(),
            self.reader.project.0,
        ];
        self.reader.row(&sql::GET, parameters).await
    }
}
