//! Stretches: the ranges of time whose rows lie in one partition. A run goes through one after the other, each in the
//! order of the key, so that no statement touches partitions of other days.

use std::time::SystemTime;

use llm_observatory_core::ids::{ProjectId, SpanId, TraceId};
use llm_observatory_core::time::{Day, UnixNanos};
use tokio_postgres::Client;
use uuid::Uuid;

use crate::error::Error;
use crate::models::attributes::Inconsistent;
use crate::models::time::moment;
use crate::models::trace::SpanKey;
use crate::statement::Statement;

/// 2000-01-01 and 2100-01-01: rows before and from then on have one partition each.
const DATED: (Day, Day) = (Day(10_957), Day(47_482));

/// The tables through which runs go. A run that goes through several takes them in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Table {
    Traces,
    LlmSpans,
    Logs,
}

impl Table {
    const ALL: [Self; 3] = [Self::Traces, Self::LlmSpans, Self::Logs];

    /// Its name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::LlmSpans => "trace_llm_spans",
            Self::Logs => "logs",
        }
    }

    fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name() == name)
    }
}

static DAYS: Statement = Statement::fixed(
    "run: days",
    "SELECT to_date(right(leaf.relname, 8), 'YYYYMMDD') - '1970-01-01'::date AS day \
     FROM pg_inherits JOIN pg_class AS leaf ON leaf.oid = inhrelid \
     WHERE inhparent = $1::text::regclass AND leaf.relname ~ '_[0-9]{8}$' ORDER BY day",
);

/// The statements of this module.
pub(super) const STATEMENTS: &[&Statement] = &[&DAYS];

/// A range of times in whole microseconds since 1970: from the first up to, and without, the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) table: Table,
    pub(super) from: i64,
    pub(super) until: i64,
}

/// How far a run came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cursor {
    /// At the start of the stretch of this table that begins then, in whole microseconds since 1970.
    Start(Table, i64),
    /// Behind this span.
    Span(SpanKey),
    /// Behind this trace of a day.
    Trace(TraceId, Day, ProjectId),
    /// Behind this log record, whose time is in whole microseconds since 1970.
    Log(ProjectId, i64, Uuid),
}

impl Cursor {
    /// The cursor in the columns `cursor_*` of a row of `llm_runs`.
    ///
    /// # Errors
    /// [`Inconsistent::Column`] for a table that no run goes through.
    pub(super) fn stored(
        table: &str,
        time: i64,
        id: Option<Uuid>,
        span: Option<&[u8]>,
        project: Option<i32>,
    ) -> Result<Self, Inconsistent> {
        let table = Table::of(table).ok_or(Inconsistent::Column("cursor_table"))?;
        let (Some(id), Some(project)) = (id, project.map(ProjectId)) else {
            return Ok(Self::Start(table, time));
        };
        let span = span.and_then(SpanId::from_wire);
        Ok(match (table, span) {
            (Table::Traces, _) => {
                Self::Trace(TraceId::from_uuid(id), UnixNanos::from_parts(time, 0).day(), project)
            }
            (Table::LlmSpans, Some(span)) => Self::Span((TraceId::from_uuid(id), time, span, project)),
            (Table::LlmSpans, None) => Self::Start(table, time),
            (Table::Logs, _) => Self::Log(project, time, id),
        })
    }

    /// The table that it is in.
    pub(super) fn table(self) -> Table {
        match self {
            Self::Start(table, _) => table,
            Self::Span(_) => Table::LlmSpans,
            Self::Trace(..) => Table::Traces,
            Self::Log(..) => Table::Logs,
        }
    }

    /// A time in the stretch, in whole microseconds since 1970.
    pub(super) fn micros(self) -> i64 {
        match self {
            Self::Start(_, micros) | Self::Span((_, micros, ..)) | Self::Log(_, micros, _) => micros,
            Self::Trace(_, day, _) => day.start().micros(),
        }
    }

    /// The values of the other columns.
    pub(super) fn key(self) -> (Option<Uuid>, Option<Vec<u8>>, Option<i32>) {
        match self {
            Self::Start(..) => (None, None, None),
            Self::Span((trace, _, span, project)) => {
                (Some(trace.uuid()), Some(span.as_bytes().to_vec()), Some(project.0))
            }
            Self::Trace(trace, _, project) => (Some(trace.uuid()), None, Some(project.0)),
            Self::Log(project, _, id) => (Some(id), None, Some(project.0)),
        }
    }
}

/// All stretches of `table` between two times, in their order.
///
/// # Errors
/// [`Error::Unavailable`] when the connection is lost.
pub(super) async fn stretches(
    client: &Client,
    table: Table,
    from: UnixNanos,
    until: UnixNanos,
) -> Result<Vec<Stretch>, Error> {
    let rows = client.query(DAYS.sql(), &[&table.name()]).await?;
    let days =
        rows.iter().map(|row| Day(row.get(0))).map(|day| (day.start().micros(), day.next().start().micros()));
    let (first, last) = (DATED.0.start().micros(), DATED.1.start().micros());
    let all = std::iter::once((0, first)).chain(days).chain([(last, i64::MAX)]);
    let cut = |(start, end): (i64, i64)| Stretch {
        table,
        from: start.max(from.micros()),
        until: end.min(until.micros()),
    };
    Ok(all.map(cut).filter(|stretch| stretch.from < stretch.until).collect())
}

/// The last microsecond of OTLP's time.
const LAST_MOMENT: i64 = (u64::MAX / 1_000) as i64;

impl Stretch {
    /// Whether there may be rows behind the cursor in it.
    pub(super) fn is_left(&self, cursor: Cursor) -> bool {
        (cursor.table(), cursor.micros()) < (self.table, self.until)
    }

    /// Whether the cursor is in it.
    pub(super) fn holds(self, cursor: Cursor) -> bool {
        let (first, last) = self.days();
        let is_within = match cursor {
            // Rereading takes whole traces of a day, of which the stretch may be a part.
            Cursor::Trace(_, day, _) => (first..=last).contains(&day),
            Cursor::Start(..) | Cursor::Span(_) | Cursor::Log(..) => {
                (self.from..self.until).contains(&cursor.micros())
            }
        };
        is_within && cursor.table() == self.table
    }

    /// Its bounds as parameters.
    pub(super) fn moments(self) -> (SystemTime, SystemTime) {
        (moment(self.from), moment(self.until.min(LAST_MOMENT)))
    }

    /// Its first and its last day.
    pub(super) fn days(self) -> (Day, Day) {
        let day = |micros| UnixNanos::from_parts(micros, 0).day();
        (day(self.from), day(self.until.min(LAST_MOMENT) - 1))
    }
}
