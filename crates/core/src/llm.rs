//! LLM spans: one step of an LLM application, free of the dialect that its instrumentation speaks.
//!
//! An [`LlmSpan`] is a span, its [`LlmReading`] (what people filter, count and pay) and its [`LlmContent`] (what was said).

use std::fmt;

use crate::attributes::Attribute;
use crate::ids::{ProjectId, SpanId, TraceId};
use crate::text::Text;
use crate::time::UnixNanos;
use crate::trace::StatusCode;

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

/// Declares an enum whose variants have names, which is how PostgreSQL and the API know them.
macro_rules! named {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$doc])* $variant,)+
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name, as tables and the API show it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            /// The one with this name.
            pub fn of(name: &str) -> Option<Self> {
                match name {
                    $($text => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        }
    };
}

named! {
    /// What kind of step an LLM span is.
    LlmKind {
        /// A call to a language model.
        Llm = "llm",
        /// A call to an embedding model.
        Embedding = "embedding",
        /// A run of an agent.
        Agent = "agent",
        /// A workflow, chain, task, or a framework's wrapper of model calls.
        Workflow = "workflow",
        /// A run of a tool.
        Tool = "tool",
        /// A search for documents.
        Retriever = "retriever",
        /// A call to a model that ranks documents.
        Reranker = "reranker",
        /// A check of what goes in or comes out.
        Guardrail = "guardrail",
        /// A judgement of an answer.
        Evaluator = "evaluator",
        /// The rendering of a prompt.
        Prompt = "prompt",
        /// Anything else that an LLM dialect describes.
        Other = "other",
    }
}

impl LlmKind {
    /// Whether such a step is one call of a model, which costs tokens.
    pub const fn calls_a_model(self) -> bool {
        matches!(self, Self::Llm | Self::Embedding | Self::Reranker)
    }
}

named! {
    /// The dialect that an LLM span speaks: whose names and rules its instrumentation follows.
    Dialect {
        /// Langfuse SDKs.
        Langfuse = "langfuse",
        /// Pydantic AI and Logfire.
        PydanticAi = "pydantic_ai",
        /// Vercel AI SDK: keys `ai.*`.
        VercelAi = "vercel_ai",
        /// Vercel AI SDK 7: `gen_ai.*` by `@ai-sdk/otel`.
        VercelAiOtel = "vercel_ai_otel",
        /// Google's Agent Development Kit.
        GoogleAdk = "google_adk",
        /// Strands Agents and Bedrock AgentCore.
        Strands = "strands",
        /// Microsoft Agent Framework.
        AgentFramework = "agent_framework",
        /// Microsoft Semantic Kernel.
        SemanticKernel = "semantic_kernel",
        /// Spring AI.
        SpringAi = "spring_ai",
        /// LiteLLM, as a library and as a proxy.
        LiteLlm = "litellm",
        /// LangSmith.
        LangSmith = "langsmith",
        /// MLflow.
        Mlflow = "mlflow",
        /// OpenLIT.
        OpenLit = "openlit",
        /// Claude Code.
        ClaudeCode = "claude_code",
        /// Gemini CLI.
        GeminiCli = "gemini_cli",
        /// OpenAI Codex.
        Codex = "codex",
        /// OpenInference (Arize, Phoenix).
        OpenInference = "openinference",
        /// OpenLLMetry (Traceloop).
        OpenLlmetry = "openllmetry",
        /// Anthropic's SDKs, which trace themselves by OpenTelemetry's GenAI semantic conventions.
        AnthropicSdk = "anthropic_sdk",
        /// OpenTelemetry's GenAI semantic conventions.
        OtelGenai = "otel_genai",
        /// OpenTelemetry's conventions for the Model Context Protocol.
        Mcp = "mcp",
    }
}

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

/// What was asked and answered.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LlmContent {
    /// Instructions that stand beside the messages.
    pub system_instructions: Vec<Part>,
    /// The messages that went in, in their order; system messages among them where the dialect puts them there.
    pub input: Vec<Message>,
    /// The messages that came out: one for each choice.
    pub output: Vec<Message>,
    /// The tools that the model could call.
    pub tools: Vec<ToolDefinition>,
    /// For a tool: its arguments, as JSON.
    pub tool_arguments: Option<String>,
    /// For a tool: its result, as JSON.
    pub tool_result: Option<String>,
    /// For a retriever or reranker: the documents found, as JSON.
    pub documents: Vec<String>,
}

/// One message of a conversation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Message {
    /// Who speaks: `system`, `user`, `assistant`, `tool`, or the dialect's own word. Empty if not told.
    pub role: String,
    /// Name of the speaker.
    pub name: Option<String>,
    /// What it says.
    pub parts: Vec<Part>,
    /// For an answer: why the model stopped.
    pub finish_reason: Option<String>,
}

/// A part of a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Text.
    Text(String),
    /// What the model thought before it answered.
    Reasoning(String),
    /// The model asks for a tool.
    ToolCall {
        /// The model's id of the call.
        id: Option<String>,
        /// Name of the tool.
        name: String,
        /// Arguments as JSON; the text itself where it is no JSON.
        arguments: String,
    },
    /// What a tool returned.
    ToolResult {
        /// The id of the call.
        id: Option<String>,
        /// The result as JSON; a text as a JSON string.
        result: String,
    },
    /// An image, audio, a video or a file.
    Media {
        /// `image`, `audio`, `video`, `file` ...
        modality: String,
        /// MIME type.
        mime_type: Option<String>,
        /// Where it is, or what it is.
        source: MediaSource,
    },
    /// Anything else, as JSON.
    Other(String),
}

/// Where the bytes of a medium are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaSource {
    /// In the message, in base64.
    Inline(String),
    /// At a URI.
    Uri(String),
    /// In a file that the provider knows by this id.
    File(String),
}

/// A tool that a model can call.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ToolDefinition {
    /// Name of the tool.
    pub name: String,
    /// What it does.
    pub description: Option<String>,
    /// JSON schema of its arguments.
    pub parameters: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for kind in LlmKind::ALL {
            assert_eq!(LlmKind::of(kind.name()), Some(*kind));
        }
        for dialect in Dialect::ALL {
            assert_eq!(Dialect::of(dialect.name()), Some(*dialect));
        }
        assert_eq!(LlmKind::of("LLM"), None);
    }

    #[test]
    fn amounts_show_their_digits() {
        let shown = |nanos| Nanodollars(nanos).to_string();
        assert_eq!(shown(0), "0.00");
        assert_eq!(shown(1_500_000_000), "1.50");
        assert_eq!(shown(123_456), "0.000123456");
        assert_eq!(shown(-7), "-0.000000007");
    }
}
