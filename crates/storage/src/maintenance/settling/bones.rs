//! The spans of a trace, as far as billing looks at them.

use std::time::SystemTime;

use bytes::Bytes;
use llm_observatory_core::ids::SpanId;
use llm_observatory_core::text::Text;
use llm_observatory_core::time::{Day, UnixNanos};
use llm_observatory_genai::nesting::{self, Role, Step};
use llm_observatory_genai::repeats::{Call, repeats};
use llm_observatory_genai::speaker::{self, Speaker, taken_over};
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::ask::Trace;
use super::reading::ReadAgain;
use crate::error::Error;
use crate::models::llm::call::CallRow;
use crate::models::llm::{is_missing, role};
use crate::models::time::moment;
use crate::models::trace::SpanKey;
use crate::models::{Attributes, LlmRow};
use crate::postgres::writer::WriterConnection;
use crate::statement::Statement;

static READ: Statement = Statement::composed("settling: bones", || {
    let keys = speaker::KEYS.map(|key| format!("'%\"{key}\"%'")).join(", ");
    include_str!("bones.sql").replace("CALL_COLUMNS", CallRow::COLUMNS).replace("SPEAKER_KEYS", &keys)
});
/// All rows are of one day, which `$4` and `$5` tell the planner. They are locked in the order of their key.
static UPDATE: Statement = Statement::fixed(
    "settling: bill",
    "WITH verdict AS ( \
         SELECT reading.trace_id, reading.start_time, reading.span_id, reading.project_id, \
                new.billable, new.usage_missing, new.session_id, new.session_taken_over, new.user_id, new.user_taken_over \
         FROM unnest($1::bytea[], $2::timestamptz[], $3::boolean[], $8::boolean[], \
                     $9::text[], $10::boolean[], $11::text[], $12::boolean[]) \
              AS new (span_id, start_time, billable, usage_missing, \
                      session_id, session_taken_over, user_id, user_taken_over) \
         JOIN trace_llm_spans AS reading \
              ON reading.span_id = new.span_id AND reading.start_time = new.start_time \
         WHERE reading.trace_id = $6 AND reading.project_id = $7 AND reading.start_time BETWEEN $4 AND $5 \
         ORDER BY reading.start_time, reading.span_id FOR UPDATE OF reading) \
     UPDATE trace_llm_spans AS reading SET \
         billable = verdict.billable, usage_missing = verdict.usage_missing, \
         session_id = verdict.session_id, session_taken_over = verdict.session_taken_over, \
         user_id = verdict.user_id, user_taken_over = verdict.user_taken_over \
     FROM verdict \
     WHERE (reading.trace_id, reading.start_time, reading.span_id, reading.project_id) \
         = (verdict.trace_id, verdict.start_time, verdict.span_id, verdict.project_id) \
     AND reading.start_time BETWEEN $4 AND $5",
);

/// The statements of this module.
pub(super) const STATEMENTS: &[&Statement] = &[&READ, &UPDATE];

/// A span of the trace.
#[derive(Debug, Clone)]
pub(super) struct Bone {
    pub(super) step: Step,
    pub(super) start: UnixNanos,
    /// Whether the span has a reading.
    is_read: bool,
    /// Whether it ended and succeeded, so that it should tell its usage.
    should_tell: bool,
    billable: bool,
    usage_missing: bool,
    /// Whom the span tells.
    told: Speaker,
    /// What is stored of what it takes over.
    taken_over: Speaker,
    /// If it is a call.
    pub(super) call: Option<CallRow>,
}

/// The first columns of `bones.sql` that tell who speaks, and what a call is.
const SPEAKER: usize = 10;
const CALL: usize = 16;

impl Bone {
    fn read(row: &Row) -> Option<Self> {
        let tells_usage = row.get(5);
        let role = match (row.get(3), row.get(4)) {
            (true, _) => Role::Call { tells_usage },
            (false, true) => Role::Tool,
            (false, false) => Role::Other,
        };
        let parent: Option<&[u8]> = row.get(1);
        let (told, taken_over) = speakers(row);
        Some(Self {
            step: Step {
                id: SpanId::from_wire(row.get(0))?,
                parent: parent.and_then(SpanId::from_wire),
                role,
            },
            start: UnixNanos::from(row.get::<_, SystemTime>(2)),
            should_tell: row.get(6),
            billable: row.get(7),
            usage_missing: row.get(8),
            is_read: row.get(9),
            told,
            taken_over,
            call: if row.get(3) { CallRow::read(row, CALL) } else { None },
        })
    }

