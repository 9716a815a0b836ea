//! Stretches: the ranges of time whose rows lie in one partition. A run goes through one after the other, each in the
//! order of the key, so that no statement touches partitions of other days.

use std::time::SystemTime;

use llm_observatory_core::ids::{ProjectId, SpanId, TraceId};
use llm_observatory_core::time::{Day, UnixNanos};
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};
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

/// How far a run came: behind this key, or at the start of the stretch that begins then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cursor {
    Start(i64),
    Behind(SpanKey),
}

impl Cursor {
    /// The start time, in whole microseconds since 1970.
    pub(super) fn micros(self) -> i64 {
        match self {
            Self::Start(micros) | Self::Behind((_, micros, ..)) => micros,
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
    let days = rows.iter().map(|row| Day(row.get(0))).map(|day| (day.start().micros(), day.next().start().micros()));
    let (first, last) = (DATED.0.start().micros(), DATED.1.start().micros());
    let all = std::iter::once((0, first)).chain(days).chain([(last, i64::MAX)]);
    let cut = |(start, end): (i64, i64)| Stretch { from: start.max(from.micros()), until: end.min(until.micros()) };
    Ok(all.map(cut).filter(|stretch| stretch.from < stretch.until).collect())
}

impl Stretch {
    /// The parameters of a statement about the next rows of this stretch: `$1` and `$2` bound the start, `$3` to `$6` are the
    /// key behind which the rows lie, `$7` is the project or NULL, and `$8` the number of rows.
    pub(super) fn next_rows(self, cursor: Cursor, project: Option<ProjectId>, limit: u32) -> NextRows {
        let (trace, start, span, of) = match cursor {
            // No trace has this id, so all rows lie behind it.
            Cursor::Start(_) => (Uuid::nil(), 0, Vec::new(), 0),
            Cursor::Behind((trace, start, span, of)) => (trace.uuid(), start, span.as_bytes().to_vec(), of.0),
        };
        NextRows {
            from: moment(self.from),
            until: moment(self.until.min(LAST_MOMENT)),
            trace,
            start: moment(start),
            span,
            of,
            project: project.map(|project| project.0),
            limit: i64::from(limit),
        }
    }
}

/// The last microsecond of OTLP's time.
const LAST_MOMENT: i64 = (u64::MAX / 1_000) as i64;

/// See [`Stretch::next_rows`].
pub(super) struct NextRows {
    from: SystemTime,
    until: SystemTime,
    trace: Uuid,
    start: SystemTime,
    span: Vec<u8>,
    of: i32,
    project: Option<i32>,
    limit: i64,
}

impl NextRows {
    /// The condition and order of the next rows of `alias`, for the parameters `$1` to `$8`.
    pub(super) fn clause(alias: &str) -> String {
        format!(
            "{alias}.start_time >= $1 AND {alias}.start_time < $2 \
             AND ({alias}.trace_id, {alias}.start_time, {alias}.span_id, {alias}.project_id) > ($3, $4, $5, $6) \
             AND ($7::integer IS NULL OR {alias}.project_id = $7) \
             ORDER BY {alias}.trace_id, {alias}.start_time, {alias}.span_id, {alias}.project_id LIMIT $8"
        )
    }

    /// The values with their types.
    pub(super) fn parameters(&self) -> [(&(dyn ToSql + Sync), Type); 8] {
        [
            (&self.from, Type::TIMESTAMPTZ),
            (&self.until, Type::TIMESTAMPTZ),
            (&self.trace, Type::UUID),
            (&self.start, Type::TIMESTAMPTZ),
            (&self.span, Type::BYTEA),
            (&self.of, Type::INT4),
            (&self.project, Type::INT4),
            (&self.limit, Type::INT8),
        ]
    }
}

/// Keys as one array per column: parameters of a statement about these rows.
#[derive(Debug, Default)]
pub(super) struct Keys {
    pub(super) traces: Vec<Uuid>,
    pub(super) starts: Vec<SystemTime>,
    pub(super) spans: Vec<Vec<u8>>,
    pub(super) projects: Vec<i32>,
}

impl FromIterator<SpanKey> for Keys {
    fn from_iter<I: IntoIterator<Item = SpanKey>>(keys: I) -> Self {
        let mut columns = Self::default();
        for (trace, start, span, project) in keys {
            columns.traces.push(trace.uuid());
            columns.starts.push(moment(start));
            columns.spans.push(span.as_bytes().to_vec());
            columns.projects.push(project.0);
        }
        columns
    }
}

/// The key in the columns `cursor_*` of a row of `llm_runs`.
pub(super) fn stored(start: i64, trace: Option<Uuid>, span: Option<&[u8]>, project: Option<i32>) -> Cursor {
    match (trace, span.and_then(SpanId::from_wire), project) {
        (Some(trace), Some(span), Some(project)) => {
            Cursor::Behind((TraceId::from_uuid(trace), start, span, ProjectId(project)))
        }
        _ => Cursor::Start(start),
    }
}
