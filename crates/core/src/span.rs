//! One LLM operation, as an application or a dialect tells it.

use crate::attributes::Attribute;
use crate::ids::{ProjectId, SpanId, TraceId};
use crate::text::Text;
use crate::time::UnixNanos;
use crate::trace::StatusCode;

/// One call to a language model (or an embedding model, a tool, an agent): the meaning of a span, free of dialect.
#[derive(Debug, Clone, PartialEq)]
pub struct LlmSpan {
    /// The project that it belongs to.
    pub project_id: ProjectId,
    /// The trace that it belongs to.
    pub trace_id: TraceId,
    /// Its own id.
    pub span_id: SpanId,
    /// The span that called it, if any.
    pub parent_span_id: Option<SpanId>,
    /// The name of the span, by convention `{operation} {model}`.
    pub name: Text,
    /// The service that made the call (`service.name`).
    pub service_name: Text,
    /// When the call began.
    pub start_time: UnixNanos,
    /// When it ended; unknown while it runs.
    pub end_time: UnixNanos,
    /// Whether it succeeded.
    pub status_code: StatusCode,
    /// What went wrong, if anything.
    pub status_message: Text,
    /// What the call says.
    pub reading: LlmReading,
    /// Every other attribute.
    pub attributes: Vec<Attribute<'static>>,
}

/// What an LLM span says: the columns that are read out of it. Absent is absent, never zero.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LlmReading {
    /// The operation, by OpenTelemetry's names: `chat`, `embeddings`, `execute_tool` ...
    pub operation: Option<Text>,
    /// Who serves the model, by OpenTelemetry's names: `openai`, `anthropic`, `aws.bedrock` ...
    pub provider: Option<Text>,
    /// The model that was asked for.
    pub request_model: Option<Text>,
    /// The model that answered.
    pub response_model: Option<Text>,
    /// The conversation or session that the call belongs to.
    pub session_id: Option<Text>,
    /// The end user on whose behalf the call was made.
    pub user_id: Option<Text>,
    /// Tokens in and out.
    pub usage: TokenUsage,
}

impl LlmReading {
    /// Bytes of its texts.
    pub fn text_bytes(&self) -> usize {
        let names = [&self.operation, &self.provider, &self.request_model, &self.response_model];
        let texts = names.into_iter().chain([&self.session_id, &self.user_id]);
        texts.flatten().map(|text| text.len()).sum()
    }
}

/// Token counts. Input includes cached tokens, output includes reasoning; the parts stand beside them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TokenUsage {
    /// All tokens that went in, cached ones included.
    pub input: Option<i64>,
    /// All tokens that came out, reasoning included.
    pub output: Option<i64>,
    /// The part of `input` that was read from a cache.
    pub cache_read: Option<i64>,
    /// The part of `input` that was written to a cache.
    pub cache_creation: Option<i64>,
    /// The part of `output` that was reasoning.
    pub reasoning: Option<i64>,
}