    pub(super) fn key(&self, trace: Trace) -> SpanKey {
        (trace.trace_id, self.start.micros(), self.step.id, trace.project_id)
    }

    /// Takes the place of what is stored of the span.
    pub(super) fn replace(&mut self, read: &ReadAgain) {
        let row = read.row();
        self.told = read.told();
        self.taken_over = Speaker::default();
        self.call = row.filter(|row| row.reading.is_call).map(CallRow::from);
        self.step.role = role(row.map(|row| &*row.reading));
        (self.is_read, self.should_tell) = (row.is_some(), row.is_some_and(LlmRow::should_tell));
        (self.billable, self.usage_missing) =
            row.map_or((false, false), |row| (row.billable, row.usage_missing));
    }
}

/// Whom the span tells, and what it took over.
fn speakers(row: &Row) -> (Speaker, Speaker) {
    let get = |place: usize| {
        let text = row.get::<_, Option<&str>>(SPEAKER + place).map(Text::from);
        if row.get(SPEAKER + place + 1) { (None, text) } else { (text, None) }
    };
    let ((session, session_above), (user, user_above)) = (get(0), get(2));
    let taken_over = Speaker { session_id: session_above, user_id: user_above };
    let told = other(row).unwrap_or(Speaker { session_id: session, user_id: user });
    (told, taken_over)
}

/// Whom a span tells that is no LLM span.
fn other(row: &Row) -> Option<Speaker> {
    let json = Bytes::copy_from_slice(row.get::<_, Option<&str>>(SPEAKER + 4)?.as_bytes());
    let layout = Bytes::copy_from_slice(row.get::<_, Option<&[u8]>>(SPEAKER + 5).unwrap_or_default());
    // Attributes that nobody can read tell nothing, and hinder nothing.
    Speaker::of_attributes(&Attributes { json, layout }.attributes().ok()?)
}

/// The spans of one day of a trace.
pub(super) async fn read(connection: &WriterConnection, trace: Trace, day: Day) -> Result<Vec<Bone>, Error> {
    let (trace_id, project_id, day) = (trace.trace_id.uuid(), trace.project_id.0, day.0);
    let parameters: [(&(dyn ToSql + Sync), Type); 3] =
        [(&trace_id, Type::UUID), (&project_id, Type::INT4), (&day, Type::INT4)];
    let rows = connection.query_typed(READ.sql(), &parameters).await?;
    Ok(rows.iter().filter_map(Bone::read).collect())
}

/// What an LLM span of a trace should be, where it is stored otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    start: UnixNanos,
    id: SpanId,
    pub(super) billable: bool,
    usage_missing: bool,
    told: Speaker,
    pub(super) taken_over: Speaker,
}

impl Verdict {
    pub(super) fn key(&self, trace: Trace) -> SpanKey {
        (trace.trace_id, self.start.micros(), self.id, trace.project_id)
    }
}

/// What was decided of a trace.
#[derive(Debug)]
pub(super) struct Judgement<'c> {
    /// The verdicts that differ from what is stored.
    pub(super) verdicts: Vec<Verdict>,
    /// Calls of other traces that are stored as billable, and repeat one of this trace.
    pub(super) repeating: Vec<&'c CallRow>,
}

