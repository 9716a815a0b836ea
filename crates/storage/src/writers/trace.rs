//! Spans, with their events, resources, scopes and trace summaries.

mod stage;
mod summary;
mod writer;

use super::connection::WriterConnection;
use super::copy::CopyWriter;
use super::dictionary::Dictionary;
use super::{Rows, Way, Written, all, all_stored, insert, numbered};
use crate::error::Error;
use crate::models::trace::{Span, SpanRow};
use crate::models::{EventRow, ResourceRow, ScopeRow};

pub use summary::STATEMENTS;
pub use writer::TraceWriter;

/// Spans with all that they point at.
#[derive(Debug, Clone, Default)]
pub struct TraceBatch {
    /// Where the spans come from.
    pub resources: Vec<ResourceRow>,
    /// The libraries that made them.
    pub scopes: Vec<ScopeRow>,
    /// The spans.
    pub spans: Vec<Span>,
}

impl TraceBatch {
    /// Adds what `other` holds.
    pub fn append(&mut self, mut other: Self) {
        self.resources.append(&mut other.resources);
        self.scopes.append(&mut other.scopes);
        self.spans.append(&mut other.spans);
    }
}

impl Rows for TraceBatch {
    type Record = Span;
    const SIGNAL: i16 = 1;

    fn records(&self) -> &[Span] {
        &self.spans
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
    ) -> Result<Vec<Written>, Error> {
        let mut spans = numbered(slices);
        spans.sort_by_key(|(_, span)| span.row.key());
        let repeats = spans.windows(2).any(|pair| pair[0].1.row.key() == pair[1].1.row.key());
        let rows: Vec<_> = spans.iter().map(|(_, span)| *span).collect();
        match way {
            Way::Copy if !repeats => copy(connection, &rows).await?,
            Way::Insert if !repeats => insert_new(connection, &rows).await?,
            Way::Copy | Way::Insert | Way::Staged => return stage::write(connection, slices, &spans).await,
        }
        Ok(all_stored(slices))
    }
}

async fn copy(connection: &WriterConnection, spans: &[&Span]) -> Result<(), Error> {
    CopyWriter::new().write_rows(connection, &rows(spans)).await?;
    copy_events(connection, spans).await?;
    summary::merge(connection, spans, &[]).await
}

async fn copy_events(connection: &WriterConnection, spans: &[&Span]) -> Result<(), Error> {
    let events = events(spans);
    if !events.is_empty() {
        CopyWriter::new().write_rows(connection, &events).await?;
    }
    Ok(())
}

async fn insert_new(connection: &WriterConnection, spans: &[&Span]) -> Result<(), Error> {
    insert::insert_new(connection, &rows(spans)).await?;
    insert::insert_new(connection, &events(spans)).await?;
    summary::merge(connection, spans, &[]).await
}

fn rows<'s>(spans: &[&'s Span]) -> Vec<&'s SpanRow> {
    spans.iter().map(|span| &span.row).collect()
}

fn events<'s>(spans: &[&'s Span]) -> Vec<&'s EventRow> {
    spans.iter().flat_map(|span| &span.events).collect()
}
