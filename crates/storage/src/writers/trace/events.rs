//! The events of spans.

use super::entry::Entry;
use crate::error::Error;
use crate::models::trace::EventRow;
use crate::postgres::writer::WriterConnection;
use crate::writers::copy::copy_rows;

/// The events of these spans.
pub(super) fn events<'s>(entries: &[Entry<'s>]) -> Vec<&'s EventRow> {
    entries.iter().filter(|entry| entry.has_events).flat_map(|entry| &entry.span.events).collect()
}

pub(super) async fn copy_events(connection: &WriterConnection, entries: &[Entry<'_>]) -> Result<(), Error> {
    let events = events(entries);
    if !events.is_empty() {
        copy_rows(connection, &events).await?;
    }
    Ok(())
}
