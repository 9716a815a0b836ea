//! Settles one trace in the open transaction.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use llm_observatory_core::time::Day;
use llm_observatory_genai::prices::PriceBook;
use tokio_postgres::types::{ToSql, Type};

use super::ask::{Again, Days, Trace};
use super::bones::{self, Bone, Judgement};
use super::reading::{self, ReadAgain};
use crate::config::SettlingConfig;
use crate::error::Error;
use crate::models::llm::call::CallRow;
use crate::models::trace::SpanKey;
use crate::postgres::writer::WriterConnection;
use crate::statement::Statement;
use crate::writers::{Notes, apart, recount};

/// `$3` and `$4` are constants to the planner, which opens the partitions of those days only.
static LOCK: Statement = Statement::fixed(
    "settling: lock",
    "SELECT day - '1970-01-01'::date, span_count FROM traces WHERE trace_id = $1 AND project_id = $2 \
     AND day BETWEEN '1970-01-01'::date + $3::integer AND '1970-01-01'::date + $4::integer ORDER BY day FOR UPDATE",
);

/// The statements of this module.
pub(super) const STATEMENTS: &[&Statement] = &[&LOCK];

/// What became of a trace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settled {
    /// Number of its spans, on all days that were looked at.
    pub spans: u64,
    /// Number of readings that were added, changed or deleted.
    pub changed: u64,
    /// Whether there are GenAI log records whose span is not stored.
    pub spans_missing: bool,
}

/// A day of the trace.
#[derive(Debug, Clone, Copy)]
pub(super) struct TraceDay {
    pub(super) day: Day,
    pub(super) span_count: i64,
}

/// Settles a trace in the open transaction, and reads spans again. It holds the rows of the trace in `traces` until the
/// transaction ends, as every writer of the trace does.
///
/// Costs as much as the trace is large.
///
/// # Errors
/// [`Error::Postgres`] when PostgreSQL refuses a statement, or writers hold the trace for longer than
/// `database.lock_timeout_ms`; [`Error::Unavailable`] when the connection is lost; [`Error::Inconsistent`] when the
/// columns of a stored row contradict each other.
pub async fn settle(
    connection: &WriterConnection,
    trace: Trace,
    days: Days,
    again: Again,
    config: &SettlingConfig,
) -> Result<Settled, Error> {
    let mut notes = Notes::default();
    let settled = settle_noting(connection, trace, days, again, config, &mut notes).await?;
    notes.write(connection).await?;
    Ok(settled)
}

/// The same, but leaves it to the caller to write the notes of other traces, of which calls repeat one of this trace.
pub(crate) async fn settle_noting(
    connection: &WriterConnection,
    trace: Trace,
    days: Days,
    again: Again,
    config: &SettlingConfig,
    notes: &mut Notes,
) -> Result<Settled, Error> {
    let prices = prices(connection, again).await?;
    let locked = lock(connection, trace, days).await?;
    Locked { trace, days: &locked, around: days, prices }.settle(connection, again, config, notes).await
}

/// The prices for new readings. A writer takes the lock of prices before that of a trace, and so does this.
pub(super) async fn prices(
    connection: &WriterConnection,
    again: Again,
) -> Result<Option<Arc<PriceBook>>, Error> {
    match again {
        Again::Nothing => Ok(None),
        Again::WithLogs | Again::All => connection.prices().for_transaction(connection).await.map(Some),
    }
}

/// The days of the trace, locked: those that are asked for, and those beside them, as far as it has spans on each.
pub(super) async fn lock(
    connection: &WriterConnection,
    trace: Trace,
    days: Days,
) -> Result<Vec<TraceDay>, Error> {
    let (from, to) = days.bounds();
    let mut further = 1;
    loop {
        let (first, last) = (Day((from.0 - further).max(0)), Day(to.0 + further));
        let found = lock_between(connection, trace, first, last).await?;
        let reaches = |day: Option<&TraceDay>, edge: Day| day.is_some_and(|found| found.day == edge);
        let goes_on = first.0 > 0 && reaches(found.first(), first) || reaches(found.last(), last);
        if !goes_on {
            return Ok(found);
        }
        further *= 2;
    }
}

async fn lock_between(
    connection: &WriterConnection,
    trace: Trace,
    Day(from): Day,
    Day(to): Day,
) -> Result<Vec<TraceDay>, Error> {
    let (trace_id, project_id) = (trace.trace_id.uuid(), trace.project_id.0);
    let parameters: [(&(dyn ToSql + Sync), Type); 4] =
        [(&trace_id, Type::UUID), (&project_id, Type::INT4), (&from, Type::INT4), (&to, Type::INT4)];
    let rows = connection.query_typed(LOCK.sql(), &parameters).await?;
    Ok(rows.iter().map(|row| TraceDay { day: Day(row.get(0)), span_count: row.get(1) }).collect())
}

