//! A batch of spans.

use crate::models::resource::{ResourceRow, ScopeRow};
use crate::models::trace::{Span, TraceRow};

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
