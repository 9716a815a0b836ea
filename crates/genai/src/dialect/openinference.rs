//! OpenInference (Arize, Phoenix): key `openinference.span.kind`, scopes `openinference.instrumentation.*`.
//!
//! Sources: spec/*.md and the instrumentations of Arize-ai/openinference. Input includes cached tokens: the wrappers of
//! Anthropic and of Bedrock's Anthropic models add them. Those of Bedrock's Converse and of Nova do not; Bedrock's total, which
//! they pass on, tells. Reasoning is inside the completion.

use llm_observatory_core::llm::{Dialect, LlmKind, LlmReading};
use llm_observatory_core::text::Text;

use crate::json::{self, field, structure};
use crate::rules::Rules;
use crate::seen::Seen;
use crate::slots::Slot::*;
use crate::usage::Includes;
use crate::value;

/// OpenInference.
pub(crate) struct OpenInference;

impl Rules for OpenInference {
    fn dialect(&self) -> Dialect {
        Dialect::OpenInference
    }

    fn speaks(&self, seen: &Seen<'_>) -> bool {
        let scope = seen.scope.name;
        seen.has(OpenInferenceKind)
            || scope.starts_with("openinference.")
            || scope.starts_with("@arizeai/openinference-")
    }

    fn input(&self, seen: &Seen<'_>, _provider: Option<&str>) -> Includes {
        match seen.scope.name.contains("bedrock") {
            true if !seen.has(LlmTotal) && seen.name.contains("converse") => Includes::No,
            true => Includes::Unknown,
            false => Includes::Yes,
        }
    }

    fn amend(&self, seen: &Seen<'_>, reading: &mut LlmReading) {
        if reading.framework.is_none() && seen.scope.name.ends_with("langchain") {
            reading.framework = Some(Text::from_static("langchain"));
        }
        if ["openai_agents", "openai-agents"].iter().any(|library| seen.scope.name.ends_with(library)) {
            read_response(seen, reading);
        }
        if reading.is_call && reading.response_id.is_none() {
            reading.response_id = response_id(seen).map(Text::from);
        }
    }
}

/// The wrapper of OpenAI's Agents SDK writes the whole response where the parameters of the request belong.
fn read_response(seen: &Seen<'_>, reading: &mut LlmReading) {
    let Some(response) = seen.get(LlmInvocationParameters).and_then(structure) else { return };
    if let Some(id) = field(&response, "id").and_then(value::text) {
        reading.response_id = Some(Text::from(&*id));
        reading.response_model = reading.response_model.take().or_else(|| reading.request_model.take());
        reading.request_model = None;
    }
}

/// The id of the response, which no key tells: the wrappers of clients keep the whole answer of the API as JSON, and most
/// answers begin with their id. A text that the model wrote is not looked at.
fn response_id<'a>(seen: &Seen<'a>) -> Option<&'a str> {
    let answer = seen.get(OutputValue)?.as_str()?;
    json::leading_id(answer).filter(|_| seen.is(OutputMimeType, "application/json"))
}

