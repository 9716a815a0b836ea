//! The rows of spans, table by table.

use crate::error::Error;
use crate::models::trace::{EventRow, Span, SpanRow};
use crate::postgres::writer::WriterConnection;
use crate::writers::copy::copy_rows;

pub(super) async fn copy_events(connection: &WriterConnection, spans: &[&Span]) -> Result<(), Error> {
    let events = events(spans);
    if !events.is_empty() {
        copy_rows(connection, &events).await?;
    }
    Ok(())
}

pub(super) fn rows<'s>(spans: &[&'s Span]) -> Vec<&'s SpanRow> {
    spans.iter().map(|span| &span.row).collect()
}

pub(super) fn events<'s>(spans: &[&'s Span]) -> Vec<&'s EventRow> {
    spans.iter().flat_map(|span| &span.events).collect()
}
