//! The readings of a batch: which calls are billable, what they cost, and which traces are to be settled.

use std::collections::{HashMap, HashSet};

use llm_observatory_core::ids::{ProjectId, SpanId, TraceId};
use llm_observatory_core::time::Day;
use llm_observatory_genai::READING_VERSION;
use llm_observatory_genai::nesting::{self, Step};
use llm_observatory_genai::repeats::{Call, repeats};
use llm_observatory_genai::speaker::{Speaker, taken_over};

use super::summary::{Lacking, Total};
use crate::error::Error;
use crate::models::llm::call::CallRow;
use crate::models::llm::role;
use crate::models::trace::Span;
use crate::models::{LlmRow, Speakers};
use crate::postgres::writer::WriterConnection;
use crate::tally::LlmCounts;
use crate::writers::apart;
use crate::writers::copy::copy_rows;
use crate::writers::insert;
use crate::writers::settling::Notes;

/// A span that starts so soon after midnight may have its parent on the day before.
const EARLY_MICROS: i64 = 3_600 * 1_000_000;
const DAY_MICROS: i64 = 24 * EARLY_MICROS;
/// Of so many spans each is soon compared with each.
const FEW: usize = 32;

/// The spans of a batch by trace, and the rows of those that are LLM spans.
#[derive(Debug)]
pub(super) struct Readings<'s> {
    /// In the order of trace, project, start, id.
    spans: Vec<&'s Span>,
    rows: Vec<LlmRow>,
    /// Billable calls that may be the same call as one in another trace, of which this batch does not have that one.
    single: Vec<CallRow>,
}

