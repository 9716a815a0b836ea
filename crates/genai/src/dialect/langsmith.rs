//! LangSmith: scope `langsmith`, keys `langsmith.*`.
//!
//! Source: `langsmith/_internal/otel/_otel_exporter.py`. `langsmith.span.kind` tells the kind; `gen_ai.operation.name` does
//! not. Details of usage are JSON, or what Python prints. Input includes cached tokens, but Anthropic's did not before March
//! 2026. `langsmith.trace.session_id` is a project, not a session.

use llm_observatory_core::attributes::Value;
use llm_observatory_core::llm::{Dialect, LlmKind};

use crate::json::{field, structure};
use crate::rules::Rules;
use crate::seen::Seen;
use crate::slots::Slot::*;
use crate::tracer::by_tracer;
use crate::usage::{Counts, Includes};
use crate::value;
use crate::value::sum;

/// LangSmith.
pub(crate) struct LangSmith;

impl Rules for LangSmith {
    fn dialect(&self) -> Dialect {
        Dialect::LangSmith
    }

    fn speaks(&self, seen: &Seen<'_>) -> bool {
        seen.scope.name == "langsmith" || seen.has(LangsmithKind)
    }

    fn kind(&self, seen: &Seen<'_>) -> Option<LlmKind> {
        let own = || seen.str(&[LangsmithKind]).and_then(|kind| kind_of(&kind));
        Some(by_tracer(seen).or_else(own).unwrap_or(LlmKind::Other))
    }

    fn count(&self, seen: &Seen<'_>, counts: &mut Counts) {
        let details = |slot| seen.get(slot).and_then(structure);
        counts.complete(&of_details(
            details(InputTokenDetails).as_deref(),
            details(OutputTokenDetails).as_deref(),
        ));
        // LangChain's own usage, which is there even where no content is.
        let Some(usage) = seen.get(LangsmithUsage).and_then(structure) else { return };
        let count = |key| field(&usage, key).and_then(value::count);
        counts.complete(&Counts {
            input: count("input_tokens"),
            output: count("output_tokens"),
            total: count("total_tokens"),
            ..of_details(field(&usage, "input_token_details"), field(&usage, "output_token_details"))
        });
    }

    fn input(&self, _seen: &Seen<'_>, provider: Option<&str>) -> Includes {
        match provider {
            Some("anthropic" | "aws.bedrock") => Includes::Unknown,
            _ => Includes::Yes,
        }
    }
}

/// The counts in LangChain's details of input and output.
fn of_details(input: Option<&Value<'_>>, output: Option<&Value<'_>>) -> Counts {
    let count = |details: Option<&Value<'_>>, key| field(details?, key).and_then(value::count);
    let hour = count(input, "ephemeral_1h_input_tokens");
    let lives = sum(&[hour, count(input, "ephemeral_5m_input_tokens")]);
    Counts {
        cache_read: count(input, "cache_read"),
        cache_creation: count(input, "cache_creation").max(lives),
        cache_creation_1h: hour,
        reasoning: count(output, "reasoning"),
        input_audio: count(input, "audio"),
        output_audio: count(output, "audio"),
        ..Counts::default()
    }
}

/// The kind that `langsmith.span.kind` tells.
pub(crate) fn kind_of(kind: &str) -> Option<LlmKind> {
    Some(match kind {
        "llm" => LlmKind::Llm,
        "embedding" => LlmKind::Embedding,
        "chain" => LlmKind::Workflow,
        "tool" => LlmKind::Tool,
        "retriever" => LlmKind::Retriever,
        "prompt" => LlmKind::Prompt,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use llm_observatory_core::attributes::Attribute;

    use super::*;
    use crate::tests::span;

    #[test]
    fn a_call_whose_provider_stands_in_its_metadata() {
        let attributes = [
            Attribute::new("langsmith.span.kind", "llm"),
            Attribute::new("langsmith.trace.session_id", "project"),
            Attribute::new("langsmith.metadata.thread_id", "t-1"),
            Attribute::new("langsmith.metadata.ls_provider", "openai"),
            Attribute::new("langsmith.metadata.ls_model_name", "gpt-4o"),
            Attribute::new("langsmith.metadata.team", "blue"),
            Attribute::new("langsmith.span.tags", "b, a, b"),
            Attribute::new("gen_ai.operation.name", "chat"),
            Attribute::new("gen_ai.system", "langchain"),
            Attribute::new("gen_ai.usage.input_tokens", 100),
            Attribute::new("gen_ai.usage.output_tokens", 20),
            Attribute::new("gen_ai.usage.input_token_details", "{'cache_read': 60, 'audio': None}"),
            Attribute::new("gen_ai.usage.output_token_details", "{'reasoning': 7}"),
        ];
        let reading = span("langsmith", "ChatOpenAI", &attributes).unwrap();
        assert_eq!((reading.kind, reading.is_call), (LlmKind::Llm, true));
        assert_eq!(
            (reading.provider.as_deref(), reading.framework.as_deref()),
            (Some("openai"), Some("langchain"))
        );
        assert_eq!(reading.request_model.as_deref(), Some("gpt-4o"));
        assert_eq!((reading.usage.cache_read, reading.usage.reasoning), (Some(60), Some(7)));
        assert_eq!(reading.session_id.as_deref(), Some("t-1"));
        assert_eq!(reading.tags, ["a".into(), "b".into()]);
        assert_eq!(reading.metadata, [Attribute::new("team", "blue")]);
    }

    #[test]
    fn the_operation_is_no_kind() {
        let attributes = [
            Attribute::new("langsmith.span.kind", "prompt"),
            Attribute::new("gen_ai.operation.name", "chat"),
        ];
        let reading = span("langsmith", "ChatPromptTemplate", &attributes).unwrap();
        assert_eq!((reading.kind, reading.is_call), (LlmKind::Prompt, false));
    }
}
