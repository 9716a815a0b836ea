//! OpenTelemetry's GenAI semantic conventions, 1.26 to 1.41 and the repository of their own that followed.
//!
//! Sources: `model/gen-ai/registry.yaml` and its deprecated registry in open-telemetry/semantic-conventions;
//! docs/gen-ai of open-telemetry/semantic-conventions-genai. Input includes cached tokens and output includes reasoning,
//! since the conventions ask for that.

use llm_observatory_core::llm::{Dialect, LlmKind};

use crate::rules::Rules;
use crate::seen::Seen;

/// The log event that tells a whole call.
pub(crate) const DETAILS: &str = "gen_ai.client.inference.operation.details";

/// OpenTelemetry's conventions. It takes every observation that an LLM dialect's key marks and no other dialect claims.
pub(crate) struct OtelGenai;

impl Rules for OtelGenai {
    fn dialect(&self) -> Dialect {
        Dialect::OtelGenai
    }

    fn speaks(&self, seen: &Seen<'_>) -> bool {
        seen.slots.marks.llm
    }

    fn is_call(&self, seen: &Seen<'_>, kind: LlmKind) -> bool {
        // A record of one message is no call.
        kind.calls_a_model() && (seen.span.is_some() || seen.name == DETAILS)
    }
}

/// The kind that `gen_ai.operation.name` tells: the conventions' values, then those that others add.
pub(crate) fn kind_of(operation: &str) -> Option<LlmKind> {
    Some(match operation {
        "chat" | "generate_content" | "text_completion" | "fetch_response" => LlmKind::Llm,
        "completion" | "generate" | "responses" | "llm_request" | "llm_call" => LlmKind::Llm,
        "realtime_inference" => LlmKind::Llm,
        "image" | "image_generation" | "audio" | "speech" | "transcription" => LlmKind::Llm,
        "embeddings" | "embedding" => LlmKind::Embedding,
        "retrieval" | "search_memory" | "vectordb" | "vector_db_retrieve" => LlmKind::Retriever,
        "rerank" => LlmKind::Reranker,
        "create_agent" | "invoke_agent" | "agent_call" => LlmKind::Agent,
        "execute_tool" | "tool_call" => LlmKind::Tool,
        "invoke_workflow" | "plan" | "execute_task" | "framework" | "agent_step" => LlmKind::Workflow,
        "execute_event_loop_cycle" | "user_prompt" => LlmKind::Workflow,
        "create_memory" | "create_memory_store" | "delete_memory" | "delete_memory_store" => {
            LlmKind::Workflow
        }
        "update_memory" | "upsert_memory" => LlmKind::Workflow,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use llm_observatory_core::attributes::{Attribute, Value};

    use super::*;
    use crate::tests::{log, span};

    #[test]
    fn newer_names_win_over_the_older_ones() {
        let attributes = [
            Attribute::new("gen_ai.operation.name", "chat"),
            Attribute::new("gen_ai.system", "az.ai.openai"),
            Attribute::new("gen_ai.provider.name", "azure.ai.openai"),
            Attribute::new("gen_ai.usage.prompt_tokens", 1),
            Attribute::new("gen_ai.usage.input_tokens", 2),
            Attribute::new("gen_ai.usage.output_tokens", "3"),
            Attribute::new("gen_ai.usage.cache_read.input_tokens", -1),
            Attribute::new("gen_ai.conversation.id", "c-9"),
        ];
        let reading = span("opentelemetry.instrumentation.openai_v2", "chat gpt-4o", &attributes).unwrap();
        assert_eq!((reading.kind, reading.is_call), (LlmKind::Llm, true));
        assert_eq!(reading.provider.as_deref(), Some("azure.ai.openai"));
        assert_eq!(reading.usage.input, Some(2));
        assert_eq!(reading.usage.output, Some(3), "some SDKs send numbers as texts");
        assert_eq!(reading.usage.cache_read, None, "a negative count is ignored");
        assert_eq!(reading.session_id.as_deref(), Some("c-9"));
        assert_eq!(reading.conversation_id.as_deref(), Some("c-9"));
    }

    #[test]
    fn operations_are_kinds() {
        for (operation, kind, is_call) in [
            ("embeddings", LlmKind::Embedding, true),
            ("invoke_agent", LlmKind::Agent, false),
            ("execute_tool", LlmKind::Tool, false),
            ("invoke_workflow", LlmKind::Workflow, false),
            ("retrieval", LlmKind::Retriever, false),
            ("fetch_response", LlmKind::Llm, false),
        ] {
            let attributes = [
                Attribute::new("gen_ai.operation.name", operation),
                Attribute::new("gen_ai.usage.input_tokens", 5),
            ];
            let reading = span("", operation, &attributes).unwrap();
            assert_eq!((reading.kind, reading.is_call), (kind, is_call), "{operation}");
        }
    }

    #[test]
    fn spans_of_other_libraries_are_none() {
        assert_eq!(span("http", "GET /", &[Attribute::new("http.route", "/chat")]), None);
        let ordinary = [
            Attribute::new("session.id", "s"),
            Attribute::new("user.id", "u"),
            Attribute::new("metadata", "{}"),
            Attribute::new("error.type", "timeout"),
            Attribute::new("db.system", "postgresql"),
            Attribute::new("model", "gpt-4o"),
        ];
        assert_eq!(span("app", "work", &ordinary), None);
    }

    #[test]
    fn a_log_record_that_tells_a_call_is_read_by_itself() {
        let attributes = [
            Attribute::new("gen_ai.operation.name", "chat"),
            Attribute::new("gen_ai.response.model", "gpt-4o"),
            Attribute::new("gen_ai.usage.input_tokens", 5),
        ];
        let reading = log("", DETAILS, &attributes, &Value::Empty).unwrap();
        assert_eq!((reading.response_model.as_deref(), reading.usage.input), (Some("gpt-4o"), Some(5)));
        assert!(reading.is_call);
        let message = [Attribute::new("gen_ai.system", "openai")];
        assert_eq!(log("", "gen_ai.user.message", &message, &Value::Empty), None, "it belongs to a span");
        assert_eq!(log("", "http.request", &[], &Value::Empty), None);
    }
}
