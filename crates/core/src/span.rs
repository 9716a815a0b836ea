//! One LLM operation, free of the dialect that its instrumentation uses.

use crate::attributes::Attribute;
use crate::ids::{ProjectId, SpanId, TraceId};
use crate::text::Text;
use crate::time::UnixNanos;
use crate::trace::StatusCode;

/// One call to a language model, an embedding model, a tool or an agent.
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
    /// Operation, provider, models and token counts.
    pub reading: LlmReading,
    /// All other attributes.
    pub attributes: Vec<Attribute<'static>>,
}

/// What `genai` reads out of an observation. An absent value is `None`, never zero or an empty text.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LlmReading {
    /// The operation, by OpenTelemetry's names: `chat`, `embeddings`, `execute_tool` ...
    pub operation: Option<Text>,
    /// The provider of the model, by OpenTelemetry's names: `openai`, `anthropic`, `aws.bedrock` ...
    pub provider: Option<Text>,
    /// The model that the request names.
    pub request_model: Option<Text>,
    /// The model that the response names.
    pub response_model: Option<Text>,
    /// The conversation or session of the call.
    pub session_id: Option<Text>,
    /// The end user on whose behalf the application makes the call.
    pub user_id: Option<Text>,
    /// Token counts of the call.
    pub usage: TokenUsage,
}

impl LlmReading {
    /// Length of all its texts together, in bytes.
    pub fn text_bytes(&self) -> usize {
        let names = [&self.operation, &self.provider, &self.request_model, &self.response_model];
        let texts = names.into_iter().chain([&self.session_id, &self.user_id]);
        texts.flatten().map(|text| text.len()).sum()
    }
}

/// Token counts of one call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TokenUsage {
    /// All input tokens, cached ones included.
    pub input: Option<i64>,
    /// All output tokens, reasoning included.
    pub output: Option<i64>,
    /// The part of `input` that the provider read from its cache.
    pub cache_read: Option<i64>,
    /// The part of `input` that the provider wrote to its cache.
    pub cache_creation: Option<i64>,
    /// The part of `output` that is reasoning.
    pub reasoning: Option<i64>,
}
