//! Reading LLM spans.

mod filter;
mod models;
mod order;
mod sql;

use std::sync::Arc;

use llm_observatory_core::ids::{SpanId, TraceId};
use llm_observatory_core::text::Text;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_genai::prices::PriceBook;
use uuid::Uuid;

use super::page::{Page, limits, timestamp};
use super::parameter::parameters;
use super::read::{Order, Reader};
use super::repository::repository;
use crate::error::Error;
use crate::models::column::VarcharOrNull;
use crate::models::fields::Fields;
use crate::models::row::ReadRow;
use crate::models::{LlmRow, PriceRow};
use crate::statement::Statement;

pub use filter::{LlmFilter, LlmSelection, Range};
pub use models::{ModelCursor, ModelFilter, ModelOrder, ModelUsage};
pub use order::{ListedLlmSpan, LlmCursor, LlmOrder};

/// The statements of this module.
pub(super) const STATEMENTS: [&[&Statement]; 2] = [sql::STATEMENTS, models::STATEMENTS];

/// Reads LLM spans.
#[derive(Debug, Clone)]
pub struct LlmRepository {
    reader: Reader,
}

repository!(LlmRepository);

impl LlmRepository {
    /// The LLM spans that fit the filter, in its order.
    ///
    /// Cost, with and without recent statistics of the table: in the order by time, reads spans from the first one of the
    /// page on until the page is full: those of the model or session, by index, if the filter names one, or else all. A
    /// filter that few spans fit costs the whole range, 0.2 us a span. With a trace, reads the spans of that trace. In any
    /// other order, reads all these spans and sorts them, 0.6 us a span (1 us while the table has no statistics).
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

    /// The call with these ids that a log record tells; `None` if none is stored.
    ///
    /// Cost: the index entries of the trace on every day that is stored, since nothing says on which it is.
    ///
    /// # Errors
    /// Those of [`Self::list`].
    pub async fn of_log(&self, trace_id: TraceId, span_id: SpanId) -> Result<Option<LlmRow>, Error> {
        let parameters = parameters![trace_id.uuid(), span_id.as_bytes().to_vec(), self.reader.project.0];
        self.reader.row(&sql::OF_LOG, parameters).await
    }

    /// The status messages of these spans, in their order: an empty one where the span tells none, or is gone.
    ///
    /// Cost: one look-up by key for each.
    ///
    /// # Errors
    /// Those of [`Self::list`].
    pub async fn status_messages(&self, spans: &[&LlmRow]) -> Result<Vec<Text>, Error> {
        let starts: Vec<_> = spans.iter().map(|span| timestamp(span.start_time)).collect();
        let (Some(first), Some(last)) = (starts.iter().min().copied(), starts.iter().max().copied()) else {
            return Ok(Vec::new());
        };
        let parameters = parameters![
            self.reader.project.0,
            spans.iter().map(|span| span.trace_id.uuid()).collect::<Vec<_>>(),
            starts,
            spans.iter().map(|span| span.span_id.as_bytes().to_vec()).collect::<Vec<_>>(),
            first,
            last,
        ];
        let messages: Vec<StatusMessage> = self.reader.rows(&sql::STATUS_MESSAGES, parameters).await?;
        Ok(messages.into_iter().map(|message| message.0).collect())
    }

    /// The models that were called in the range, in the order of the filter.
    ///
    /// Cost: reads all LLM spans of the range for each page, 0.4 us a span (1.4 us while the table has no statistics).
    ///
    /// # Errors
    /// Those of [`Self::list`].
    pub async fn models(&self, filter: ModelFilter) -> Result<Page<ModelUsage, ModelCursor>, Error> {
        let (limit, asked) = limits(filter.limit);
        let statement = models::list_by(filter.order);
        let conditions = models::conditions(filter, self.reader.project, asked);
        Ok(Page::new(self.reader.rows_where(statement, conditions, Order::Planned).await?, limit))
    }

    /// The prices of this moment, those that people set over the catalogue: the ones by which writers compute costs.
    ///
    /// Cost: looks whether prices changed since they were last read.
    ///
    /// # Errors
    /// Those of [`Self::list`].
    pub async fn price_book(&self) -> Result<Arc<PriceBook>, Error> {
        let pool = self.reader.pool();
        let client = pool.get().await?;
        pool.prices().now(&client).await
    }

    /// The price with this id that people set for the project or for all, whether it counts or was replaced; `None` if there
    /// is none.
    ///
    /// Cost: one look-up by key.
    ///
    /// # Errors
    /// Those of [`Self::list`].
    pub async fn price(&self, id: i64) -> Result<Option<PriceRow>, Error> {
        self.reader.row(&sql::PRICE, parameters![self.reader.project.0, id]).await
    }
}

/// The message of a status; empty for none.
struct StatusMessage(Text);

impl ReadRow for StatusMessage {
    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self(fields.take::<VarcharOrNull>("status_message")?))
    }
}
