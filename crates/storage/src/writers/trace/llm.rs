//! The readings of a batch: which calls are billable, what they cost, and which traces are to be settled.

use std::collections::HashSet;

use llm_observatory_core::ids::{ProjectId, SpanId, TraceId};
use llm_observatory_genai::READING_VERSION;
use llm_observatory_genai::nesting::{self, Step};
use llm_observatory_genai::repeats::{Call, repeats};
use llm_observatory_genai::speaker::taken_over;

use super::entry::Entry;
use super::summary::{Lacking, Total};
use crate::error::Error;
use crate::models::llm::call::CallRow;
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
/// By so much the clocks of two hosts may differ: a span may start before its parent does, and so on the day before.
const SKEW_MICROS: i64 = 60 * 1_000_000;
/// Of so many spans each is soon compared with each.
const FEW: usize = 32;

/// The spans of a batch by trace, and the rows of those that are LLM spans.
#[derive(Debug)]
pub(super) struct Readings<'s> {
    /// In the order of trace, project, start, id.
    entries: Vec<Entry<'s>>,
    rows: Vec<LlmRow>,
    /// Billable calls that may be the same call as one in another trace, of which this batch does not have that one.
    single: Vec<CallRow>,
}

impl<'s> Readings<'s> {
    /// The readings of these spans, with the costs of the prices of this moment.
    pub(super) async fn of(connection: &WriterConnection, entries: &[Entry<'s>]) -> Result<Self, Error> {
        let mut entries = entries.to_vec();
        entries.sort_by_key(|entry| (entry.trace, entry.start_micros, entry.step.id));
        let mut rows: Vec<LlmRow> = entries.iter().filter_map(|entry| row(entry.span)).collect();
        let mut single = Vec::new();
        if !rows.is_empty() {
            bill_nested(&entries, &mut rows);
            single = drop_repeats(&mut rows);
            take_over(&entries, &mut rows);
            let book = connection.prices().for_transaction(connection).await?;
            rows.iter_mut().for_each(|row| row.price(&book));
            rows.sort_by_key(LlmRow::key);
        }
        Ok(Self { entries, rows, single })
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

    /// What LLM spans lack, though spans of other batches may tell it; sorted.
    pub(super) fn lacking(&self) -> Lacking {
        let mut lacking = Lacking::new();
        for row in &self.rows {
            let key = (row.trace_id, row.start_time.day(), row.project_id);
            let lacks = Speakers::lacking((row.session_id(), row.user_id()));
            match lacking.last_mut() {
                Some((last, speakers)) if *last == key => *speakers |= lacks,
                _ => lacking.push((key, lacks)),
            }
        }
        lacking.sort_by_key(|(key, _)| *key);
        lacking
    }

    /// Notes the traces that are to be settled, and counts the rows. `totals` are of the traces of which other spans may say
    /// something of these; `notes` has the traces for which something else speaks; `notes_wait` is whether a note may wait for
    /// spans of the batch.
    pub(super) async fn settle(
        self,
        connection: &WriterConnection,
        totals: &[Total],
        mut notes: Notes,
        notes_wait: bool,
    ) -> Result<(), Error> {
        for total in totals.iter().filter(|total| self.is_open(total)) {
            notes.add(total.trace_id, total.project_id, total.day, false);
        }
        if notes_wait {
            for entry in
                by_trace(&self.entries).flat_map(|entries| [entries.first(), entries.last()]).flatten()
            {
                let (trace, project) = entry.trace;
                notes.wake(trace, project, entry.day());
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
        let entries = self.of_trace((total.trace_id, total.project_id));
        let of_day = || entries.iter().filter(|entry| entry.day() == total.day);
        let others_are_stored = || total.span_count > of_day().count() as i64;
        let other_calls_are_stored =
            || total.llm_calls > of_day().filter(|entry| entry.is_call()).count() as i64;
        let of_several_batches = || {
            total.llm_calls >= 2
                && others_are_stored()
                && (other_calls_are_stored() || has_orphan(entries, |_| true))
        };
        let speaks_across = || {
            total.speakers.may_meet()
                && others_are_stored()
                && (entries.iter().any(|entry| entry.speakers.tells()) || has_orphan(entries, |_| true))
        };
        let begins_at_midnight = || of_day().any(|entry| entry.micros_of_day() < SKEW_MICROS);
        let begins_early = || of_day().any(is_early) && has_orphan(entries, is_early);
        total.crosses_midnight
            || of_several_batches()
            || speaks_across()
            || begins_at_midnight()
            || begins_early()
    }

    fn of_trace(&self, trace: (TraceId, ProjectId)) -> &[Entry<'s>] {
        let start = self.entries.partition_point(|entry| entry.trace < trace);
        let length = self.entries[start..].partition_point(|entry| entry.trace == trace);
        &self.entries[start..start + length]
    }
}

/// The spans of each trace.
fn by_trace<'e, 's>(entries: &'e [Entry<'s>]) -> impl Iterator<Item = &'e [Entry<'s>]> {
    entries.chunk_by(|one, next| one.trace == next.trace)
}

fn row(span: &Span) -> Option<LlmRow> {
    Some(LlmRow::new(&span.row, span.llm.clone()?, READING_VERSION))
}

fn is_early(entry: &Entry<'_>) -> bool {
    entry.micros_of_day() < EARLY_MICROS
}

/// Whether one of these spans of a trace has a parent that is not among them.
fn has_orphan(entries: &[Entry<'_>], of: impl Fn(&Entry<'_>) -> bool) -> bool {
    let ids: HashSet<SpanId> = entries.iter().map(|entry| entry.step.id).collect();
    let is_orphan = |entry: &Entry<'_>| entry.step.parent.is_some_and(|parent| !ids.contains(&parent));
    entries.iter().any(|entry| of(entry) && is_orphan(entry))
}

/// Decides which of the calls inside each other are billable, as far as the batch tells. `rows` are those of the LLM spans
/// among the entries, in the same order.
fn bill_nested(entries: &[Entry<'_>], rows: &mut [LlmRow]) {
    let mut rows = rows.iter_mut();
    for entries in by_trace(entries) {
        let verdicts = may_nest(entries).then(|| verdicts(entries));
        for (place, _) in entries.iter().enumerate().filter(|(_, entry)| entry.is_read) {
            if let (Some(row), Some(verdicts)) = (rows.next(), &verdicts) {
                row.bill(verdicts[place]);
            }
        }
    }
}

/// Whether one call of a trace may be inside another: there are several, and a span is right below one.
fn may_nest(entries: &[Entry<'_>]) -> bool {
    let calls = || entries.iter().filter(|entry| entry.is_call());
    let is_below_a_call = |entry: &Entry<'_>| calls().any(|call| entry.step.parent == Some(call.step.id));
    calls().nth(1).is_some() && (entries.len() > FEW || entries.iter().any(is_below_a_call))
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
/// the LLM spans among the entries, in the same order.
fn take_over(entries: &[Entry<'_>], rows: &mut [LlmRow]) {
    let mut rows = rows.iter_mut();
    for entries in by_trace(entries) {
        let mut speakers = Speakers::default();
        entries.iter().for_each(|entry| speakers |= entry.speakers);
        let mut taken = if speakers.may_meet() {
            let told: Vec<_> = entries.iter().map(|entry| entry.told).collect();
            taken_over(&steps(entries), &told, |place| entries[place].is_read)
        } else {
            Vec::new()
        };
        let of_rows = entries.iter().enumerate().filter(|(_, entry)| entry.is_read);
        for ((place, _), row) in of_rows.zip(rows.by_ref()) {
            row.taken_over = taken.get_mut(place).map(std::mem::take).unwrap_or_default();
        }
    }
}

/// Which spans of a trace are billable calls.
fn verdicts(entries: &[Entry<'_>]) -> Vec<bool> {
    let readings = entries.iter().map(|entry| entry.span.llm.as_ref());
    let responses: Vec<_> = readings.map(|reading| reading?.response_id.as_deref()).collect();
    nesting::billable_by_response(&steps(entries), &responses)
}

fn steps(entries: &[Entry<'_>]) -> Vec<Step> {
    entries.iter().map(|entry| entry.step).collect()
}
