//! Reading traces, spans and span events.

mod pages;
mod sql;
mod statistics;
mod summary;

use futures_util::{Stream, TryStreamExt as _, stream};
use llm_observatory_core::ids::{SpanId, TraceId};
use llm_observatory_core::text::Text;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_core::trace::StatusCode;
use uuid::Uuid;

use super::conditions::{Conditions, Operator};
use super::page::{DEFAULT_ROWS, MAX_ROWS, Page, TimeRange, limits, timestamp};
use super::parameter::parameters;
use super::read::{Order, Reader};
use super::repository::repository;
use crate::error::Error;
use crate::models::trace::Span;
use crate::models::{EventRow, SpanRow, TraceRow};

pub(super) use sql::STATEMENTS;
pub use statistics::{Durations, ServiceStatistics};
pub use summary::TraceSummary;

use pages::{Pages, day_start};
use sql::{LIST, LIST_OF_SERVICE, LIST_SPANS, SPAN, SPAN_EVENTS, STATISTICS, SpanColumn};

/// Reads traces, spans and span events.
#[derive(Debug, Clone)]
pub struct TraceRepository {
    reader: Reader,
}

repository!(TraceRepository);

/// Selects traces. `None` does not narrow the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceFilter {
    /// Only traces with their start in this range.
    pub range: TimeRange,
    /// Only traces with a span of this service.
    pub service: Option<Text>,
    /// Where the previous page ended.
    pub after: Option<TraceCursor>,
    /// Rows of one page, 1 to [`MAX_ROWS`]; other values are clamped.
    pub limit: usize,
}

/// Selects spans. `None` does not narrow the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpanFilter {
    /// Only spans with their start in this range.
    pub range: TimeRange,
    /// Only spans of this service.
    pub service: Option<Text>,
    /// If true, only spans with status ERROR.
    pub errors_only: bool,
    /// Where the previous page ended.
    pub after: Option<SpanCursor>,
    /// Rows of one page, 1 to [`MAX_ROWS`]; other values are clamped.
    pub limit: usize,
}

/// The place of a trace in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceCursor {
    /// Start of the trace.
    pub start_time: UnixNanos,
    /// Id of the trace.
    pub trace_id: TraceId,
}

/// The place of a span in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpanCursor {
    /// Start of the span.
    pub start_time: UnixNanos,
    /// Trace of the span.
    pub trace_id: TraceId,
    /// Id of the span.
    pub span_id: SpanId,
}

impl Default for TraceFilter {
    fn default() -> Self {
        Self { range: TimeRange::ALL, service: None, after: None, limit: DEFAULT_ROWS }
    }
}

impl Default for SpanFilter {
    fn default() -> Self {
        Self { range: TimeRange::ALL, service: None, errors_only: false, after: None, limit: DEFAULT_ROWS }
    }
}

impl From<&TraceSummary> for TraceCursor {
    fn from(trace: &TraceSummary) -> Self {
        Self { start_time: trace.start_time, trace_id: trace.trace_id }
    }
}

impl From<&SpanRow> for SpanCursor {
    fn from(span: &SpanRow) -> Self {
        Self { start_time: span.start_time, trace_id: span.trace_id, span_id: span.span_id }
    }
}

impl TraceRepository {
    /// Rows of a page in [`Self::spans`] and [`Self::events`].
    pub const PAGE_ROWS: usize = 500;

    /// The traces that fit the filter, newest first.
    ///
    /// A trace over several days is one item: the sum of its days, at the place of its start.
    ///
    /// Cost: reads the page. With a service, reads the newest 1,000 traces of the range, and if these don't fill the
    /// page, all traces of that service from the first day of the range on, by index.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when PostgreSQL can't be reached, [`Error::Postgres`] when it refuses the statement or
    /// ends it at the time limit, [`Error::Inconsistent`] when the columns of a stored row contradict each other.
    pub async fn list(&self, filter: TraceFilter) -> Result<Page<TraceSummary, TraceCursor>, Error> {
        let (limit, asked) = limits(filter.limit);
        let TimeRange { start, end } = filter.range;
        let after = filter.after.filter(|after| filter.range.ends_after(after.start_time));
        let (before, before_nanos, trace) = after
            .map_or((end, filter.range.end_nanos(), Uuid::nil()), |after| {
                (after.start_time, after.start_time.sub_micros(), after.trace_id.uuid())
            });
        let mut parameters = parameters![
            self.reader.project.0,
            timestamp(start),
            start.sub_micros(),
            timestamp(before),
            before_nanos,
            trace,
            asked,
        ];
        let mut statement = &LIST;
        if let Some(service) = filter.service {
            parameters.extend(parameters![service.to_string()]);
            statement = &LIST_OF_SERVICE;
        }
        let days: Vec<TraceRow> = self.reader.ordered_rows(statement, parameters, Order::Indexed).await?;
        let traces = days.chunk_by(|a, b| a.trace_id == b.trace_id).filter_map(TraceSummary::of).collect();
        Ok(Page::new(traces, limit))
    }

