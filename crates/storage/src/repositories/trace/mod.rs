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

/// Which traces are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceFilter {
    /// Those that started within.
    pub range: TimeRange,
    /// Those with a span of this service.
    pub service: Option<Text>,
    /// Those that come after, in the order of the list.
    pub after: Option<TraceCursor>,
    /// At most so many.
    pub limit: usize,
}

/// Which spans are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpanFilter {
    /// Those that started within.
    pub range: TimeRange,
    /// Those of this service.
    pub service: Option<Text>,
    /// Only those whose status is ERROR.
    pub errors_only: bool,
    /// Those that come after, in the order of the list.
    pub after: Option<SpanCursor>,
    /// At most so many.
    pub limit: usize,
}

/// A place in a list of traces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceCursor {
    /// When the trace started.
    pub start_time: UnixNanos,
    /// The trace.
    pub trace_id: TraceId,
}

/// A place in a list of spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpanCursor {
    /// When the span started.
    pub start_time: UnixNanos,
    /// Its trace.
    pub trace_id: TraceId,
    /// The span.
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
    /// Spans that are read at once while a whole trace is streamed.
    pub const PAGE_ROWS: usize = 500;

    /// The traces that fit the filter, newest first.
    ///
    /// A trace over several days is one trace: all its days are summed up, and it stands where it started.
    ///
    /// Cost: the page. Of a service, the newest 1,000 traces of the range, and if these hold too few of it, all traces of
    /// that service from the range's first day on, by their index.
    ///
    /// # Errors
    /// What PostgreSQL says.
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

    /// One trace in one line, if any of its spans is stored.
    ///
    /// Cost: one look-up by key in each day's partition, and one row for each day of the trace. Planning takes most of it: 0.1 ms
    /// with ten days of partitions, 200 ms with 1,461.
    ///
    /// # Errors
    /// What PostgreSQL says.
    pub async fn get(&self, trace_id: TraceId) -> Result<Option<TraceSummary>, Error> {
        Ok(TraceSummary::of(&self.days(trace_id).await?))
    }

    /// What each day knows of a trace, oldest first.
    ///
    /// # Errors
    /// As [`Self::list`].
    pub async fn days(&self, trace_id: TraceId) -> Result<Vec<TraceRow>, Error> {
        pages::days(&self.reader, trace_id).await
    }

    /// All spans of a trace with their events, by start, in pages of at most `rows`: a trace may be larger than memory.
    ///
    /// No connection is held between two pages, so a slow reader costs nothing.
    ///
    /// Cost: that of [`Self::get`]; then each page by key, with no row besides its own.
    pub fn span_pages(
        &self,
        trace_id: TraceId,
        rows: usize,
    ) -> impl Stream<Item = Result<Vec<Span>, Error>> + Send + use<> {
        self.spans_of(Pages::new(self.reader.clone(), trace_id, rows))
    }

    /// The same for a trace whose [`Self::days`] are known.
    pub fn span_pages_of(
        &self,
        trace_id: TraceId,
        days: &[TraceRow],
        rows: usize,
    ) -> impl Stream<Item = Result<Vec<Span>, Error>> + Send + use<> {
        self.spans_of(Pages::of_days(self.reader.clone(), trace_id, days, rows))
    }

    /// All spans of a trace with their events, by start.
    ///
    /// Cost: as [`Self::span_pages`].
    pub fn spans(&self, trace_id: TraceId) -> impl Stream<Item = Result<Span, Error>> + Send + use<> {
        flat(self.span_pages(trace_id, Self::PAGE_ROWS))
    }

    /// All events of a trace, by start of their span.
    ///
    /// Cost: that of [`Self::get`]; then each page by key, with no row besides its own.
    pub fn events(&self, trace_id: TraceId) -> impl Stream<Item = Result<EventRow, Error>> + Send + use<> {
        flat(self.pages::<EventRow>(trace_id, Self::PAGE_ROWS))
    }

    /// One span with its events. Of several with this id the earliest.
    ///
    /// Cost: that of [`Self::get`]; then by key, passing the index entries of the trace and reading one row; its events by key.
    ///
    /// # Errors
    /// What PostgreSQL says.
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
    /// Cost: reads every span of the range and sorts the page out of them, 0.3 us a span: nothing finds spans by service or
    /// status. Blocks of other times are left out as far as BRIN knows them (see [`crate::maintenance::statistics`]).
    ///
    /// # Errors
    /// What PostgreSQL says.
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

    /// The spans of one service that fit the filter, newest first.
    ///
    /// Cost: as [`Self::list_spans`].
    ///
    /// # Errors
    /// What PostgreSQL says.
    pub async fn by_service(
        &self,
        service: impl Into<Text>,
        filter: SpanFilter,
    ) -> Result<Page<SpanRow, SpanCursor>, Error> {
        self.list_spans(SpanFilter { service: Some(service.into()), ..filter }).await
    }

    /// The spans that failed (status ERROR) and fit the filter, newest first.
    ///
    /// Cost: as [`Self::list_spans`].
    ///
    /// # Errors
    /// What PostgreSQL says.
    pub async fn errors(&self, filter: SpanFilter) -> Result<Page<SpanRow, SpanCursor>, Error> {
        self.list_spans(SpanFilter { errors_only: true, ..filter }).await
    }

    /// How many spans each service started within the range, how many failed, and how long they took; by name of the
    /// service, at most [`MAX_ROWS`] of them.
    ///
    /// Cost: reads every span of the range and sorts the durations, 1 us a span.
    ///
    /// # Errors
    /// What PostgreSQL says.
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

    /// Neighbouring spans of a trace, with their events.
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
