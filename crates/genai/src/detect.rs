//! Finds the dialect of an observation.

use crate::dialect::{
    agent_framework::AgentFramework, anthropic_sdk::AnthropicSdk, claude_code::ClaudeCode, codex::Codex,
    gemini_cli::GeminiCli, genkit::Genkit, google_adk::GoogleAdk, laminar::Laminar, langfuse::Langfuse,
    langsmith::LangSmith, litellm::LiteLlm, mcp::Mcp, mlflow::Mlflow, openinference::OpenInference,
    openlit::OpenLit, openllmetry::OpenLlmetry, otel_genai::OtelGenai, pydantic_ai::PydanticAi,
    semantic_kernel::SemanticKernel, spring_ai::SpringAi, strands::Strands, vercel_ai::VercelAi,
    vercel_ai_otel::VercelAiOtel,
};
use crate::rules::Rules;
use crate::seen::Seen;

/// All dialects. The first that is spoken names the observation: those with a scope or keys of their own stand before those
/// whose keys others use too, and `otel_genai`, which takes what is left, stands last.
const ORDER: &[&dyn Rules] = &[
    &AnthropicSdk,
    &Langfuse,
    &PydanticAi,
    &VercelAi,
    &VercelAiOtel,
    &GoogleAdk,
    &Strands,
    &AgentFramework,
    &SemanticKernel,
    &LiteLlm,
    &SpringAi,
    &LangSmith,
    &Mlflow,
    &OpenLit,
    &ClaudeCode,
    &GeminiCli,
    &Codex,
    &Genkit,
    &OpenInference,
    &Mcp,
    &OpenLlmetry,
    &Laminar,
    &OtelGenai,
];

/// The rules of the dialect that is spoken; `None` if there is none.
pub(crate) fn rules(seen: &Seen<'_>) -> Option<&'static dyn Rules> {
    ORDER.iter().find(|rules| rules.speaks(seen)).copied()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use llm_observatory_core::llm::Dialect;

    use super::*;

    #[test]
    fn every_dialect_is_there_once() {
        let known: HashSet<_> = ORDER.iter().map(|rules| rules.dialect()).collect();
        assert_eq!(known, Dialect::ALL.iter().copied().collect());
        assert_eq!(ORDER.len(), Dialect::ALL.len());
    }
}