    /// The summary of one trace; `None` if none is stored.
    ///
    /// Cost: one look-up by key per day partition, and one row per day of the trace. Planning takes most of the time:
    /// 0.1 ms with ten days of partitions, 200 ms with 1,461.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when PostgreSQL can't be reached, [`Error::Postgres`] when it refuses the statement or
    /// ends it at the time limit, [`Error::Inconsistent`] when the columns of a stored row contradict each other.
    pub async fn get(&self, trace_id: TraceId) -> Result<Option<TraceSummary>, Error> {
        Ok(TraceSummary::of(&self.days(trace_id).await?))
    }

    /// The rows of one trace in `traces`, one per day, oldest first.
    ///
    /// Cost: that of [`Self::get`].
    ///
    /// # Errors
    /// Those of [`Self::list`].
    pub async fn days(&self, trace_id: TraceId) -> Result<Vec<TraceRow>, Error> {
        pages::days(&self.reader, trace_id).await
    }

    /// All spans of a trace with their events, by start, in pages of `rows`, since a trace may be larger than memory.
    /// `rows` is 1 to [`MAX_ROWS`]; other values are clamped. The errors are those of [`Self::list`].
    ///
    /// The stream holds no connection between two pages, so a slow reader does not occupy one.
    ///
    /// Cost: that of [`Self::get`]; then each page reads its own rows, by key.
    pub fn span_pages(
        &self,
        trace_id: TraceId,
        rows: usize,
    ) -> impl Stream<Item = Result<Vec<Span>, Error>> + Send + use<> {
        self.spans_of(Pages::new(self.reader.clone(), trace_id, rows))
    }

    /// Like [`Self::span_pages`], for a trace whose [`Self::days`] the caller knows.
    ///
    /// Cost: each page reads its own rows, by key.
    pub fn span_pages_of(
        &self,
        trace_id: TraceId,
        days: &[TraceRow],
        rows: usize,
    ) -> impl Stream<Item = Result<Vec<Span>, Error>> + Send + use<> {
        self.spans_of(Pages::of_days(self.reader.clone(), trace_id, days, rows))
    }

    /// All spans of a trace with their events, by start. The errors are those of [`Self::list`].
    ///
    /// Cost: that of [`Self::span_pages`].
    pub fn spans(&self, trace_id: TraceId) -> impl Stream<Item = Result<Span, Error>> + Send + use<> {
        flat(self.span_pages(trace_id, Self::PAGE_ROWS))
    }

    /// All events of a trace, by start of their span. The errors are those of [`Self::list`].
    ///
    /// Cost: that of [`Self::get`]; then each page reads its own rows, by key.
    pub fn events(&self, trace_id: TraceId) -> impl Stream<Item = Result<EventRow, Error>> + Send + use<> {
        flat(self.pages::<EventRow>(trace_id, Self::PAGE_ROWS))
    }

    /// One span with its events; the earliest, if the trace has several spans with this id. `None` if none is stored.
    ///
    /// Cost: that of [`Self::get`]; then the index entries of the trace, one row, and the events of the span by key.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when PostgreSQL can't be reached, [`Error::Postgres`] when it refuses the statement or
    /// ends it at the time limit, [`Error::Inconsistent`] when the columns of a stored row contradict each other.
    pub async fn span(&self, trace_id: TraceId, span_id: SpanId) -> Result<Option<Span>, Error> {
        let days = self.days(trace_id).await?;
        let (Some(first), Some(last)) = (days.first(), days.last()) else {
            return Ok(None);
        };
        let parameters = parameters![
            trace_id.uuid(),
            self.reader.project.0,
            span_id.as_bytes().to_vec(),
            day_start(first.day),
            day_start(last.day.next()),
        ];
        let rows = self.reader.rows(&SPAN, parameters).await?;
        Ok(self.with_events(rows).await?.pop())
    }

