//! Langfuse SDKs of Python and JavaScript: scope `langfuse-sdk`, keys `langfuse.observation.*`.
//!
//! Sources: `packages/shared/src/server/otel/attributes.ts` of langfuse/langfuse and `_client/attributes.py` of
//! langfuse/langfuse-python. The meaning of `usage_details` is decided by its keys, since both wrappers of OpenAI have the
//! same scope: Python's passes on OpenAI's own object, JavaScript's and the LangChain handlers write parts that add up.

use llm_observatory_core::attributes::Value;
use llm_observatory_core::llm::{Dialect, LlmKind, LlmReading, Nanodollars};

use crate::json::{field, structure};
use crate::money;
use crate::provider_usage::of_provider;
use crate::rules::Rules;
use crate::seen::Seen;
use crate::slots::Slot::{self, *};
use crate::usage::Counts;
use crate::value;
use crate::value::sum;

/// Langfuse.
pub(crate) struct Langfuse;

/// Keys that only its SDKs write. It also writes `langfuse.trace.*` on spans of others.
const KEYS: &[Slot] = &[
    LangfuseType,
    LangfuseModel,
    LangfuseUsage,
    LangfuseCost,
    LangfuseParameters,
    LangfuseCompletionStart,
    LangfusePromptName,
    LangfuseLevel,
];

impl Rules for Langfuse {
    fn dialect(&self) -> Dialect {
        Dialect::Langfuse
    }

    fn speaks(&self, seen: &Seen<'_>) -> bool {
        seen.scope.name == "langfuse-sdk"
            || seen.slots.marks.owns(Dialect::Langfuse)
            || KEYS.iter().any(|slot| seen.has(*slot))
    }

    fn kind(&self, seen: &Seen<'_>) -> Option<LlmKind> {
        // JavaScript's wrapper of OpenAI calls all its spans generations, and names them after the resource.
        (seen.name == "OpenAI.embeddings").then_some(LlmKind::Embedding)
    }

    fn count(&self, seen: &Seen<'_>, counts: &mut Counts) {
        if let Some(map) = seen.get(LangfuseUsage).and_then(structure) {
            let mut told = usage_details(&map);
            told.complete(counts);
            *counts = told;
        }
    }

    fn amend(&self, seen: &Seen<'_>, reading: &mut LlmReading) {
        // No response named a model then.
        if reading.error_type.is_some() || seen.is(LangfuseLevel, "ERROR") {
            reading.request_model = reading.request_model.take().or_else(|| reading.response_model.take());
        }
        if let Some(map) = seen.get(LangfuseCost).and_then(structure) {
            reading.reported_cost = cost(&map).or(reading.reported_cost);
        }
    }
}

/// The kind that `langfuse.observation.type` tells. A plain span may be anything.
pub(crate) fn kind_of(observation: &str) -> Option<LlmKind> {
    Some(match observation.to_ascii_lowercase().as_str() {
        "generation" => LlmKind::Llm,
        "embedding" => LlmKind::Embedding,
        "agent" => LlmKind::Agent,
        "tool" => LlmKind::Tool,
        "chain" => LlmKind::Workflow,
        "retriever" => LlmKind::Retriever,
        "guardrail" => LlmKind::Guardrail,
        "evaluator" => LlmKind::Evaluator,
        "event" => LlmKind::Other,
        _ => return None,
    })
}

/// The counts of `usage_details`: a provider's own object, or parts by Langfuse's names, which exclude each other.
fn usage_details(map: &Value<'_>) -> Counts {
    if field(map, "input").is_none()
        && field(map, "output").is_none()
        && let Some(counts) = of_provider(map)
    {
        return counts;
    }
    let count = |keys: &[&str]| keys.iter().find_map(|key| field(map, key).and_then(value::count));
    let hour = count(&["input_cache_creation_1h", "cache_creation_1h_input_tokens"]);
    let five_minutes = count(&["input_cache_creation_5m", "cache_creation_5m_input_tokens"]);
    let cache_read = count(&[
        "input_cached_tokens",
        "input_cache_read",
        "input_cache_read_tokens",
        "cache_read_input_tokens",
        "input_cached",
    ]);
    let cache_creation = sum(&[five_minutes, hour]).max(count(&[
        "input_cache_creation",
        "input_cache_creation_tokens",
        "input_cache_write_tokens",
        "cache_creation_input_tokens",
        "input_cache_write",
    ]));
    let reasoning = count(&["output_reasoning_tokens", "output_reasoning", "reasoning_tokens"]);
    let (input, output) = (
        count(&["input", "input_tokens", "promptTokens"]),
        count(&["output", "output_tokens", "completionTokens"]),
    );
    let total = count(&["total", "total_tokens", "totalTokens"]);
    // Who writes a total of input and output alone counts parts inside them, whatever Langfuse asks for.
    let inside = total.is_some() && total == sum(&[input, output]);
    let known = sum(&[cache_read, cache_creation]);
    Counts {
        input: if inside { input } else { sum(&[input, known, others(map, "input_")]) },
        output: if inside { output } else { sum(&[output, reasoning, others(map, "output_")]) },
        total: None,
        cache_read,
        cache_creation,
        cache_creation_1h: hour,
        reasoning,
        input_audio: count(&["input_audio_tokens", "input_audio"]),
        output_audio: count(&["output_audio_tokens", "output_audio"]),
        input_image: count(&["input_image_tokens", "input_image"]),
        output_image: count(&["output_image_tokens", "output_image"]),
    }
}

