//! Reading log records.

mod statistics;

use llm_observatory_core::ids::{SpanId, TraceId};
use llm_observatory_core::log::Severity;
use llm_observatory_core::text::Text;
use llm_observatory_core::time::UnixNanos;
use uuid::Uuid;

use super::conditions::{Column, Conditions, Operator, with_all};
use super::page::{DEFAULT_ROWS, MAX_ROWS, Page, TimeRange, limits, timestamp};
use super::parameter::parameters;
use super::read::{Order, Reader};
use super::repository::repository;
use crate::error::Error;
use crate::models::LogRow;
use crate::models::row::Row as _;
use crate::statement::Statement;

pub use statistics::LogStatistics;

/// The statements of this module.
pub(super) const STATEMENTS: &[&Statement] =
    &[&LIST, &LIST_NARROWED, &OF_TRACE, &GET, &SEARCH, &SEARCH_NARROWED, &STATISTICS];

/// The newest records, read backwards through the index of times.
static LIST: Statement = Statement::composed("log: list", || list("project_id"));
/// The records of one trace, read through the index of traces. `+ 0` keeps the planner from the index of times, which
/// it prefers as long as it expects a handful of rows per day.
static OF_TRACE: Statement = Statement::composed("log: of trace", || list("project_id + 0"));
/// Records with the words of the question: among the newest records first, then through the index of words.
static SEARCH: Statement = Statement::composed("log: search", || {
    let (found, columns) = (include_str!("search.sql"), LogRow::TABLE.select());
    format!("{found} SELECT {columns} FROM found ORDER BY time DESC, time_nanos DESC, id DESC")
});
static STATISTICS: Statement = Statement::fixed(
    "log: statistics",
    "SELECT service_name, severity_number, count(*) FROM logs WHERE project_id = $1 AND time BETWEEN $2 AND $4 \
     AND (time, time_nanos) >= ($2, $3) AND (time, time_nanos) < ($4, $5) \
     GROUP BY service_name, severity_number ORDER BY service_name, severity_number LIMIT $6",
);

/// One record. `$1` project, `$2` time, `$3` id.
static GET: Statement = Statement::composed("log: get", || {
    format!("SELECT {} FROM logs WHERE project_id = $1 AND time = $2 AND id = $3", LogRow::TABLE.select())
});

fn list(project: &str) -> String {
    let (columns, conditions) = (LogRow::TABLE.select(), include_str!("list.sql"));
    format!("SELECT {columns} FROM logs WHERE {project} = $1 {conditions}")
}

/// The lists with every condition, for the test that prepares all statements.
static LIST_NARROWED: Statement =
    Statement::composed("log: list narrowed", || with_all::<LogColumn>(LIST.sql(), 7));
static SEARCH_NARROWED: Statement =
    Statement::composed("log: search narrowed", || with_all::<LogColumn>(SEARCH.sql(), 7));

/// The columns that can narrow a list of records.
#[derive(Debug, Clone, Copy)]
enum LogColumn {
    Service,
    Trace,
    Span,
    Severity,
    EventName,
    Body,
}

impl Column for LogColumn {
    const ALL: &'static [(Self, Operator)] = &[
        (Self::Service, Operator::Is),
        (Self::Trace, Operator::Is),
        (Self::Span, Operator::Is),
        (Self::Severity, Operator::AtLeast),
        (Self::EventName, Operator::Is),
        (Self::Body, Operator::HasWords),
    ];

    fn text(self) -> &'static str {
        match self {
            Self::Service => "service_name {}",
            Self::Trace => "trace_id {}",
            Self::Span => "span_id {}",
            Self::Severity => "severity_number {}",
            Self::EventName => "event_name {}",
            // Exactly the expression and the condition of the index logs_text; otherwise PostgreSQL does not use it.
            Self::Body => "body_text IS NOT NULL AND to_tsvector('simple', left(body_text, 65536)) {}",
        }
    }
}

/// Reads log records.
#[derive(Debug, Clone)]
pub struct LogRepository {
    reader: Reader,
}

repository!(LogRepository);

/// Selects log records. `None` does not narrow the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFilter {
    /// Only records with their time in this range.
    pub range: TimeRange,
    /// Only records of this service.
    pub service: Option<Text>,
    /// Only records of this trace.
    pub trace_id: Option<TraceId>,
    /// Only records of this span.
    pub span_id: Option<SpanId>,
    /// Only records of this severity or a higher one; [`Severity::UNSPECIFIED`] selects all.
    pub min_severity: Severity,
    /// Only records with this event name.
    pub event_name: Option<Text>,
    /// Only records whose body is a text with all words of this one, in any case and order.
    pub text: Option<Text>,
    /// Where the previous page ended.
    pub after: Option<LogCursor>,
    /// Rows of one page, 1 to [`MAX_ROWS`]; other values are clamped.
    pub limit: usize,
}

/// The place of a record in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogCursor {
    /// Time of the record.
    pub time: UnixNanos,
    /// Id of the record.
    pub id: Uuid,
}