/// The kind that `openinference.span.kind` tells.
pub(crate) fn kind_of(kind: &str) -> Option<LlmKind> {
    Some(match kind.to_ascii_uppercase().as_str() {
        "LLM" => LlmKind::Llm,
        "EMBEDDING" => LlmKind::Embedding,
        "CHAIN" => LlmKind::Workflow,
        "RETRIEVER" => LlmKind::Retriever,
        "RERANKER" => LlmKind::Reranker,
        "TOOL" => LlmKind::Tool,
        "AGENT" => LlmKind::Agent,
        "GUARDRAIL" => LlmKind::Guardrail,
        "EVALUATOR" => LlmKind::Evaluator,
        "PROMPT" => LlmKind::Prompt,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use llm_observatory_core::attributes::Attribute;

    use super::*;
    use crate::tests::{event, span, with_events};

    #[test]
    fn a_streamed_call() {
        let attributes = [
            Attribute::new("openinference.span.kind", "LLM"),
            Attribute::new("llm.provider", "openai"),
            Attribute::new("llm.system", "openai"),
            Attribute::new("llm.model_name", "gpt-4o-2024-08-06"),
            Attribute::new(
                "llm.invocation_parameters",
                r#"{"model": "gpt-4o", "temperature": 0.5, "max_completion_tokens": 99, "stream": true, "stop": "END"}"#,
            ),
            Attribute::new("llm.input_messages.0.message.role", "user"),
            Attribute::new("llm.token_count.prompt", 100),
            Attribute::new("llm.token_count.completion", 50),
            Attribute::new("llm.token_count.prompt_details.cache_read", 60),
            Attribute::new("llm.token_count.completion_details.reasoning", 20),
            Attribute::new("llm.cost.total", 0.00123),
            Attribute::new("metadata", r#"{"team": "blue", "level": 3}"#),
            Attribute::new("tag.tags", vec!["b".into(), "a".into()]),
            Attribute::new("session.id", "s-1"),
            Attribute::new("user.id", "u-1"),
        ];
        let events = [event("First Token Stream Event", 250, &[])];
        let reading =
            with_events("openinference.instrumentation.openai", "ChatCompletion", None, &attributes, &events)
                .unwrap();
        assert_eq!((reading.kind, reading.is_call), (LlmKind::Llm, true));
        assert_eq!(reading.request_model.as_deref(), Some("gpt-4o"));
        assert_eq!(reading.response_model.as_deref(), Some("gpt-4o-2024-08-06"));
        assert_eq!((reading.usage.input, reading.usage.output), (Some(100), Some(50)));
        assert_eq!((reading.parameters.temperature, reading.parameters.max_tokens), (Some(0.5), Some(99)));
        assert_eq!((reading.streaming, reading.time_to_first_token), (Some(true), Some(250_000_000)));
        assert_eq!(reading.parameters.stop, ["END".into()]);
        assert_eq!(reading.reported_cost.map(|cost| cost.0), Some(1_230_000));
        assert_eq!(reading.metadata, [Attribute::new("level", 3), Attribute::new("team", "blue")]);
    }

    #[test]
    fn an_agent_that_repeats_usage_is_no_call() {
        let attributes = [
            Attribute::new("openinference.span.kind", "AGENT"),
            Attribute::new("llm.token_count.prompt", 100),
        ];
        let reading =
            span("openinference.instrumentation.smolagents", "ToolCallingAgent.run", &attributes).unwrap();
        assert_eq!((reading.kind, reading.is_call), (LlmKind::Agent, false));
    }

    #[test]
    fn the_response_is_told_by_the_answer_of_the_api_alone() {
        let id = |mime: &'static str, answer: &'static str| {
            let attributes = [
                Attribute::new("openinference.span.kind", "LLM"),
                Attribute::new("output.value", answer),
                Attribute::new("output.mime_type", mime),
            ];
            let reading =
                span("openinference.instrumentation.anthropic", "messages.create", &attributes).unwrap();
            reading.response_id.map(|id| id.to_string())
        };
        assert_eq!(id("application/json", r#"{"id":"msg_1","content":[]}"#).as_deref(), Some("msg_1"));
        assert_eq!(id("application/json", r#"{ "id": "chatcmpl-2" }"#).as_deref(), Some("chatcmpl-2"));
        assert_eq!(id("text/plain", r#"{"id":"42"}"#), None, "the model wrote it");
        for other in
            ["", "{", r#"{"id":7}"#, r#"{"id":""}"#, r#"{"id":"a\"b"}"#, r#"{"choices":[],"id":"x"}"#]
        {
            assert_eq!(id("application/json", other), None, "{other}");
        }
    }

    #[test]
    fn langchain_is_a_framework() {
        let attributes =
            [Attribute::new("openinference.span.kind", "LLM"), Attribute::new("llm.provider", "openai")];
        let reading = span("openinference.instrumentation.langchain", "ChatOpenAI", &attributes).unwrap();
        assert_eq!(
            (reading.framework.as_deref(), reading.provider.as_deref()),
            (Some("langchain"), Some("openai"))
        );
    }

    #[test]
    fn bedrock_converse_counts_cached_tokens_beside_the_input() {
        let attributes = [
            Attribute::new("openinference.span.kind", "LLM"),
            Attribute::new("llm.token_count.prompt", 80),
            Attribute::new("llm.token_count.completion", 5),
            Attribute::new("llm.token_count.total", 145),
            Attribute::new("llm.token_count.prompt_details.cache_read", 60),
        ];
        let input = |name, attributes: &[Attribute<'_>]| {
            span("openinference.instrumentation.bedrock", name, attributes).unwrap().usage.input
        };
        assert_eq!(input("bedrock.converse", &attributes), Some(140));
        let [kind, prompt, completion, _, cached] = attributes;
        let without_total = [kind, prompt, completion, cached];
        assert_eq!(input("bedrock.converse", &without_total), Some(140));
        assert_eq!(
            input("bedrock.invoke_model", &without_total),
            Some(80),
            "that of Anthropic's models adds them"
        );
    }
}
