//! Spring AI: keys `spring.ai.*`, and `gen_ai.*` whose values are all texts, as Micrometer has them.
//!
//! Sources: `AiObservationAttributes.java` and the observation conventions of spring-projects/spring-ai. Counts are the
//! provider's own, and the total is input and output: Anthropic's and Bedrock's input excludes cached tokens. `none` stands
//! where a value is missing that dashboards group by.

use llm_observatory_core::attributes::Value;
use llm_observatory_core::llm::{Dialect, LlmKind, LlmReading};

use crate::rules::Rules;
use crate::seen::Seen;
use crate::slots::Slot::*;
use crate::usage::Includes;

/// Spring AI.
pub(crate) struct SpringAi;

impl Rules for SpringAi {
    fn dialect(&self) -> Dialect {
        Dialect::SpringAi
    }

    fn speaks(&self, seen: &Seen<'_>) -> bool {
        let keys = [SpringKind, SpringToolName, SpringConversationId, SpringStream];
        let systems = ["bedrock_converse", "google_genai", "spring_ai"];
        let is_text = |slot| matches!(seen.get(slot), Some(Value::Str(_)));
        keys.iter().any(|slot| seen.has(*slot))
            || seen.slots.marks.owns(Dialect::SpringAi)
            || seen.scope.name == "org.springframework.boot" && seen.slots.marks.llm
            || systems.iter().any(|system| seen.is(System, system))
            || is_text(InputTokens) && is_text(OutputTokens)
    }

    fn input(&self, _seen: &Seen<'_>, provider: Option<&str>) -> Includes {
        match provider {
            Some("anthropic" | "aws.bedrock") => Includes::No,
            _ => Includes::Yes,
        }
    }

    fn amend(&self, _seen: &Seen<'_>, reading: &mut LlmReading) {
        for model in [&mut reading.request_model, &mut reading.response_model] {
            *model = model.take().filter(|model| &**model != "none");
        }
    }
}

/// The kind that `spring.ai.kind` tells.
pub(crate) fn kind_of(kind: &str) -> Option<LlmKind> {
    Some(match kind {
        "advisor" | "chat_client" => LlmKind::Workflow,
        "tool_call" => LlmKind::Tool,
        "vector_store" => LlmKind::Retriever,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use llm_observatory_core::attributes::Attribute;

    use super::*;
    use crate::tests::span;

    #[test]
    fn every_value_is_a_text() {
        let attributes = [
            Attribute::new("gen_ai.operation.name", "chat"),
            Attribute::new("gen_ai.system", "anthropic"),
            Attribute::new("gen_ai.request.model", "claude-sonnet-4-5"),
            Attribute::new("gen_ai.request.temperature", "0.7"),
            Attribute::new("gen_ai.request.stop_sequences", "[\"END\"]"),
            Attribute::new("gen_ai.response.finish_reasons", "[\"end_turn\"]"),
            Attribute::new("gen_ai.usage.input_tokens", "10"),
            Attribute::new("gen_ai.usage.output_tokens", "5"),
            Attribute::new("gen_ai.usage.total_tokens", "15"),
            Attribute::new("gen_ai.usage.cache_read.input_tokens", "4"),
        ];
        let reading = span("org.springframework.boot", "chat claude-sonnet-4-5", &attributes).unwrap();
        assert_eq!(reading.dialect, Dialect::SpringAi);
        assert_eq!((reading.usage.input, reading.usage.output), (Some(14), Some(5)));
        assert_eq!(reading.parameters.temperature, Some(0.7));
        assert_eq!(reading.parameters.stop, ["END".into()]);
    }

    #[test]
    fn a_call_that_failed_names_no_model_of_a_response() {
        let attributes = [
            Attribute::new("gen_ai.operation.name", "chat"),
            Attribute::new("gen_ai.system", "openai"),
            Attribute::new("gen_ai.request.model", "gpt-4o-mini"),
            Attribute::new("gen_ai.response.model", "none"),
        ];
        let reading = span("org.springframework.boot", "chat gpt-4o-mini", &attributes).unwrap();
        assert_eq!((reading.dialect, reading.is_call), (Dialect::SpringAi, true));
        assert_eq!((reading.request_model.as_deref(), reading.response_model), (Some("gpt-4o-mini"), None));
    }

    #[test]
    fn spans_around_calls_are_no_calls() {
        for (kind, expected) in [("chat_client", LlmKind::Workflow), ("vector_store", LlmKind::Retriever)] {
            let attributes = [
                Attribute::new("spring.ai.kind", kind),
                Attribute::new("gen_ai.operation.name", "framework"),
                Attribute::new("spring.ai.chat.client.conversation.id", "c-1"),
            ];
            let reading = span("", "spring_ai chat_client", &attributes).unwrap();
            assert_eq!((reading.kind, reading.is_call), (expected, false));
            assert_eq!(reading.session_id.as_deref(), Some("c-1"));
        }
    }
}
