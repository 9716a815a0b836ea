//! Spans, with their events, resources, scopes and trace summaries.

mod llm;
mod stage;
mod summary;
mod version;

use llm_observatory_core::signal::Signal;
use llm_observatory_core::span::LlmSpan;
use llm_observatory_core::time::Day;

use super::batch::{Batch, RecordCounts, Way, all, numbered};
use super::buffered::BufferedWriter;
use super::copy::copy_rows;
use super::dictionary::Dictionary;
use super::insert;
use crate::error::Error;
use crate::models::trace::{Span, SpanRow};
use crate::models::{EventRow, ResourceRow, ScopeRow, TraceRow};
use crate::postgres::writer::WriterConnection;
use crate::statement::Statement;

/// Gathers spans and writes them; see [`BufferedWriter`].
pub type TraceWriter = BufferedWriter<TraceBatch>;

/// The statements of this module, in the order in which they can be prepared.
pub(super) const STATEMENTS: &[&[&Statement]] =
    &[stage::STATEMENTS, version::STATEMENTS, summary::STATEMENTS];

/// Spans with all that they point at.
#[derive(Debug, Clone, Default)]
pub struct TraceBatch {
    /// Where the spans come from.
    pub resources: Vec<ResourceRow>,
    /// The libraries that made them.
    pub scopes: Vec<ScopeRow>,
    /// The spans.
    pub spans: Vec<Span>,
    /// What is known of traces besides these spans. Every span adds itself to the summary of its trace, so spans need
    /// nothing here.
    pub summaries: Vec<TraceRow>,
}

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

    /// Of spans with the same key the most complete one is kept, whichever comes last: one that ended over one that did
    /// not, then the one that ended later.
    async fn write(
        slices: &[&[Span]],
        connection: &WriterConnection,
        way: Way,
    ) -> Result<Vec<RecordCounts>, Error> {
        let mut spans = numbered(slices);
        spans.sort_by_key(|(_, span)| span.row.key());
        let repeats = spans.windows(2).any(|pair| pair[0].1.row.key() == pair[1].1.row.key());
        let rows: Vec<_> = spans.iter().map(|(_, span)| *span).collect();
        match way {
            Way::Copy if !repeats => copy(connection, &rows).await?,
            Way::Insert if !repeats => insert_new(connection, &rows).await?,
            Way::Copy | Way::Insert | Way::Staged => return stage::write(connection, slices, &spans).await,
        }
        Ok(RecordCounts::all_stored(slices))
    }

    async fn write_rest(&self, connection: &WriterConnection) -> Result<(), Error> {
        summary::merge(connection, self.summaries.clone()).await
    }
}

async fn copy(connection: &WriterConnection, spans: &[&Span]) -> Result<(), Error> {
    copy_rows(connection, &rows(spans)).await?;
    copy_events(connection, spans).await?;
    summary::add(connection, spans, &[]).await
}

async fn copy_events(connection: &WriterConnection, spans: &[&Span]) -> Result<(), Error> {
    let events = events(spans);
    if !events.is_empty() {
        copy_rows(connection, &events).await?;
    }
    Ok(())
}

async fn insert_new(connection: &WriterConnection, spans: &[&Span]) -> Result<(), Error> {
    insert::insert_new(connection, &rows(spans)).await?;
    insert::insert_new(connection, &events(spans)).await?;
    summary::add(connection, spans, &[]).await
}

fn rows<'s>(spans: &[&'s Span]) -> Vec<&'s SpanRow> {
    spans.iter().map(|span| &span.row).collect()
}

fn events<'s>(spans: &[&'s Span]) -> Vec<&'s EventRow> {
    spans.iter().flat_map(|span| &span.events).collect()
}

impl From<TraceRow> for TraceBatch {
    /// What is known of a trace besides its spans. Its counts are added to those of the spans.
    fn from(summary: TraceRow) -> Self {
        Self { summaries: vec![summary], ..Self::default() }
    }
}

impl From<Vec<Span>> for TraceBatch {
    /// The spans of a trace, whose resources and scopes are written too, or were before.
    fn from(spans: Vec<Span>) -> Self {
        Self { spans, ..Self::default() }
    }
}

impl TraceWriter {
    /// Gathers one span that knows its resource and scope only by id; both should be written too.
    ///
    /// # Errors
    /// As [`BufferedWriter::write`].
    pub async fn write_span(&self, span: impl Into<Span>) -> Result<(), Error> {
        self.write(TraceBatch { spans: vec![span.into()], ..TraceBatch::default() }).await
    }

    /// Gathers a trace: all of its spans, or a [`TraceRow`] with what is known of it besides them.
    ///
    /// # Errors
    /// As [`BufferedWriter::write`].
    pub async fn write_trace(&self, trace: impl Into<TraceBatch>) -> Result<(), Error> {
        self.write(trace.into()).await
    }

    /// Writes events of spans that were written before, at once.
    ///
    /// # Errors
    /// [`Error::Unavailable`], and [`Error::Postgres`] for an event that PostgreSQL does not take.
    pub async fn write_events(&self, events: &[EventRow]) -> Result<(), Error> {
        let connection = self.pool.connect_writer().await?;
        insert::insert(&connection, &events.iter().collect::<Vec<_>>()).await
    }

    /// Gathers one LLM call that was not told in OTLP: it becomes a span with OpenTelemetry's `gen_ai.*` attributes. Returns
    /// the span as it is stored by the next flush.
    ///
    /// # Errors
    /// As [`BufferedWriter::write`].
    pub async fn write_span_from_llm(&self, span: LlmSpan) -> Result<SpanRow, Error> {
        let batch = llm::batch(span);
        let row = batch.spans[0].row.clone(); // the batch of one span
        self.write(batch).await?;
        Ok(row)
    }
}