impl Default for LogFilter {
    fn default() -> Self {
        Self {
            range: TimeRange::ALL,
            service: None,
            trace_id: None,
            span_id: None,
            min_severity: Severity::UNSPECIFIED,
            event_name: None,
            text: None,
            after: None,
            limit: DEFAULT_ROWS,
        }
    }
}

impl From<&LogRow> for LogCursor {
    fn from(log: &LogRow) -> Self {
        Self { time: log.time, id: log.id }
    }
}

impl LogRepository {
    /// The records that fit the filter, newest first.
    ///
    /// Cost, with and without recent statistics of the table:
    ///
    /// * with a trace, reads the records of that trace;
    /// * with words, reads the newest 2,000 records, and if these don't fill the page, all records with these words on the days of
    ///   the range;
    /// * otherwise reads records from the newest on until the page is full. A service without records costs the whole range.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when PostgreSQL can't be reached, [`Error::Postgres`] when it refuses the statement or
    /// ends it at the time limit, [`Error::Inconsistent`] when the columns of a stored row contradict each other.
    pub async fn list(&self, filter: LogFilter) -> Result<Page<LogRow, LogCursor>, Error> {
        let (limit, asked) = limits(filter.limit);
        let TimeRange { start, end } = filter.range;
        let after = filter.after.filter(|after| filter.range.ends_after(after.time));
        let (before, before_nanos, id) = after
            .map_or((end, filter.range.end_nanos(), Uuid::nil()), |after| {
                (after.time, after.time.sub_micros(), after.id)
            });
        let (statement, order) = match (&filter.trace_id, &filter.text) {
            (Some(_), _) => (&OF_TRACE, Order::Planned),
            (None, Some(_)) => (&SEARCH, Order::Indexed),
            (None, None) => (&LIST, Order::Indexed),
        };
        let parameters = parameters![
            self.reader.project.0,
            timestamp(start),
            start.sub_micros(),
            timestamp(before),
            before_nanos,
            id,
            asked,
        ];
        let text = |text: Option<Text>| text.map(|text| text.to_string());
        let severe = (filter.min_severity != Severity::UNSPECIFIED).then_some(filter.min_severity.0);
        let conditions = Conditions::behind(parameters)
            .and(LogColumn::Service, Operator::Is, text(filter.service))
            .and(LogColumn::Trace, Operator::Is, filter.trace_id.map(|id| id.uuid()))
            .and(LogColumn::Span, Operator::Is, filter.span_id.map(|id| id.as_bytes().to_vec()))
            .and(LogColumn::Severity, Operator::AtLeast, severe)
            .and(LogColumn::EventName, Operator::Is, text(filter.event_name))
            .and(LogColumn::Body, Operator::HasWords, text(filter.text));
        Ok(Page::new(self.reader.rows_where(statement, conditions, order).await?, limit))
    }

    /// The record with this time and id; `None` if it is not stored.
    ///
    /// Cost: reads the records of that microsecond, by index.
    ///
    /// # Errors
    /// Those of [`Self::list`].
    pub async fn get(&self, time: UnixNanos, id: Uuid) -> Result<Option<LogRow>, Error> {
        self.reader.row(&GET, parameters![self.reader.project.0, timestamp(time), id]).await
    }

    /// The records of one trace that fit the filter, newest first.
    ///
    /// Cost: that of [`Self::list`].
    ///
    /// # Errors
    /// [`Error::Unavailable`] when PostgreSQL can't be reached, [`Error::Postgres`] when it refuses the statement or
    /// ends it at the time limit, [`Error::Inconsistent`] when the columns of a stored row contradict each other.
    pub async fn by_trace(
        &self,
        trace_id: TraceId,
        filter: LogFilter,
    ) -> Result<Page<LogRow, LogCursor>, Error> {
        self.list(LogFilter { trace_id: Some(trace_id), ..filter }).await
    }

    /// The records whose body holds all words of `text` and that fit the filter, newest first.
    ///
    /// Cost: that of [`Self::list`].
    ///
    /// # Errors
    /// [`Error::Unavailable`] when PostgreSQL can't be reached, [`Error::Postgres`] when it refuses the statement or
    /// ends it at the time limit, [`Error::Inconsistent`] when the columns of a stored row contradict each other.
    pub async fn search(
        &self,
        text: impl Into<Text>,
        filter: LogFilter,
    ) -> Result<Page<LogRow, LogCursor>, Error> {
        self.list(LogFilter { text: Some(text.into()), ..filter }).await
    }

    /// Counts the records of the range by service and severity, in this order; at most [`MAX_ROWS`] counts.
    ///
    /// Cost: reads every record of the range, 0.3 us per record.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when PostgreSQL can't be reached, [`Error::Postgres`] when it refuses the statement or
    /// ends it at the time limit, [`Error::Inconsistent`] when the columns of a stored row contradict each other.
    pub async fn statistics(&self, range: TimeRange) -> Result<Vec<LogStatistics>, Error> {
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
}