impl<'s> Readings<'s> {
    /// The readings of `spans`, with the costs of the prices of this moment.
    pub(super) async fn of(connection: &WriterConnection, spans: &[&'s Span]) -> Result<Self, Error> {
        let mut spans = spans.to_vec();
        spans.sort_by_key(|span| (trace(span), span.row.key()));
        let mut rows: Vec<LlmRow> = spans.iter().filter_map(|span| row(span)).collect();
        let mut single = Vec::new();
        if !rows.is_empty() {
            bill_nested(&spans, &mut rows);
            single = drop_repeats(&mut rows);
            take_over(&spans, &mut rows);
            let book = connection.prices().for_transaction(connection).await?;
            rows.iter_mut().for_each(|row| row.price(&book));
            rows.sort_by_key(LlmRow::key);
        }
        Ok(Self { spans, rows, single })
    }

    pub(super) async fn copy(&self, connection: &WriterConnection) -> Result<(), Error> {
        match self.rows.is_empty() {
            true => Ok(()),
            false => copy_rows(connection, &self.rows.iter().collect::<Vec<_>>()).await.map(drop),
        }
    }

    pub(super) async fn insert_new(&self, connection: &WriterConnection) -> Result<(), Error> {
        insert::insert_new(connection, &self.rows.iter().collect::<Vec<_>>()).await
    }

    /// What LLM spans lack, though spans of other batches may tell it.
    pub(super) fn lacking(&self) -> Lacking {
        let mut lacking = HashMap::new();
        for row in &self.rows {
            let lacks = Speakers::lacking((row.session_id(), row.user_id()));
            *lacking.entry((row.trace_id, row.start_time.day(), row.project_id)).or_default() |= lacks;
        }
        lacking
    }

    /// Notes the traces that are to be settled, and counts the rows. `totals` are of the traces of which other spans may say
    /// something of these; `notes` has the traces for which something else speaks.
    pub(super) async fn settle(
        self,
        connection: &WriterConnection,
        totals: &[Total],
        mut notes: Notes,
    ) -> Result<(), Error> {
        for total in totals.iter().filter(|total| self.is_open(total)) {
            notes.add(total.trace_id, total.project_id, total.day, false);
        }
        for spans in self.spans.chunk_by(|one, next| trace(one) == trace(next)) {
            for row in [spans.first(), spans.last()].into_iter().flatten().map(|span| &span.row) {
                notes.wake(row.trace_id, row.project_id, row.start_time.day());
            }
        }
        self.note_single(connection, &mut notes).await?;
        notes.write(connection).await?;
        connection.tally().add(LlmCounts::of(&self.rows));
        Ok(())
    }

    /// Notes the traces of calls whose other span is stored, or may be written by another transaction of now.
    async fn note_single(&self, connection: &WriterConnection, notes: &mut Notes) -> Result<(), Error> {
        for call in self.single.iter().filter(|call| call.may_be_hidden) {
            notes.add_again(call.trace_id, call.project_id, call.start.day());
        }
        let mut hiding: Vec<_> = self.single.iter().filter(|call| call.may_hide_a_client()).collect();
        hiding.sort_by_key(|call| call.project_id);
        for hiding in hiding.chunk_by(|one, next| one.project_id == next.project_id) {
            let hidden = apart::hidden(connection, hiding, None).await?;
            let others =
                hidden.iter().filter(|other| hiding.iter().all(|call| call.span_id != other.span_id));
            let calls: Vec<Call<'_>> = hiding.iter().copied().chain(others).map(CallRow::call).collect();
            let mut joined: Vec<usize> = Vec::new();
            for (place, counts) in repeats(&calls).into_iter().enumerate() {
                joined.extend(counts.into_iter().flat_map(|counts| [place, counts]));
            }
            for call in joined.into_iter().filter_map(|place| hiding.get(place)) {
                notes.add(call.trace_id, call.project_id, call.start.day(), false);
            }
        }
        Ok(())
    }

    /// Whether spans of the trace that are not in this batch may decide which calls are billable, and who speaks.
    fn is_open(&self, total: &Total) -> bool {
        let spans = self.of_trace(total.trace_id, total.project_id);
        let of_day = || spans.iter().filter(|span| span.row.start_time.day() == total.day);
        let others_are_stored = || total.span_count > of_day().count() as i64;
        let other_calls_are_stored =
            || total.llm_calls > of_day().filter(|span| span.is_call()).count() as i64;
        let of_several_batches = || {
            total.llm_calls >= 2
                && others_are_stored()
                && (other_calls_are_stored() || has_orphan(spans, |_| true))
        };
        let speaks_across = || {
            total.speakers.may_meet()
                && others_are_stored()
                && (spans.iter().any(|span| tells(span)) || has_orphan(spans, |_| true))
        };
        let begins_early = || of_day().any(|span| is_early(span)) && has_orphan(spans, is_early);
        total.crosses_midnight || of_several_batches() || speaks_across() || begins_early()
    }

    fn of_trace(&self, trace_id: TraceId, project_id: ProjectId) -> &[&'s Span] {
        let key = (trace_id, project_id);
        let start = self.spans.partition_point(|span| trace(span) < key);
        let length = self.spans[start..].partition_point(|span| trace(span) == key);
        &self.spans[start..start + length]
    }
}

fn trace(span: &Span) -> (TraceId, ProjectId) {
    (span.row.trace_id, span.row.project_id)
}

fn row(span: &Span) -> Option<LlmRow> {
    Some(LlmRow::new(&span.row, span.llm.clone()?, READING_VERSION))
}

/// Whether one of these spans of a trace has a parent that is not among them.
fn has_orphan(spans: &[&Span], of: impl Fn(&Span) -> bool) -> bool {
    let ids: HashSet<SpanId> = spans.iter().map(|span| span.row.span_id).collect();
    let is_orphan = |span: &Span| span.row.parent_span_id.is_some_and(|parent| !ids.contains(&parent));
    spans.iter().any(|span| of(span) && is_orphan(span))
}

fn is_early(span: &Span) -> bool {
    let Day(day) = span.row.start_time.day();
    span.row.start_time.micros() - i64::from(day) * DAY_MICROS < EARLY_MICROS
}

/// Decides which of the calls inside each other are billable, as far as the batch tells. `rows` are those of the LLM spans
/// among `spans`, in the same order.
fn bill_nested(spans: &[&Span], rows: &mut [LlmRow]) {
    let mut rows = rows.iter_mut();
    for spans in spans.chunk_by(|one, next| trace(one) == trace(next)) {
        let verdicts = may_nest(spans).then(|| verdicts(spans));
        for (place, span) in spans.iter().enumerate().filter(|(_, span)| span.llm.is_some()) {
            let row = rows.next().filter(|row| row.key() == span.row.key());
            if let (Some(row), Some(verdicts)) = (row, &verdicts) {
                row.bill(verdicts[place]);
            }
        }
    }
}

/// Whether one call of a trace may be inside another: there are several, and a span is right below one.
fn may_nest(spans: &[&Span]) -> bool {
    let is_below =
        |span: &Span, call: &Span| call.is_call() && span.row.parent_span_id == Some(call.row.span_id);
    let has_several = spans.iter().filter(|span| span.is_call()).nth(1).is_some();
    has_several
        && (spans.len() > FEW || spans.iter().any(|span| spans.iter().any(|call| is_below(span, call))))
}

/// Decides which of the billable calls repeat another one of the batch, in whatever trace. Returns those that neither repeat
/// one nor are repeated, and may be the same as a call in another trace.
fn drop_repeats(rows: &mut [LlmRow]) -> Vec<CallRow> {
    let places: Vec<usize> = (0..rows.len()).filter(|place| rows[*place].billable).collect();
    let calls: Vec<Call<'_>> = places.iter().map(|place| rows[*place].call()).collect();
    let instead = repeats(&calls);
    let mut is_single = vec![true; places.len()];
    for (place, counts) in instead.iter().enumerate() {
        if let Some(counts) = counts {
            (is_single[place], is_single[*counts]) = (false, false);
        }
    }
    let may_be_apart = |row: &&LlmRow| {
        let layer = row.call().layer;
        let (provider, model) = (row.reading.provider.as_deref(), row.reading.model());
        layer.may_hide_a_client(provider, model.map(|model| &**model)) || row.may_be_hidden()
    };
    let single =
        places.iter().zip(is_single).filter(|(_, is_single)| *is_single).map(|(place, _)| &rows[*place]);
    let single = single.filter(may_be_apart).map(CallRow::from).collect();
    for (place, _) in places.iter().zip(&instead).filter(|(_, instead)| instead.is_some()) {
        rows[*place].bill(false);
    }
    single
}

/// Gives LLM spans the session and the user of the nearest span above them in the batch that tells them. `rows` are those of
/// the LLM spans among `spans`, in the same order.
fn take_over(spans: &[&Span], rows: &mut [LlmRow]) {
    let mut rows = rows.iter_mut();
    for spans in spans.chunk_by(|one, next| trace(one) == trace(next)) {
        let mut speakers = Speakers::default();
        for span in spans {
            let speaker = span.speaker();
            speakers |= Speakers::telling(speaker);
            speakers |= span.llm.as_ref().map(|_| Speakers::lacking(speaker)).unwrap_or_default();
        }
        let taken = if speakers.may_meet() {
            taken_over(&steps(spans), &told(spans), |place| spans[place].llm.is_some())
        } else {
            Vec::new()
        };
        let of_rows = spans.iter().enumerate().filter(|(_, span)| span.llm.is_some());
        for ((place, _), row) in of_rows.zip(rows.by_ref()) {
            row.taken_over = taken.get(place).cloned().unwrap_or_default();
        }
    }
}

/// Whom the spans tell.
fn told(spans: &[&Span]) -> Vec<Speaker> {
    let told = |span: &&Span| {
        let (session, user) = span.speaker();
        Speaker { session_id: session.cloned(), user_id: user.cloned() }
    };
    spans.iter().map(told).collect()
}

fn tells(span: &Span) -> bool {
    Speakers::telling(span.speaker()) != Speakers::default()
}

/// Which spans of a trace are billable calls.
fn verdicts(spans: &[&Span]) -> Vec<bool> {
    let responses: Vec<_> = spans.iter().map(|span| response(span)).collect();
    nesting::billable_by_response(&steps(spans), &responses)
}

fn response(span: &Span) -> Option<&str> {
    span.llm.as_ref()?.response_id.as_deref()
}

fn steps(spans: &[&Span]) -> Vec<Step> {
    let step = |span: &&Span| Step {
        id: span.row.span_id,
        parent: span.row.parent_span_id,
        role: role(span.llm.as_deref()),
    };
    spans.iter().map(step).collect()
}