    /// The spans that fit the filter, newest first, without their events.
    ///
    /// Cost: reads every span of the range, 0.3 us per span, and sorts the page out of them: there is no index by
    /// service or status. It skips blocks of other times that the BRIN index has summarised (see
    /// [`crate::maintenance::statistics`]).
    ///
    /// # Errors
    /// [`Error::Unavailable`] when PostgreSQL can't be reached, [`Error::Postgres`] when it refuses the statement or
    /// ends it at the time limit, [`Error::Inconsistent`] when the columns of a stored row contradict each other.
    pub async fn list_spans(&self, filter: SpanFilter) -> Result<Page<SpanRow, SpanCursor>, Error> {
        let (limit, asked) = limits(filter.limit);
        let TimeRange { start, end } = filter.range;
        let after = filter.after.filter(|after| filter.range.ends_after(after.start_time));
        let first = (end, filter.range.end_nanos(), Uuid::nil(), Vec::new());
        let (before, before_nanos, trace, span) = after.map_or(first, |after| {
            let start = after.start_time;
            (start, start.sub_micros(), after.trace_id.uuid(), after.span_id.as_bytes().to_vec())
        });
        let parameters = parameters![
            self.reader.project.0,
            timestamp(start),
            start.sub_micros(),
            timestamp(before),
            before_nanos,
            trace,
            span,
            asked,
        ];
        let conditions = Conditions::behind(parameters)
            .and(SpanColumn::Service, Operator::Is, filter.service.map(|service| service.to_string()))
            .and(SpanColumn::Status, Operator::Is, filter.errors_only.then_some(StatusCode::ERROR.0));
        Ok(Page::new(self.reader.rows_where(&LIST_SPANS, conditions, Order::Planned).await?, limit))
    }

    /// The spans of one service that fit the filter, newest first, without their events.
    ///
    /// Cost: that of [`Self::list_spans`].
    ///
    /// # Errors
    /// [`Error::Unavailable`] when PostgreSQL can't be reached, [`Error::Postgres`] when it refuses the statement or
    /// ends it at the time limit, [`Error::Inconsistent`] when the columns of a stored row contradict each other.
    pub async fn by_service(
        &self,
        service: impl Into<Text>,
        filter: SpanFilter,
    ) -> Result<Page<SpanRow, SpanCursor>, Error> {
        self.list_spans(SpanFilter { service: Some(service.into()), ..filter }).await
    }

    /// The spans with status ERROR that fit the filter, newest first, without their events.
    ///
    /// Cost: that of [`Self::list_spans`].
    ///
    /// # Errors
    /// [`Error::Unavailable`] when PostgreSQL can't be reached, [`Error::Postgres`] when it refuses the statement or
    /// ends it at the time limit, [`Error::Inconsistent`] when the columns of a stored row contradict each other.
    pub async fn errors(&self, filter: SpanFilter) -> Result<Page<SpanRow, SpanCursor>, Error> {
        self.list_spans(SpanFilter { errors_only: true, ..filter }).await
    }

    /// Counts and durations of the spans that started in the range, per service; by name, at most [`MAX_ROWS`] services.
    ///
    /// Cost: reads every span of the range and sorts the durations, 1 us per span.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when PostgreSQL can't be reached, [`Error::Postgres`] when it refuses the statement or
    /// ends it at the time limit, [`Error::Inconsistent`] when the columns of a stored row contradict each other.
    pub async fn statistics(&self, range: TimeRange) -> Result<Vec<ServiceStatistics>, Error> {
        let parameters = parameters![
            self.reader.project.0,
            timestamp(range.start),
            range.start.sub_micros(),
            timestamp(range.end),
            range.end_nanos(),
            MAX_ROWS as i64,
        ];
        self.reader.rows(&STATISTICS, parameters).await
    }

    fn pages<T: pages::InTrace>(
        &self,
        trace_id: TraceId,
        rows: usize,
    ) -> impl Stream<Item = Result<Vec<T>, Error>> + Send + use<T> {
        stream::try_unfold(Pages::new(self.reader.clone(), trace_id, rows), Pages::next)
    }

    fn spans_of(&self, pages: Pages<SpanRow>) -> impl Stream<Item = Result<Vec<Span>, Error>> + Send + use<> {
        let this = self.clone();
        stream::try_unfold(pages, Pages::next).and_then(move |rows| {
            let this = this.clone();
            async move { this.with_events(rows).await }
        })
    }

    /// Reads the events of consecutive spans of a trace.
    async fn with_events(&self, rows: Vec<SpanRow>) -> Result<Vec<Span>, Error> {
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
            return Ok(Vec::new());
        };
        let parameters = parameters![
            first.trace_id.uuid(),
            self.reader.project.0,
            timestamp(first.start_time),
            first.span_id.as_bytes().to_vec(),
            timestamp(last.start_time),
            last.span_id.as_bytes().to_vec(),
        ];
        let events: Vec<EventRow> = self.reader.rows(&SPAN_EVENTS, parameters).await?;
        Ok(pages::join(rows, events))
    }
}

fn flat<T>(
    pages: impl Stream<Item = Result<Vec<T>, Error>> + Send,
) -> impl Stream<Item = Result<T, Error>> + Send
where
    T: Send,
{
    pages.map_ok(|page| stream::iter(page.into_iter().map(Ok))).try_flatten()
}