/// Decides which calls are billable, and who speaks. `others` are calls of other traces that may be the same as some of these.
pub(super) fn judge<'c>(bones: &[Bone], others: &'c [CallRow]) -> Judgement<'c> {
    let steps: Vec<_> = bones.iter().map(|bone| bone.step).collect();
    let responses: Vec<_> = bones.iter().map(|bone| bone.call.as_ref()?.response.as_deref()).collect();
    let mut billable = nesting::billable_by_response(&steps, &responses);
    let own = bones.iter().enumerate().filter(|(place, _)| billable[*place]);
    let (places, mut calls): (Vec<usize>, Vec<Call<'_>>) =
        own.filter_map(|(place, bone)| Some((place, bone.call.as_ref()?.call()))).unzip();
    calls.extend(others.iter().map(CallRow::call));
    let instead = repeats(&calls);
    let (of_own, of_others) = instead.split_at(places.len());
    for (place, _) in places.iter().zip(of_own).filter(|(_, instead)| instead.is_some()) {
        billable[*place] = false;
    }
    let is_ours = |instead: &Option<usize>| instead.is_some_and(|place| place < places.len());
    let repeating =
        others.iter().zip(of_others).filter(|(other, instead)| other.billable && is_ours(instead));
    let told: Vec<_> = bones.iter().map(|bone| bone.told.told()).collect();
    let judged = bones.iter().zip(billable).zip(taken_over(&steps, &told, |place| bones[place].is_read));
    let judged = judged.filter(|((bone, _), _)| bone.is_read);
    let verdict = |((bone, billable), taken_over): ((&Bone, bool), Speaker)| {
        let is_told = bone.step.role == Role::Call { tells_usage: true };
        let usage_missing = is_missing(billable, bone.should_tell, is_told);
        let stored = (bone.billable, bone.usage_missing, &bone.taken_over);
        let differs = (billable, usage_missing, &taken_over) != stored;
        let (start, id, told) = (bone.start, bone.step.id, bone.told.clone());
        differs.then_some(Verdict { start, id, billable, usage_missing, told, taken_over })
    };
    Judgement {
        verdicts: judged.filter_map(verdict).collect(),
        repeating: repeating.map(|(other, _)| other).collect(),
    }
}

/// Stores verdicts.
pub(super) async fn update(
    connection: &WriterConnection,
    trace: Trace,
    mut verdicts: Vec<Verdict>,
) -> Result<(), Error> {
    verdicts.sort_by_key(|verdict| (verdict.start, verdict.id));
    for verdicts in verdicts.chunk_by(|one, next| one.start.day() == next.start.day()) {
        let ids: Vec<_> = verdicts.iter().map(|verdict| verdict.id.as_bytes().to_vec()).collect();
        let starts: Vec<_> = verdicts.iter().map(|verdict| moment(verdict.start.micros())).collect();
        let billable: Vec<_> = verdicts.iter().map(|verdict| verdict.billable).collect();
        let missing: Vec<_> = verdicts.iter().map(|verdict| verdict.usage_missing).collect();
        let (Some(first), Some(last)) = (starts.first(), starts.last()) else { continue };
        let sessions = Told::of(verdicts, |speaker| &speaker.session_id);
        let users = Told::of(verdicts, |speaker| &speaker.user_id);
        let (trace_id, project_id) = (trace.trace_id.uuid(), trace.project_id.0);
        let parameters: [(&(dyn ToSql + Sync), Type); 12] = [
            (&ids, Type::BYTEA_ARRAY),
            (&starts, Type::TIMESTAMPTZ_ARRAY),
            (&billable, Type::BOOL_ARRAY),
            (first, Type::TIMESTAMPTZ),
            (last, Type::TIMESTAMPTZ),
            (&trace_id, Type::UUID),
            (&project_id, Type::INT4),
            (&missing, Type::BOOL_ARRAY),
            (&sessions.texts, Type::TEXT_ARRAY),
            (&sessions.taken_over, Type::BOOL_ARRAY),
            (&users.texts, Type::TEXT_ARRAY),
            (&users.taken_over, Type::BOOL_ARRAY),
        ];
        connection.execute_typed(UPDATE.sql(), &parameters).await?;
    }
    Ok(())
}

/// A field of the speakers of verdicts, as two columns.
struct Told<'v> {
    texts: Vec<Option<&'v str>>,
    taken_over: Vec<bool>,
}

impl<'v> Told<'v> {
    fn of(verdicts: &'v [Verdict], field: fn(&Speaker) -> &Option<Text>) -> Self {
        let text = |verdict: &'v Verdict| {
            field(&verdict.told).as_ref().or(field(&verdict.taken_over).as_ref()).map(Text::as_str)
        };
        Self {
            texts: verdicts.iter().map(text).collect(),
            taken_over: verdicts.iter().map(|verdict| field(&verdict.taken_over).is_some()).collect(),
        }
    }
}