/// The sum of the parts that begin like this and are not counted by another name.
fn others(map: &Value<'_>, start: &str) -> Option<i64> {
    let Value::Map(entries) = map else { return None };
    let counted = |key: &str| {
        ["cache", "reasoning"].iter().any(|part| key[start.len()..].starts_with(part))
            || key.ends_with("_tokens_details")
    };
    let rest = entries.iter().filter(|entry| entry.key.starts_with(start) && !counted(&entry.key));
    let rest = rest.filter(|entry| !matches!(&*entry.key, "input_tokens" | "output_tokens"));
    rest.filter_map(|entry| value::count(&entry.value)).reduce(i64::saturating_add)
}

/// The total, or else the sum of the parts.
fn cost(map: &Value<'_>) -> Option<Nanodollars> {
    if let Some(total) = field(map, "total").and_then(money::dollars) {
        return Some(total);
    }
    let Value::Map(entries) = map else { return None };
    money::sum(&entries.iter().map(|entry| money::dollars(&entry.value)).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use llm_observatory_core::attributes::Attribute;

    use super::*;
    use crate::tests::{failed, span};

    fn usage(details: &str) -> (Option<i64>, Option<i64>, Option<i64>, Option<i64>) {
        let attributes = [
            Attribute::new("langfuse.observation.type", "generation"),
            Attribute::new("langfuse.observation.usage_details", details),
        ];
        let usage = span("langfuse-sdk", "OpenAI-generation", &attributes).unwrap().usage;
        (usage.input, usage.output, usage.cache_read, usage.reasoning)
    }

    #[test]
    fn the_same_scope_with_opposite_meanings() {
        let python = r#"{"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150,
            "prompt_tokens_details": {"cached_tokens": 60}, "completion_tokens_details": {"reasoning_tokens": 20}}"#;
        let javascript = r#"{"input": 40, "output": 30, "total": 150, "input_cached_tokens": 60,
            "output_reasoning_tokens": 20}"#;
        let expected = (Some(100), Some(50), Some(60), Some(20));
        assert_eq!(usage(python), expected);
        assert_eq!(usage(javascript), expected);
    }

    #[test]
    fn handmade_parts_add_up() {
        let anthropic = r#"{"input": 10, "output": 5, "cache_read_input_tokens": 60,
            "cache_creation_input_tokens": 30}"#;
        assert_eq!(usage(anthropic), (Some(100), Some(5), Some(60), None));
        let raw = r#"{"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": 60}"#;
        assert_eq!(usage(raw), (Some(70), Some(5), Some(60), None));
        let inside = r#"{"input": 100, "output": 5, "total": 105, "input_cached_tokens": 60}"#;
        assert_eq!(usage(inside), (Some(100), Some(5), Some(60), None));
        assert_eq!(usage("{\"input\": -1}"), (None, None, None, None));
        assert_eq!(usage("{broken"), (None, None, None, None));
    }

    #[test]
    fn a_generation_with_all_that_langfuse_knows() {
        let attributes = [
            Attribute::new("langfuse.observation.type", "generation"),
            Attribute::new("langfuse.observation.model.name", "gpt-4o-2024-08-06"),
            Attribute::new(
                "langfuse.observation.model.parameters",
                r#"{"temperature": 0.2, "max_tokens": "Infinity"}"#,
            ),
            Attribute::new("langfuse.observation.cost_details", r#"{"input": 0.0001, "output": 0.00005}"#),
            Attribute::new("langfuse.observation.completion_start_time", "\"2023-11-14T22:13:20.250000Z\""),
            Attribute::new("langfuse.observation.prompt.name", "greet"),
            Attribute::new("langfuse.observation.prompt.version", 3),
            Attribute::new("langfuse.observation.metadata.team", "blue"),
            Attribute::new("langfuse.trace.tags", vec![Value::from("b"), Value::from("a")]),
            Attribute::new("user.id", "u-1"),
            Attribute::new("session.id", "s-1"),
        ];
        let reading = span("langfuse-sdk", "OpenAI-generation", &attributes).unwrap();
        assert_eq!((reading.kind, reading.is_call), (LlmKind::Llm, true));
        assert_eq!(reading.reported_cost, Some(Nanodollars(150_000)));
        assert_eq!(reading.time_to_first_token, Some(250_000_000));
        assert_eq!(reading.parameters.temperature, Some(0.2));
        assert_eq!(reading.parameters.max_tokens, None, "infinity is no limit");
        assert_eq!(reading.prompt_version.as_deref(), Some("3"));
        assert_eq!((reading.user_id.as_deref(), reading.session_id.as_deref()), (Some("u-1"), Some("s-1")));
        assert_eq!(reading.tags.iter().map(|tag| &**tag).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(reading.metadata, [Attribute::new("team", "blue")]);
    }

    #[test]
    fn a_plain_span_may_be_anything() {
        let plain = [Attribute::new("langfuse.observation.type", "span")];
        assert_eq!(span("langfuse-sdk", "work", &plain).unwrap().kind, LlmKind::Other);
        let tool =
            [Attribute::new("langfuse.observation.type", "span"), Attribute::new("gen_ai.tool.name", "add")];
        assert_eq!(span("langfuse-sdk", "work", &tool).unwrap().kind, LlmKind::Tool);
        let level = [
            Attribute::new("langfuse.observation.type", "generation"),
            Attribute::new("langfuse.observation.level", "ERROR"),
            Attribute::new("langfuse.observation.status_message", "RateLimitError: slow down"),
        ];
        let reading = failed("langfuse-sdk", "x", "", &level).unwrap();
        assert_eq!(reading.error_type.as_deref(), Some("RateLimitError"));
    }
}
