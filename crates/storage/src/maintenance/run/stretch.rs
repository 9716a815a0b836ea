//! Stretches: the ranges of time whose rows lie in one partition. A run goes through one after the other, each in the
//! order of the key, so that no statement touches partitions of other days.

use std::time::SystemTime;

use llm_observatory_core::ids::{ProjectId, SpanId, TraceId};
use llm_observatory_core::time::{Day, UnixNanos};
use tokio_postgres::Client;
use uuid::Uuid;

use crate::error::Error;
use crate::models::time::moment;
use crate::models::trace::SpanKey;
use crate::statement::Statement;

/// 2000-01-01 and 2100-01-01: rows before and from then on have one partition each.
const DATED: (Day, Day) = (Day(10_957), Day(47_482));

static DAYS: Statement = Statement::fixed(
    "run: days",
    "SELECT to_date(right(leaf.relname, 8), 'YYYYMMDD') - '1970-01-01'::date AS day \
     FROM pg_inherits JOIN pg_class AS leaf ON leaf.oid = inhrelid \
     WHERE inhparent = $1::text::regclass AND leaf.relname ~ '_[0-9]{8}$' ORDER BY day",
);

/// The statements of this module.
pub(super) const STATEMENTS: &[&Statement] = &[&DAYS];

/// A range of start times in whole microseconds since 1970: from the first up to, and without, the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) from: i64,
    pub(super) until: i64,
}

/// How far a run came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cursor {
    /// At the start of the stretch that begins then, in whole microseconds since 1970.
    Start(i64),
    /// Behind this span.
    Span(SpanKey),
    /// Behind this trace of a day.
    Trace(TraceId, Day, ProjectId),
}

impl Cursor {
    /// The cursor in the columns `cursor_*` of a row of `llm_runs`.
    pub(super) fn stored(start: i64, trace: Option<Uuid>, span: Option<&[u8]>, project: Option<i32>) -> Self {
        match (trace.map(TraceId::from_uuid), span.and_then(SpanId::from_wire), project.map(ProjectId)) {
            (Some(trace), Some(span), Some(project)) => Self::Span((trace, start, span, project)),
            (Some(trace), None, Some(project)) => {
                Self::Trace(trace, UnixNanos::from_parts(start, 0).day(), project)
            }
            _ => Self::Start(start),
        }
    }

    /// A time in the stretch, in whole microseconds since 1970.
    pub(super) fn micros(self) -> i64 {
        match self {
            Self::Start(micros) | Self::Span((_, micros, ..)) => micros,
            Self::Trace(_, day, _) => day.start().micros(),
        }
    }

    /// The place to go on in the stretch: its start if the cursor is before it.
    pub(super) fn within(self, stretch: Stretch) -> Self {
        let is_before = match self {
            Self::Start(micros) | Self::Span((_, micros, ..)) => micros < stretch.from,
            Self::Trace(_, day, _) => day < stretch.days().0,
        };
        if is_before { Self::Start(stretch.from) } else { self }
    }

    /// The values of the other columns.
    pub(super) fn key(self) -> (Option<Uuid>, Option<Vec<u8>>, Option<i32>) {
        match self {
            Self::Start(_) => (None, None, None),
            Self::Span((trace, _, span, project)) => {
                (Some(trace.uuid()), Some(span.as_bytes().to_vec()), Some(project.0))
            }
            Self::Trace(trace, _, project) => (Some(trace.uuid()), None, Some(project.0)),
        }
    }
}

/// All stretches of `table` between two times, in their order.
///
/// # Errors
/// [`Error::Unavailable`] when the connection is lost.
pub(super) async fn stretches(
    client: &Client,
    table: &str,
    from: UnixNanos,
    until: UnixNanos,
) -> Result<Vec<Stretch>, Error> {
    let rows = client.query(DAYS.sql(), &[&table]).await?;
    let days =
        rows.iter().map(|row| Day(row.get(0))).map(|day| (day.start().micros(), day.next().start().micros()));
    let (first, last) = (DATED.0.start().micros(), DATED.1.start().micros());
    let all = std::iter::once((0, first)).chain(days).chain([(last, i64::MAX)]);
    let cut =
        |(start, end): (i64, i64)| Stretch { from: start.max(from.micros()), until: end.min(until.micros()) };
    Ok(all.map(cut).filter(|stretch| stretch.from < stretch.until).collect())
}

/// The last microsecond of OTLP's time.
const LAST_MOMENT: i64 = (u64::MAX / 1_000) as i64;

impl Stretch {
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
