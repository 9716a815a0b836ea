//! What is read out of an LLM span.

use std::fmt;

use super::kinds::{Dialect, LlmKind};
use crate::attributes::Attribute;
use crate::text::Text;

/// What `genai` reads out of a span and its events: what people filter by, count and pay. An absent value is `None` or an
/// empty list, never zero or an empty text.
#[derive(Debug, Clone, PartialEq)]
pub struct LlmReading {
    /// What kind of step it is.
    pub kind: LlmKind,
    /// The dialect that the span speaks.
    pub dialect: Dialect,
    /// Whether the step is a call of a model of its own, as far as the span alone tells: an outer span that repeats the
    /// usage of its children, an aggregate, or an answer out of a cache of the application is none.
    pub is_call: bool,
    /// The operation, by OpenTelemetry's names: `chat`, `embeddings`, `execute_tool` ...
    pub operation: Option<Text>,
    /// The provider of the model, by OpenTelemetry's names: `openai`, `anthropic`, `aws.bedrock` ...
    pub provider: Option<Text>,
    /// The framework that made the call, where the instrumentation names one: `langchain`, `strands-agents` ...
    pub framework: Option<Text>,
    /// The model that the request names.
    pub request_model: Option<Text>,
    /// The model that the response names.
    pub response_model: Option<Text>,
    /// The provider's id of the response.
    pub response_id: Option<Text>,
    /// The tier of service that answered: `default`, `batch`, `flex`, `priority`.
    pub service_tier: Option<Text>,
    /// Token counts of the call.
    pub usage: TokenUsage,
    /// What the application says that the call cost.
    pub reported_cost: Option<Nanodollars>,
    /// Why the model stopped: `stop`, `length`, `tool_call`, `content_filter`, `error`, or the provider's own word.
    pub finish_reasons: Vec<Text>,
    /// Parameters of the request.
    pub parameters: Parameters,
    /// Whether the answer was streamed.
    pub streaming: Option<bool>,
    /// Nanoseconds from the start of the span to the first part of the answer.
    pub time_to_first_token: Option<i64>,
    /// The session, or else the conversation.
    pub session_id: Option<Text>,
    /// The conversation, where it is named apart from the session.
    pub conversation_id: Option<Text>,
    /// The end user on whose behalf the application makes the call.
    pub user_id: Option<Text>,
    /// Name of the tool.
    pub tool_name: Option<Text>,
    /// The model's id of the tool call.
    pub tool_call_id: Option<Text>,
    /// Name of the agent.
    pub agent_name: Option<Text>,
    /// Id of the agent.
    pub agent_id: Option<Text>,
    /// Name of the managed prompt.
    pub prompt_name: Option<Text>,
    /// Version of the managed prompt.
    pub prompt_version: Option<Text>,
    /// What class of error ended the call.
    pub error_type: Option<Text>,
    /// Tags, sorted, without duplicates.
    pub tags: Vec<Text>,
    /// What the application noted beside the call, sorted by key, without duplicates.
    pub metadata: Vec<Attribute<'static>>,
}

impl LlmReading {
    /// A reading that says nothing but what kind of step it is.
    pub fn new(kind: LlmKind, dialect: Dialect) -> Self {
        Self {
            kind,
            dialect,
            is_call: kind.calls_a_model(),
            operation: None,
            provider: None,
            framework: None,
            request_model: None,
            response_model: None,
            response_id: None,
            service_tier: None,
            usage: TokenUsage::default(),
            reported_cost: None,
            finish_reasons: Vec::new(),
            parameters: Parameters::default(),
            streaming: None,
            time_to_first_token: None,
            session_id: None,
            conversation_id: None,
            user_id: None,
            tool_name: None,
            tool_call_id: None,
            agent_name: None,
            agent_id: None,
            prompt_name: None,
            prompt_version: None,
            error_type: None,
            tags: Vec::new(),
            metadata: Vec::new(),
        }
    }

    /// The model to show, to list by and to look for: what the request names, or else what the response names.
    pub fn model(&self) -> Option<&Text> {
        self.request_model.as_ref().or(self.response_model.as_ref())
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
    /// The part of `cache_creation` that the provider keeps for an hour; the rest is kept for five minutes.
    pub cache_creation_1h: Option<i64>,
    /// The part of `output` that is reasoning.
    pub reasoning: Option<i64>,
    /// The part of `input` that is audio.
    pub input_audio: Option<i64>,
    /// The part of `output` that is audio.
    pub output_audio: Option<i64>,
    /// The part of `input` that is images.
    pub input_image: Option<i64>,
    /// The part of `output` that is images.
    pub output_image: Option<i64>,
}

impl TokenUsage {
    /// Whether the call told how many tokens it used.
    pub fn is_told(&self) -> bool {
        self.input.is_some() || self.output.is_some()
    }
}

/// An amount of money in billionths of a US dollar.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nanodollars(pub i64);

impl fmt::Display for Nanodollars {
    /// Dollars with as many digits as are needed, at least two: `0.000123`, `1.50`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0.unsigned_abs() / 1_000_000_000, self.0.unsigned_abs() % 1_000_000_000);
        let part = format!("{part:09}");
        let digits = part.trim_end_matches('0').len().max(2);
        f.pad(&format!("{}{whole}.{}", if self.0 < 0 { "-" } else { "" }, &part[..digits]))
    }
}

/// Parameters of a request to a model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parameters {
    /// Sampling temperature.
    pub temperature: Option<f64>,
    /// Nucleus sampling.
    pub top_p: Option<f64>,
    /// Sampling from the k likeliest tokens.
    pub top_k: Option<f64>,
    /// Most tokens of the answer.
    pub max_tokens: Option<i64>,
    /// Seed of the sampling.
    pub seed: Option<i64>,
    /// Texts that end the answer.
    pub stop: Vec<Text>,
    /// Penalty of frequent tokens.
    pub frequency_penalty: Option<f64>,
    /// Penalty of tokens that are there already.
    pub presence_penalty: Option<f64>,
    /// Number of answers asked for.
    pub choice_count: Option<i64>,
    /// How much the model shall reason: `low`, `medium`, `high` ...
    pub reasoning_effort: Option<Text>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_show_their_digits() {
        let shown = |nanos| Nanodollars(nanos).to_string();
        assert_eq!(shown(0), "0.00");
        assert_eq!(shown(1_500_000_000), "1.50");
        assert_eq!(shown(123_456), "0.000123456");
        assert_eq!(shown(-7), "-0.000000007");
    }
}
