//! LLM spans: one step of an LLM application, free of the dialect that its instrumentation speaks.
//!
//! An [`LlmSpan`] is a span, its [`LlmReading`] (what people filter, count and pay) and its [`LlmContent`] (what was said).

mod content;
mod kinds;
mod reading;

use crate::attributes::Attribute;
use crate::ids::{ProjectId, SpanId, TraceId};
use crate::text::Text;
use crate::time::UnixNanos;
use crate::trace::StatusCode;

pub use content::{LlmContent, MediaSource, Message, Part, ToolDefinition};
pub use kinds::{Dialect, LlmKind};
pub use reading::{LlmReading, Nanodollars, Parameters, TokenUsage};

/// One step of an LLM application: a call to a model, a tool, an agent ...
#[derive(Debug, Clone, PartialEq)]
pub struct LlmSpan {
    /// Project of the span.
    pub project_id: ProjectId,
    /// Trace of the span.
    pub trace_id: TraceId,
    /// Id of the span.
    pub span_id: SpanId,
    /// The calling span; `None` for a root span.
    pub parent_span_id: Option<SpanId>,
    /// Name of the span, by convention `{operation} {model}`.
    pub name: Text,
    /// `service.name` of the service that made the call.
    pub service_name: Text,
    /// Start of the call.
    pub start_time: UnixNanos,
    /// End of the call; unknown while it runs.
    pub end_time: UnixNanos,
    /// Whether the call succeeded.
    pub status_code: StatusCode,
    /// Reason of a failure, or empty.
    pub status_message: Text,
    /// What kind of step, which model, how many tokens.
    pub reading: LlmReading,
    /// What was asked and answered.
    pub content: LlmContent,
    /// All other attributes.
    pub attributes: Vec<Attribute<'static>>,
}
