//! Reading log records.

mod statistics;

use llm_observatory_core::ids::{SpanId, TraceId};
use llm_observatory_core::log::Severity;
use llm_observatory_core::text::Text;
use llm_observatory_core::time::UnixNanos;
use uuid::Uuid;

use super::page::{DEFAULT_ROWS, Page, TimeRange, limits, timestamp};
use super::parameter::parameters;
use super::read::Reader;
use super::{MAX_ROWS, repository};
use crate::error::Error;
use crate::models::LogRow;
use crate::models::row::Row as _;
use crate::statement::Statement;

pub use statistics::LogStatistics;

/// The statements of this module.
pub(super) const STATEMENTS: &[&Statement] = &[&LIST, &STATISTICS];

static LIST: Statement = Statement::composed("log: list", || {
    format!("SELECT {} {}", LogRow::TABLE.select(), include_str!("list.sql"))
});
static STATISTICS: Statement = Statement::fixed(
    "log: statistics",
    "SELECT service_name, severity_number, count(*) FROM logs WHERE project_id = $1 AND time BETWEEN $2 AND $4 \
     AND (time, time_nanos) >= ($2, $3) AND (time, time_nanos) < ($4, $5) \
     GROUP BY service_name, severity_number ORDER BY service_name, severity_number LIMIT $6",
);

/// Reads log records.
#[derive(Debug, Clone)]
pub struct LogRepository {
    reader: Reader,
}

repository!(LogRepository);

/// Which log records are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFilter {
    /// Those that happened within.
    pub range: TimeRange,
    /// Those of this service.
    pub service: Option<Text>,
    /// Those of this trace.
    pub trace_id: Option<TraceId>,
    /// Those of this span.
    pub span_id: Option<SpanId>,
    /// Those at least this severe; [`Severity::UNSPECIFIED`] means all.
    pub min_severity: Severity,
    /// Those of this event name.
    pub event_name: Option<Text>,
    /// Those whose body is text and holds all words of this text, in any case and order.
    pub text: Option<Text>,
    /// Those that come after, in the order of the list.
    pub after: Option<LogCursor>,
    /// At most so many.
    pub limit: usize,
}

/// A place in a list of log records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogCursor {
    /// When it happened.
    pub time: UnixNanos,
    /// Its id.
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
    /// # Errors
    /// What PostgreSQL says.
    pub async fn list(&self, filter: LogFilter) -> Result<Page<LogRow, LogCursor>, Error> {
        let (limit, asked) = limits(filter.limit);
        let TimeRange { start, end } = filter.range;
        let after = filter.after.filter(|after| filter.range.ends_after(after.time));
        let (before, before_nanos, id) = after
            .map_or((end, filter.range.end_nanos(), Uuid::nil()), |after| {
                (after.time, after.time.sub_micros(), after.id)
            });
        let text = |text: Option<Text>| text.map(|text| text.to_string());
        let parameters = parameters![
            self.reader.project.0,
            timestamp(start),
            start.sub_micros(),
            timestamp(before),
            before_nanos,
            id,
            text(filter.service),
            filter.trace_id.map(|id| id.uuid()),
            filter.span_id.map(|id| id.as_bytes().to_vec()),
            filter.min_severity.0,
            text(filter.event_name),
            text(filter.text),
            asked,
        ];
        Ok(Page::new(self.reader.rows(&LIST, parameters).await?, limit))
    }

    /// The records of one trace that fit the filter, newest first.
    ///
    /// # Errors
    /// What PostgreSQL says.
    pub async fn by_trace(
        &self,
        trace_id: TraceId,
        filter: LogFilter,
    ) -> Result<Page<LogRow, LogCursor>, Error> {
        self.list(LogFilter { trace_id: Some(trace_id), ..filter }).await
    }

    /// The records whose body holds all words of `text` and that fit the filter, newest first.
    ///
    /// # Errors
    /// What PostgreSQL says.
    pub async fn search(
        &self,
        text: impl Into<Text>,
        filter: LogFilter,
    ) -> Result<Page<LogRow, LogCursor>, Error> {
        self.list(LogFilter { text: Some(text.into()), ..filter }).await
    }

    /// How many records each service has of each severity within the range; by service and severity, at most
    /// [`MAX_ROWS`] of these.
    ///
    /// # Errors
    /// What PostgreSQL says.
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
