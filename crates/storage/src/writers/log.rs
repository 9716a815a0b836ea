//! Writes log records, and the calls that they tell.

mod calls;

use llm_observatory_core::signal::Signal;
use llm_observatory_core::time::Day;

use super::batch::{Batch, RecordCounts, Way, all};
use super::buffered::BufferedWriter;
use super::copy::copy_rows;
use super::dictionary::Dictionary;
use super::insert;
use super::settling::Notes;
use crate::error::Error;
use crate::maintenance::partitions::DeclinedDays;
use crate::models::{LogRow, ResourceRow, ScopeRow};
use crate::postgres::writer::WriterConnection;

pub(crate) use calls::{by_halves, insert_calls, insert_new};

/// Gathers and writes log records; see [`BufferedWriter`].
pub type LogWriter = BufferedWriter<LogBatch>;

/// Log records with their dictionary rows.
#[derive(Debug, Clone, Default)]
pub struct LogBatch {
    /// Resources of the records.
    pub resources: Vec<ResourceRow>,
    /// Instrumentation scopes of the records.
    pub scopes: Vec<ScopeRow>,
    /// The records.
    pub logs: Vec<LogRow>,
}

impl Batch for LogBatch {
    type Record = LogRow;
    const SIGNAL: Signal = Signal::Logs;

    fn records(&self) -> &[LogRow] {
        &self.logs
    }

    fn records_mut(&mut self) -> &mut Vec<LogRow> {
        &mut self.logs
    }

    fn day(log: &LogRow) -> Day {
        log.time.day()
    }

    /// The calls that records tell are rows of LLM spans.
    const ALSO: Option<Signal> = Some(Signal::Traces);

    fn day_also(log: &LogRow) -> Option<Day> {
        log.call.as_ref().map(|call| call.start_time.day())
    }

    fn leave_out(&mut self, declined: &DeclinedDays) -> usize {
        let calls = self.logs.iter_mut().map(|log| &mut log.call);
        let left = calls.filter_map(|call| call.take_if(|call| declined.contains(call.start_time.day())));
        left.count()
    }

    fn append(&mut self, mut other: Self) {
        self.resources.append(&mut other.resources);
        self.scopes.append(&mut other.scopes);
        self.logs.append(&mut other.logs);
    }

    fn is_empty(&self) -> bool {
        self.resources.is_empty() && self.scopes.is_empty() && self.logs.is_empty()
    }

    async fn ensure_dictionaries(
        batches: &[&Self],
        connection: &WriterConnection,
        dictionary: &Dictionary,
    ) -> Result<(), Error> {
        dictionary.ensure(connection, &all(batches, |batch| &batch.resources)).await?;
        dictionary.ensure(connection, &all(batches, |batch| &batch.scopes)).await
    }

    /// Log records have no unique key in OTLP, so every record counts as new.
    async fn write(
        slices: &[&[LogRow]],
        connection: &WriterConnection,
        way: Way,
    ) -> Result<Vec<RecordCounts>, Error> {
        let mut logs: Vec<&LogRow> = slices.iter().copied().flatten().collect();
        logs.sort_by_key(|log| (log.project_id, log.time));
        match way {
            Way::Copy | Way::Staged => _ = copy_rows(connection, &logs).await?,
            Way::Insert => insert::insert_new(connection, &logs).await?,
        }
        calls::write(connection, &logs, way).await?;
        notes(&logs).write(connection).await?;
        Ok(RecordCounts::all_stored(slices))
    }
}

/// The traces whose LLM spans these records tell something of.
fn notes(logs: &[&LogRow]) -> Notes {
    let mut notes = Notes::default();
    for log in logs.iter().filter(|log| log.is_llm_event && log.span_id.is_some()) {
        if let Some(trace) = log.trace_id {
            notes.add(trace, log.project_id, log.time.day(), true);
        }
    }
    notes
}

impl LogWriter {
    /// Gathers one record. It refers to its resource and scope by id; the caller writes their rows with
    /// [`BufferedWriter::write`].
    ///
    /// # Errors
    /// Those of [`BufferedWriter::write`].
    pub async fn write_log(&self, log: LogRow) -> Result<(), Error> {
        self.write(LogBatch { logs: vec![log], ..LogBatch::default() }).await
    }
}
