//! Reads a whole trace page by page, in the order of the unique key, and day by day, so that PostgreSQL reads only the
//! partitions of its days.

use std::iter::Peekable;
use std::marker::PhantomData;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use llm_observatory_core::ids::TraceId;
use llm_observatory_core::time::{Day, UnixNanos};

use super::sql::{EVENTS, GET, SPANS};
use crate::error::Error;
use crate::models::row::ReadRow;
use crate::models::trace::Span;
use crate::models::{EventRow, SpanRow, TraceRow};
use crate::repositories::page::{limits, timestamp};
use crate::repositories::parameter::{Parameter, parameters};
use crate::repositories::read::Reader;
use crate::statement::Statement;

/// A row in the partition of its span: a span or an event.
pub(super) trait InTrace: ReadRow {
    /// The statement that reads a page of one day: `$1` trace, `$2` project, `$3` first start, `$4` end of the day,
    /// `$5` limit. From `$6` on the place of the last row read, among the rows that start at `$3`.
    fn page() -> &'static Statement;

    /// Start of the span.
    fn start_time(&self) -> UnixNanos;

    /// Place of the row among the rows with the same start.
    fn place(&self) -> Vec<Parameter>;

    /// A place before all rows.
    fn first_place() -> Vec<Parameter>;
}

impl InTrace for SpanRow {
    fn page() -> &'static Statement {
        &SPANS
    }

    fn start_time(&self) -> UnixNanos {
        self.start_time
    }

    fn place(&self) -> Vec<Parameter> {
        parameters![self.span_id.as_bytes().to_vec()]
    }

    fn first_place() -> Vec<Parameter> {
        parameters![Vec::<u8>::new()]
    }
}

impl InTrace for EventRow {
    fn page() -> &'static Statement {
        &EVENTS
    }

    fn start_time(&self) -> UnixNanos {
        self.span_start_time
    }

    fn place(&self) -> Vec<Parameter> {
        parameters![self.span_id.as_bytes().to_vec(), self.ordinal]
    }

    fn first_place() -> Vec<Parameter> {
        parameters![Vec::<u8>::new(), -1]
    }
}

/// The rest of a trace: its pages that are still to be read.
pub(super) struct Pages<T> {
    reader: Reader,
    trace_id: TraceId,
    rows: usize,
    /// The days that are still to be read, the next one last; `None` before the first page.
    days: Option<Vec<Day>>,
    /// Start and place of the last row of the previous page, if its day has more rows.
    after: Option<(SystemTime, Vec<Parameter>)>,
    row: PhantomData<fn() -> T>,
}

impl<T: InTrace> Pages<T> {
    pub(super) fn new(reader: Reader, trace_id: TraceId, rows: usize) -> Self {
        Self { reader, trace_id, rows: limits(rows).0, days: None, after: None, row: PhantomData }
    }

    /// The pages of a trace with these days, which are in order, oldest first.
    pub(super) fn of_days(reader: Reader, trace_id: TraceId, days: &[TraceRow], rows: usize) -> Self {
        let days = days.iter().rev().map(|row| row.day).collect();
        Self { days: Some(days), ..Self::new(reader, trace_id, rows) }
    }

    /// The next page, which is never empty, and the rest of the trace. `None` after the last page.
    pub(super) async fn next(mut self) -> Result<Option<(Vec<T>, Self)>, Error> {
        let mut days = match self.days.take() {
            Some(days) => days,
            None => days(&self.reader, self.trace_id).await?.iter().rev().map(|row| row.day).collect(),
        };
        while let Some(day) = days.last().copied() {
            let (from, place) = self.after.take().unwrap_or_else(|| (day_start(day), T::first_place()));
            let mut parameters = parameters![
                self.trace_id.uuid(),
                self.reader.project.0,
                from,
                day_start(day.next()),
                self.rows as i64,
            ];
            parameters.extend(place);
            let page: Vec<T> = self.reader.rows(T::page(), parameters).await?;
            match page.last() {
                Some(last) if page.len() == self.rows => {
                    self.after = Some((timestamp(last.start_time()), last.place()));
                }
                _ => {
                    days.pop();
                }
            }
            if !page.is_empty() {
                self.days = Some(days);
                return Ok(Some((page, self)));
            }
        }
        Ok(None)
    }
}

/// The rows of a trace in `traces`, one per day, oldest first.
pub(super) async fn days(reader: &Reader, trace_id: TraceId) -> Result<Vec<TraceRow>, Error> {
    reader.rows(&GET, parameters![trace_id.uuid(), reader.project.0]).await
}

/// The first moment of a day. [`UnixNanos`] can't hold it for the day after OTLP's last one.
pub(super) fn day_start(day: Day) -> SystemTime {
    // No day of a stored row is before 1970.
    UNIX_EPOCH + Duration::from_secs(u64::try_from(day.0).unwrap_or(0) * 86_400)
}

/// Joins spans and events, both in the order of their key. Events without a span are left out.
pub(super) fn join(rows: Vec<SpanRow>, events: Vec<EventRow>) -> Vec<Span> {
    let mut events = events.into_iter().peekable();
    rows.into_iter().map(|row| Span { events: take_events(&row, &mut events), ..row.into() }).collect()
}

fn take_events(span: &SpanRow, events: &mut Peekable<impl Iterator<Item = EventRow>>) -> Vec<EventRow> {
    let key = (span.start_time.micros(), span.span_id);
    let event_key = |event: &EventRow| (event.span_start_time.micros(), event.span_id);
    while events.next_if(|event| event_key(event) < key).is_some() {}
    std::iter::from_fn(|| events.next_if(|event| event_key(event) == key)).collect()
}
