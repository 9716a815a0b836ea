//! Genkit: keys `genkit:*`.
//!
//! Source: `js/core/src/tracing` and `GenerateResponseData` of genkit-ai/genkit. An action has its name, what went in and what
//! came out, as JSON; a model's usage stands in its output. Anthropic's and Bedrock's input excludes cached tokens; whether
//! thoughts are in the output depends on the model, and the total tells.

use llm_observatory_core::llm::{Dialect, LlmKind, LlmReading};
use llm_observatory_core::text::Text;

use crate::json::{at, field, structure};
use crate::rules::Rules;
use crate::seen::Seen;
use crate::slots::Slot::*;
use crate::usage::{Counts, Includes};
use crate::{finish, parameters, provider, value};

/// Genkit.
pub(crate) struct Genkit;

impl Rules for Genkit {
    fn dialect(&self) -> Dialect {
        Dialect::Genkit
    }

    fn speaks(&self, seen: &Seen<'_>) -> bool {
        seen.has(GenkitSubtype) || seen.has(GenkitName) || seen.slots.marks.owns(Dialect::Genkit)
    }

    fn count(&self, seen: &Seen<'_>, counts: &mut Counts) {
        let Some(output) = seen.get(GenkitOutput).filter(|_| is_model(seen)).and_then(structure) else {
            return;
        };
        let Some(usage) = field(&output, "usage") else { return };
        let count = |key| field(usage, key).and_then(value::count);
        counts.complete(&Counts {
            input: count("inputTokens"),
            output: count("outputTokens"),
            total: count("totalTokens"),
            cache_read: count("cachedContentTokens"),
            reasoning: count("thoughtsTokens"),
            ..Counts::default()
        });
    }

    fn input(&self, _seen: &Seen<'_>, provider: Option<&str>) -> Includes {
        match provider {
            Some("anthropic" | "aws.bedrock") => Includes::No,
            _ => Includes::Yes,
        }
    }

    fn output(&self, _seen: &Seen<'_>) -> Includes {
        Includes::Unknown
    }

    fn amend(&self, seen: &Seen<'_>, reading: &mut LlmReading) {
        let Some(name) = seen.str(&[GenkitName]) else { return };
        match reading.kind {
            LlmKind::Tool => {
                reading.tool_name = reading.tool_name.take().or_else(|| Some(Text::from(&*name)))
            }
            LlmKind::Prompt => {
                reading.prompt_name = reading.prompt_name.take().or_else(|| Some(Text::from(&*name)));
            }
            kind if kind.calls_a_model() => {
                // The name of the plugin stands before that of the model.
                let model = name.split_once('/').map_or(&*name, |(_, model)| model);
                reading.request_model.get_or_insert_with(|| Text::from(model));
                if reading.provider.is_none() {
                    reading.provider = provider::of_model(&name).map(Text::from_static);
                }
            }
            _ => {}
        }
        if is_model(seen) {
            told_by_documents(seen, reading);
        }
    }
}

fn is_model(seen: &Seen<'_>) -> bool {
    seen.is(GenkitSubtype, "model")
}

/// Parameters, and why the model stopped.
fn told_by_documents(seen: &Seen<'_>, reading: &mut LlmReading) {
    let document = |slot| seen.get(slot).and_then(structure);
    if let Some(config) = document(GenkitInput).as_deref().and_then(|input| field(input, "config")) {
        parameters::complete(&mut reading.parameters, parameters::of_map(config));
    }
    if reading.finish_reasons.is_empty()
        && let Some(output) = document(GenkitOutput)
        && let Some(reason) = at(&output, &["finishReason"]).and_then(value::text)
    {
        reading.finish_reasons.push(finish::canonical(&reason));
    }
}

/// The kind that `genkit:metadata:subtype` tells.
pub(crate) fn kind_of(subtype: &str) -> Option<LlmKind> {
    Some(match subtype {
        "model" | "background-model" => LlmKind::Llm,
        "embedder" => LlmKind::Embedding,
        "reranker" => LlmKind::Reranker,
        "retriever" => LlmKind::Retriever,
        "tool" | "tool.v2" => LlmKind::Tool,
        "prompt" | "executable-prompt" => LlmKind::Prompt,
        "evaluator" => LlmKind::Evaluator,
        "agent" => LlmKind::Agent,
        "flow" | "util" => LlmKind::Workflow,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use llm_observatory_core::attributes::Attribute;

    use super::*;
    use crate::tests::span;

    fn action<'a>(name: &'a str, subtype: &'a str) -> [Attribute<'a>; 2] {
        [Attribute::new("genkit:name", name), Attribute::new("genkit:metadata:subtype", subtype)]
    }

    #[test]
    fn a_model_tells_its_usage_in_its_output() {
        let mut attributes = action("googleai/gemini-2.5-flash", "model").to_vec();
        attributes.extend([
            Attribute::new(
                "genkit:input",
                r#"{"messages": [{"role": "user", "content": [{"text": "Hi"}]}], "config": {"temperature": 0.5}}"#,
            ),
            Attribute::new(
                "genkit:output",
                r#"{"message": {"role": "model", "content": [{"text": "Ho"}]}, "finishReason": "length", "usage":
                    {"inputTokens": 100, "outputTokens": 20, "thoughtsTokens": 30, "totalTokens": 150}}"#,
            ),
        ]);
        let reading = span("genkit-tracer", "googleai/gemini-2.5-flash", &attributes).unwrap();
        assert_eq!((reading.dialect, reading.kind, reading.is_call), (Dialect::Genkit, LlmKind::Llm, true));
        assert_eq!(
            (reading.provider.as_deref(), reading.request_model.as_deref()),
            (Some("gcp.gemini"), Some("gemini-2.5-flash"))
        );
        assert_eq!(
            (reading.usage.input, reading.usage.output, reading.usage.reasoning),
            (Some(100), Some(50), Some(30))
        );
        assert_eq!((&*reading.finish_reasons[0], reading.parameters.temperature), ("length", Some(0.5)));
    }

    #[test]
    fn other_actions() {
        let tool = span("genkit-tracer", "add", &action("add", "tool")).unwrap();
        assert_eq!((tool.kind, tool.tool_name.as_deref()), (LlmKind::Tool, Some("add")));
        let flow = span("genkit-tracer", "menu", &action("menu", "flow")).unwrap();
        assert_eq!((flow.kind, flow.is_call), (LlmKind::Workflow, false));
        let claude = [
            Attribute::new("genkit:name", "anthropic/claude-sonnet-4-5"),
            Attribute::new("genkit:metadata:subtype", "model"),
            Attribute::new(
                "genkit:output",
                r#"{"usage": {"inputTokens": 10, "outputTokens": 5, "cachedContentTokens": 60}}"#,
            ),
        ];
        let reading = span("genkit-tracer", "x", &claude).unwrap();
        assert_eq!((reading.provider.as_deref(), reading.usage.input), (Some("anthropic"), Some(70)));
    }
}
