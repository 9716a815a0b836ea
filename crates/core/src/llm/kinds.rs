//! What kind of step an LLM span is, and whose dialect it speaks.

use crate::named;

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
        /// Genkit.
        Genkit = "genkit",
        /// OpenInference (Arize, Phoenix).
        OpenInference = "openinference",
        /// OpenLLMetry (Traceloop).
        OpenLlmetry = "openllmetry",
        /// Laminar.
        Laminar = "laminar",
        /// Anthropic's SDKs, which trace themselves by OpenTelemetry's GenAI semantic conventions.
        AnthropicSdk = "anthropic_sdk",
        /// OpenTelemetry's GenAI semantic conventions.
        OtelGenai = "otel_genai",
        /// OpenTelemetry's conventions for the Model Context Protocol.
        Mcp = "mcp",
    }
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
}
