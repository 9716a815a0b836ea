//! Notes of traces that are to be settled; `maintenance::settling` does that.
//!
//! A span writer holds the row of its trace in `traces` when it writes a note; a log writer holds no such lock. All write
//! notes in the order of their key, so that they do not deadlock.

use std::collections::BTreeMap;
use std::time::Duration;

use llm_observatory_core::ids::{ProjectId, TraceId};
use llm_observatory_core::time::Day;

use crate::error::Error;
use crate::postgres::writer::WriterConnection;
use crate::statement::Statement;

/// How long after its COMMIT a trace is looked at once more where a transaction that ran at the same time may have written
/// what belongs to it. A writer is seldom that slow.
const CONCURRENT: Duration = Duration::from_secs(10);

/// A span that came writes no note of its own, but makes the note due that waits for it. Both are one statement, so that
/// notes are locked in the order of their key.
static NOTE: Statement = Statement::fixed("settling: note", include_str!("note.sql"));

/// Whether any note waits for spans: seldom one does, and then no span needs to look for its own.
static WAITS: Statement =
    Statement::fixed("settling: waits", "SELECT EXISTS (SELECT FROM llm_settling WHERE with_logs)");

/// The statements of this module.
pub(super) const STATEMENTS: &[&Statement] = &[&NOTE, &WAITS];

/// Whether any note waits for the spans of its trace.
pub(super) async fn notes_wait(connection: &WriterConnection) -> Result<bool, Error> {
    let statement = connection.statement(WAITS.sql()).await?;
    Ok(connection.query_one(&statement, &[]).await?.get(0))
}

/// Notes of one transaction, one for each trace.
#[derive(Debug, Default)]
pub(crate) struct Notes(BTreeMap<(TraceId, ProjectId), Note>);

#[derive(Debug)]
struct Note {
    from: Day,
    to: Day,
    with_logs: bool,
    /// Whether the trace is noted if it is not yet.
    is_new: bool,
    /// Whether it is looked at once more when the transactions of now are over.
    again: bool,
}

impl Notes {
    /// Notes a trace that has spans or log records on `day`.
    pub(crate) fn add(&mut self, trace: TraceId, project: ProjectId, day: Day, with_logs: bool) {
        let note = self.note(trace, project, day);
        note.with_logs |= with_logs;
        note.is_new = true;
    }

    /// Notes a trace with spans on `day` to be settled when the transactions that run now are over: one of them may write,
    /// in another trace, what belongs to it.
    pub(super) fn add_again(&mut self, trace: TraceId, project: ProjectId, day: Day) {
        let note = self.note(trace, project, day);
        (note.is_new, note.again) = (true, true);
    }

    /// The notes of traces before this one, and those of it and of later ones.
    pub(crate) fn split(mut self, trace: TraceId, project: ProjectId) -> (Self, Self) {
        let rest = self.0.split_off(&(trace, project));
        (self, Self(rest))
    }

    /// Makes the note of a trace due, if it has one that waits for its spans: one came, of `day`.
    pub(super) fn wake(&mut self, trace: TraceId, project: ProjectId, day: Day) {
        self.note(trace, project, day);
    }

    fn note(&mut self, trace: TraceId, project: ProjectId, day: Day) -> &mut Note {
        let new = Note { from: day, to: day, with_logs: false, is_new: false, again: false };
        let note = self.0.entry((trace, project)).or_insert(new);
        note.from = note.from.min(day);
        note.to = note.to.max(day);
        note
    }

    /// Writes the notes.
    pub(crate) async fn write(&self, connection: &WriterConnection) -> Result<(), Error> {
        if self.0.is_empty() {
            return Ok(());
        }
        let traces: Vec<_> = self.0.keys().map(|(trace, _)| trace.uuid()).collect();
        let projects: Vec<_> = self.0.keys().map(|(_, project)| project.0).collect();
        let from: Vec<_> = self.0.values().map(|note| note.from.0).collect();
        let to: Vec<_> = self.0.values().map(|note| note.to.0).collect();
        let with_logs: Vec<_> = self.0.values().map(|note| note.with_logs).collect();
        let is_new: Vec<_> = self.0.values().map(|note| note.is_new).collect();
        let again: Vec<_> = self.0.values().map(|note| note.again).collect();
        let wait = CONCURRENT.as_millis() as i64;
        let statement = connection.statement(NOTE.sql()).await?;
        connection
            .execute(&statement, &[&traces, &projects, &from, &to, &with_logs, &is_new, &again, &wait])
            .await?;
        Ok(())
    }
}
