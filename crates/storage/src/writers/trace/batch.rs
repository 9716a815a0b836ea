//! The batch of spans.

use crate::models::resource::{ResourceRow, ScopeRow};
use crate::models::trace::{Span, TraceRow};

/// Spans with their dictionary rows.
#[derive(Debug, Clone, Default)]
pub struct TraceBatch {
    /// Resources of the spans.
    pub resources: Vec<ResourceRow>,
    /// Instrumentation scopes of the spans.
    pub scopes: Vec<ScopeRow>,
    /// The spans. Writing them also adds them to the summaries of their traces.
    pub spans: Vec<Span>,
    /// Further summaries of traces, merged into the stored ones.
    pub summaries: Vec<TraceRow>,
}

impl From<TraceRow> for TraceBatch {
    /// A batch with one summary. Its counts are added to those of the spans.
    fn from(summary: TraceRow) -> Self {
        Self { summaries: vec![summary], ..Self::default() }
    }
}

impl From<Vec<Span>> for TraceBatch {
    /// A batch of spans whose resources and scopes are written elsewhere.
    fn from(spans: Vec<Span>) -> Self {
        Self { spans, ..Self::default() }
    }
}
