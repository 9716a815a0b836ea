//! The kind of a step, from the words of all dialects in one order.

use llm_observatory_core::llm::LlmKind;
use llm_observatory_core::text::Text;

use crate::dialect::{genkit, laminar, langsmith, mcp, openllmetry, otel_genai, spring_ai, vercel_ai};
use crate::rules::Rules;
use crate::seen::Seen;
use crate::slots::Slot::{self, *};
use crate::tracer::{Words, by_tracer, first_of};
use crate::usage::Counts;

/// Keys that tell kinds beside those of tracers, the weightiest first.
const WORDS: &[Words] = &[
    (LangsmithKind, langsmith::kind_of),
    (TraceloopKind, openllmetry::kind_of),
    (LitellmGuardrail, |_| Some(LlmKind::Guardrail)),
    (SpringKind, spring_ai::kind_of),
    (Operation, otel_genai::kind_of),
    (VercelOperationId, vercel_ai::kind_of),
    (LaminarType, laminar::kind_of),
    (GenkitSubtype, genkit::kind_of),
    (LlmRequestType, openllmetry::kind_of_request),
    (McpMethod, mcp::kind_of),
];

/// Where models stand that were called.
const MODELS: &[Slot] = &[
    RequestModel,
    ResponseModel,
    LlmModelName,
    LlmRequestModelName,
    VercelModelId,
    LangfuseModel,
    MlflowModel,
];

/// The kind of the step.
pub(crate) fn kind(seen: &Seen<'_>, rules: &dyn Rules, counts: &Counts) -> LlmKind {
    rules.kind(seen).or_else(|| by_words(seen)).unwrap_or_else(|| by_what_is_there(seen, counts))
}

fn by_words(seen: &Seen<'_>) -> Option<LlmKind> {
    by_tracer(seen).or_else(|| first_of(WORDS, seen))
}

/// The kind by what only spans of one kind have.
fn by_what_is_there(seen: &Seen<'_>, counts: &Counts) -> LlmKind {
    let has = |slots: &[Slot]| slots.iter().any(|slot| seen.has(*slot));
    let marks = seen.slots.marks;
    if has(&[ToolName, ToolCallId, VercelToolName, SpringToolName, AdkToolArguments]) {
        LlmKind::Tool
    } else if has(&[RetrievalQuery, RetrievalDocuments]) || marks.retrieval {
        LlmKind::Retriever
    } else if has(&[EmbeddingModelName, EmbeddingParameters]) || marks.embedding {
        LlmKind::Embedding
    } else if has(&[RerankerModelName]) || marks.reranker {
        LlmKind::Reranker
    } else if has(MODELS) && (marks.messages || speaks(seen) || counts.input.or(counts.output).is_some()) {
        LlmKind::Llm
    } else if has(&[AgentName]) {
        LlmKind::Agent
    } else {
        LlmKind::Other
    }
}

fn speaks(seen: &Seen<'_>) -> bool {
    [InputMessages, OutputMessages, PromptText, CompletionText].iter().any(|slot| seen.has(*slot))
}

/// The operation by OpenTelemetry's names: what the span says, or what follows from its kind.
pub(crate) fn operation(seen: &Seen<'_>, kind: LlmKind) -> Option<Text> {
    // LangSmith's operation is no more than a guess, and Vercel's ids and Semantic Kernel's names of methods are its own.
    let said = seen.str(&[Operation]).filter(|_| !seen.has(LangsmithKind));
    let known = match said.as_deref() {
        Some("embedding" | "aembedding") => Some("embeddings"),
        Some("acompletion") => Some("chat"),
        Some("atext_completion") => Some("text_completion"),
        // Gemini CLI's names.
        Some("llm_call") => Some("generate_content"),
        Some("tool_call") => Some("execute_tool"),
        Some("agent_call") => Some("invoke_agent"),
        Some("completion") => Some("text_completion"),
        Some("chat.completions" | "chat.streaming_completions") => Some("chat"),
        Some("text.completions" | "text.streaming_completions") => Some("text_completion"),
        Some("chat") => Some("chat"),
        Some(_) => return said.map(|said| seen.keep(said)),
        None => None,
    };
    let asked = || (seen.is(LlmRequestType, "completion")).then_some("text_completion");
    known.or_else(asked).or_else(|| of_kind(kind)).map(Text::from_static)
}

const fn of_kind(kind: LlmKind) -> Option<&'static str> {
    match kind {
        LlmKind::Llm => Some("chat"),
        LlmKind::Embedding => Some("embeddings"),
        LlmKind::Agent => Some("invoke_agent"),
        LlmKind::Workflow => Some("invoke_workflow"),
        LlmKind::Tool => Some("execute_tool"),
        LlmKind::Retriever => Some("retrieval"),
        LlmKind::Reranker => Some("rerank"),
        LlmKind::Guardrail | LlmKind::Evaluator | LlmKind::Prompt | LlmKind::Other => None,
    }
}

#[cfg(test)]
mod tests {
    use llm_observatory_core::attributes::Attribute;

    use super::*;
    use crate::tests::span;

    #[test]
    fn the_weightier_word_wins() {
        let attributes = [
            Attribute::new("openinference.span.kind", "RETRIEVER"),
            Attribute::new("gen_ai.operation.name", "chat"),
        ];
        assert_eq!(span("", "x", &attributes).unwrap().kind, LlmKind::Retriever);
        let unknown = [
            Attribute::new("openinference.span.kind", "UNKNOWN"),
            Attribute::new("gen_ai.operation.name", "chat"),
        ];
        assert_eq!(span("", "x", &unknown).unwrap().kind, LlmKind::Llm);
    }

    #[test]
    fn a_kind_that_nothing_names_follows_from_what_is_there() {
        let kind = |attributes: &[Attribute<'_>]| span("", "x", attributes).unwrap().kind;
        let model = || Attribute::new("gen_ai.request.model", "gpt-4o");
        assert_eq!(kind(&[model(), Attribute::new("gen_ai.usage.input_tokens", 1)]), LlmKind::Llm);
        assert_eq!(kind(&[model(), Attribute::new("gen_ai.prompt.0.content", "hi")]), LlmKind::Llm);
        assert_eq!(kind(&[model()]), LlmKind::Other);
        assert_eq!(kind(&[Attribute::new("gen_ai.tool.call.id", "c")]), LlmKind::Tool);
        assert_eq!(kind(&[Attribute::new("db.vector.query.top_k", 3)]), LlmKind::Retriever);
        assert_eq!(kind(&[Attribute::new("gen_ai.agent.name", "a")]), LlmKind::Agent);
    }
}