/// A trace whose rows in `traces` are locked.
#[derive(Debug)]
pub(super) struct Locked<'d> {
    pub(super) trace: Trace,
    pub(super) days: &'d [TraceDay],
    /// The days on which it was looked for.
    pub(super) around: Days,
    /// For new readings; `None` if none are wanted.
    pub(super) prices: Option<Arc<PriceBook>>,
}

impl Locked<'_> {
    pub(super) async fn settle(
        &self,
        connection: &WriterConnection,
        again: Again,
        config: &SettlingConfig,
        notes: &mut Notes,
    ) -> Result<Settled, Error> {
        let mut bones = Vec::new();
        for TraceDay { day, .. } in self.days {
            bones.extend(bones::read(connection, self.trace, *day).await?);
        }
        let mut settled = Settled { spans: bones.len() as u64, ..Settled::default() };
        let mut rows = HashMap::new();
        if let Some(prices) = &self.prices {
            let logs = reading::logs(connection, self.trace, reach(self.days, self.around), config).await?;
            let ids: HashSet<_> = bones.iter().map(|bone| bone.step.id).collect();
            settled.spans_missing = logs.keys().any(|id| !ids.contains(id));
            let wanted = |bone: &&Bone| match again {
                Again::All => self.around.contains(bone.start.day()),
                Again::WithLogs | Again::Nothing => logs.contains_key(&bone.step.id),
            };
            let wanted: Vec<_> = bones.iter().filter(wanted).map(|bone| (bone.start, bone.step.id)).collect();
            rows = reading::read_again(connection, self.trace, &wanted, &logs, prices).await?;
        }
        settled.changed = self.bill(connection, bones, &mut rows, notes).await?;
        let replaced = reading::replace(connection, self.trace, rows).await?;
        if replaced > 0 {
            let key = |day: &TraceDay| (day.day, self.trace.trace_id, self.trace.project_id);
            recount(connection, self.days.iter().map(key)).await?;
        }
        settled.changed += replaced;
        Ok(settled)
    }

    /// Decides what is billable and who speaks: in `rows`, the new readings, and in what is stored of the other spans. Returns the number
    /// of the latter that changed.
    async fn bill(
        &self,
        connection: &WriterConnection,
        mut bones: Vec<Bone>,
        rows: &mut HashMap<SpanKey, ReadAgain>,
        notes: &mut Notes,
    ) -> Result<u64, Error> {
        for bone in &mut bones {
            if let Some(read) = rows.get(&bone.key(self.trace)) {
                bone.replace(read);
            }
        }
        let others = self.calls_apart(connection, &bones).await?;
        let Judgement { mut verdicts, repeating } = bones::judge(&bones, &others);
        for other in repeating {
            notes.add(other.trace_id, other.project_id, other.start.day(), false);
        }
        verdicts.retain(|verdict| match rows.get_mut(&verdict.key(self.trace)) {
            Some(ReadAgain::Llm(row)) => {
                row.bill(verdict.billable);
                row.taken_over = verdict.taken_over.clone();
                false
            }
            Some(ReadAgain::Other(_)) => false,
            None => true,
        });
        let changed = verdicts.len() as u64;
        bones::update(connection, self.trace, verdicts).await?;
        Ok(changed)
    }

    /// Calls of other traces that may be the same as calls of this one.
    async fn calls_apart(
        &self,
        connection: &WriterConnection,
        bones: &[Bone],
    ) -> Result<Vec<CallRow>, Error> {
        let calls = || bones.iter().filter_map(|bone| bone.call.as_ref());
        let hiding: Vec<_> = calls().filter(|call| call.may_hide_a_client()).collect();
        let hidden: Vec<_> = calls().filter(|call| call.may_be_hidden).collect();
        let trace = Some(self.trace.trace_id);
        let mut others = apart::hidden(connection, &hiding, trace).await?;
        others.extend(apart::around(connection, &hidden, trace).await?);
        others.sort_by_key(|call| (call.trace_id, call.span_id, call.start));
        others.dedup_by_key(|call| (call.trace_id, call.span_id, call.start));
        Ok(others)
    }
}

/// The days on which log records of the trace may be: a day more than its spans on both sides, and those of the note.
fn reach(days: &[TraceDay], around: Days) -> (Day, Day) {
    let noted = match around {
        Days::Between(from, to) => Some((from, to)),
        Days::All => None,
    };
    let spans =
        days.first().zip(days.last()).map(|(first, last)| (Day(first.day.0 - 1), Day(last.day.0 + 1)));
    match (noted, spans) {
        (Some(noted), Some(spans)) => (noted.0.min(spans.0), noted.1.max(spans.1)),
        (Some(days), None) => days,
        (None, _) => Days::All.bounds(),
    }
}
