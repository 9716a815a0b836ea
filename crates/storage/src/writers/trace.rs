//! Writes spans, with their events, resources, scopes and trace summaries.

mod batch;
pub(crate) mod calls;
mod entry;
mod events;
mod from_llm;
mod llm;
mod stage;
mod summary;
mod version;

use llm_observatory_core::llm::LlmSpan;
use llm_observatory_core::signal::Signal;
use llm_observatory_core::time::Day;

use super::batch::{Batch, RecordCounts, Way, all};
use super::buffered::BufferedWriter;
use super::copy::copy_rows;
use super::dictionary::Dictionary;
use super::insert;
use super::settling::{Notes, notes_wait};
use crate::error::Error;
use crate::models::trace::{EventRow, Span, SpanRow};
use crate::postgres::writer::WriterConnection;
use crate::statement::Statement;

use entry::{Entry, rows};
use events::{copy_events, events};
use llm::Readings;

pub use batch::TraceBatch;

/// Gathers and writes spans; see [`BufferedWriter`].
pub type TraceWriter = BufferedWriter<TraceBatch>;

/// The statements of this module, in the order in which they can be prepared.
pub(super) const STATEMENTS: &[&[&Statement]] =
    &[stage::STATEMENTS, version::STATEMENTS, summary::STATEMENTS, calls::STATEMENTS];

impl Batch for TraceBatch {
    type Record = Span;
    const SIGNAL: Signal = Signal::Traces;

    fn records(&self) -> &[Span] {
        &self.spans
    }

    fn records_mut(&mut self) -> &mut Vec<Span> {
        &mut self.spans
    }

    fn day(span: &Span) -> Day {
        span.row.start_time.day()
    }

    fn append(&mut self, mut other: Self) {
        self.resources.append(&mut other.resources);
        self.scopes.append(&mut other.scopes);
        self.spans.append(&mut other.spans);
        self.summaries.append(&mut other.summaries);
    }

    fn is_empty(&self) -> bool {
        let Self { resources, scopes, spans, summaries } = self;
        resources.is_empty() && scopes.is_empty() && spans.is_empty() && summaries.is_empty()
    }

    async fn ensure_dictionaries(
        batches: &[&Self],
        connection: &WriterConnection,
        dictionary: &Dictionary,
    ) -> Result<(), Error> {
        dictionary.ensure(connection, &all(batches, |batch| &batch.resources)).await?;
        dictionary.ensure(connection, &all(batches, |batch| &batch.scopes)).await
    }

    /// Of spans with the same key the most complete one remains, in any order of writes: one with an end before one
    /// without, then the one with the later end.
    async fn write(
        slices: &[&[Span]],
        connection: &WriterConnection,
        way: Way,
    ) -> Result<Vec<RecordCounts>, Error> {
        let entries = Entry::all(slices);
        let repeats = entries.windows(2).any(|pair| pair[0].key() == pair[1].key());
        match way {
            Way::Copy if !repeats => copy(connection, &entries).await?,
            Way::Insert if !repeats => insert_new(connection, &entries).await?,
            Way::Copy | Way::Insert | Way::Staged => return stage::write(connection, slices, &entries).await,
        }
        Ok(RecordCounts::all_stored(slices))
    }

    async fn write_rest(&self, connection: &WriterConnection) -> Result<(), Error> {
        summary::merge(connection, self.summaries.clone()).await.map(drop)
    }
}

async fn copy(connection: &WriterConnection, entries: &[Entry<'_>]) -> Result<(), Error> {
    copy_rows(connection, &rows(entries)).await?;
    copy_events(connection, entries).await?;
    let readings = Readings::of(connection, entries).await?;
    readings.copy(connection).await?;
    let totals = summary::add(connection, entries, &[], &readings.lacking()).await?;
    readings.settle(connection, &totals, Notes::default(), notes_wait(connection).await?).await
}

async fn insert_new(connection: &WriterConnection, entries: &[Entry<'_>]) -> Result<(), Error> {
    insert::insert_new(connection, &rows(entries)).await?;
    insert::insert_new(connection, &events(entries)).await?;
    let readings = Readings::of(connection, entries).await?;
    readings.insert_new(connection).await?;
    let totals = summary::add(connection, entries, &[], &readings.lacking()).await?;
    readings.settle(connection, &totals, Notes::default(), notes_wait(connection).await?).await
}

impl TraceWriter {
    /// Gathers one span. It refers to its resource and scope by id; the caller writes their rows with
    /// [`BufferedWriter::write`].
    ///
    /// # Errors
    /// Those of [`BufferedWriter::write`].
    pub async fn write_span(&self, span: impl Into<Span>) -> Result<(), Error> {
        self.write(TraceBatch { spans: vec![span.into()], ..TraceBatch::default() }).await
    }

    /// Gathers the spans of a trace, or a [`TraceRow`](crate::models::TraceRow) to merge into its summary.
    ///
    /// # Errors
    /// Those of [`BufferedWriter::write`].
    pub async fn write_trace(&self, trace: impl Into<TraceBatch>) -> Result<(), Error> {
        self.write(trace.into()).await
    }

    /// Writes events of stored spans at once, and ignores events that are stored already.
    ///
    /// # Errors
    /// Those of [`StoragePool::connect_writer`](crate::StoragePool::connect_writer), and [`Error::Postgres`] when
    /// PostgreSQL does not take an event.
    pub async fn write_events(&self, events: &[EventRow]) -> Result<(), Error> {
        let connection = self.pool.connect_writer().await?;
        insert::insert(&connection, &events.iter().collect::<Vec<_>>()).await.map(drop)
    }

    /// Gathers one LLM span as a span with OpenTelemetry's `gen_ai.*` attributes, from which its reading and content can
    /// be had again. Returns the row that the next flush stores.
    ///
    /// # Errors
    /// Those of [`BufferedWriter::write`].
    pub async fn write_span_from_llm(&self, span: LlmSpan) -> Result<SpanRow, Error> {
        let batch = from_llm::batch(&span);
        let row = batch.spans[0].row.clone(); // the batch of one span
        self.write(batch).await?;
        Ok(row)
    }
}
