//! Finds an LLM span by its ids: a span, or a call that a log record tells.

use llm_observatory_core::ids::{SpanId, TraceId};
use llm_observatory_core::text::Text;
use llm_observatory_storage::models::LlmRow;
use llm_observatory_storage::models::trace::Span;

use super::span::LlmSpan;
use crate::error::Error;
use crate::sources::Sources;

/// An LLM span.
#[derive(Debug)]
pub(super) enum Found {
    /// A span and its reading.
    Span(Box<Span>, LlmRow),
    /// A call that a log record tells.
    Log(LlmRow),
}

impl Found {
    /// The span without what was said in it.
    pub(super) fn into_span(self) -> LlmSpan {
        match self {
            Self::Span(span, row) => LlmSpan { row, status_message: span.row.status_message },
            Self::Log(row) => LlmSpan { row, status_message: Text::EMPTY },
        }
    }
}

/// The LLM span with these ids.
///
/// # Errors
/// [`Error::NoSpan`], [`Error::NoLlmSpan`], and those of the database.
pub(super) async fn found(sources: &Sources, trace_id: TraceId, span_id: SpanId) -> Result<Found, Error> {
    let Some(span) = sources.traces.span(trace_id, span_id).await? else {
        let row = sources.llm.of_log(trace_id, span_id).await?;
        return row.map(Found::Log).ok_or(Error::NoSpan(trace_id, span_id));
    };
    let row = sources.llm.get(trace_id, span.row.start_time, span_id).await?;
    Ok(Found::Span(Box::new(span), row.ok_or(Error::NoLlmSpan(trace_id, span_id))?))
}
