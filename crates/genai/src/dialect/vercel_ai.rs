//! Vercel AI SDK 3 to 6, and 7 with its legacy telemetry: scope `ai`, keys `ai.*`.
//!
//! Sources: `packages/ai/src` and `packages/otel/src/legacy-open-telemetry.ts` of vercel/ai. The outer span of a function
//! (`ai.generateText`) repeats the usage of its inner ones (`ai.generateText.doGenerate`), in some versions that of the last
//! one only; so the inner ones are the calls. Versions before 6 pass on what Anthropic and Bedrock count, without cached
//! tokens; version 6 tells the parts in `ai.usage.inputTokenDetails.*`.

use llm_observatory_core::llm::{Dialect, LlmKind, LlmReading};
use llm_observatory_core::text::Text;

use crate::dialect::vercel_metadata;
use crate::json::{field, structure};
use crate::rules::Rules;
use crate::seen::Seen;
use crate::slots::Slot::*;
use crate::tracer::by_tracer;
use crate::usage::{Counts, Includes};
use crate::value;
use crate::value::sum;

/// Vercel AI SDK, legacy keys.
pub(crate) struct VercelAi;

impl Rules for VercelAi {
    fn dialect(&self) -> Dialect {
        Dialect::VercelAi
    }

    fn speaks(&self, seen: &Seen<'_>) -> bool {
        seen.scope.name == "ai" || seen.has(VercelOperationId) && seen.scope.name != "gen_ai"
    }

    fn kind(&self, seen: &Seen<'_>) -> Option<LlmKind> {
        by_tracer(seen).or_else(|| own_kind(seen))
    }

    fn is_call(&self, seen: &Seen<'_>, kind: LlmKind) -> bool {
        // A tracer may call an outer span a model's.
        kind.calls_a_model() && own_kind(seen).is_none_or(LlmKind::calls_a_model)
    }

    fn count(&self, seen: &Seen<'_>, counts: &mut Counts) {
        let parts = [VercelNoCacheTokens, VercelCacheReadTokens, VercelCacheWriteTokens];
        if seen.count(&parts[..1]).is_some() {
            counts.input = sum(&parts.map(|part| seen.count(&[part])));
        }
        counts.complete(&vercel_metadata::counts(seen));
    }

    fn input(&self, seen: &Seen<'_>, provider: Option<&str>) -> Includes {
        match provider {
            _ if seen.has(VercelNoCacheTokens) => Includes::Yes,
            Some("anthropic" | "aws.bedrock") => Includes::No,
            _ => Includes::Yes,
        }
    }

    fn amend(&self, seen: &Seen<'_>, reading: &mut LlmReading) {
        reading.service_tier = reading.service_tier.take().or_else(|| vercel_metadata::service_tier(seen));
        reading.agent_name = reading.agent_name.take().or_else(|| seen.text(&[VercelFunctionId]));
        if reading.prompt_name.is_none()
            && let Some(prompt) = seen.get(VercelPrompt).and_then(structure)
        {
            let text = |key| field(&prompt, key).and_then(value::text).map(|text| Text::from(&*text));
            (reading.prompt_name, reading.prompt_version) = (text("name"), text("version"));
        }
    }

    fn output(&self, seen: &Seen<'_>) -> Includes {
        // Google's provider of version 5 passes on candidates without thoughts, and a total with them.
        if seen.has(VercelTotalTokens) { Includes::Unknown } else { Includes::Yes }
    }
}

/// The kind that the operation or the name of the span tells.
fn own_kind(seen: &Seen<'_>) -> Option<LlmKind> {
    let operation = seen.str(&[VercelOperationId]);
    kind_of(operation.as_deref().unwrap_or(seen.name))
}

/// The kind that an operation id tells.
pub(crate) fn kind_of(operation: &str) -> Option<LlmKind> {
    let inner = operation.split(' ').next()?.rsplit('.').next()?;
    Some(match inner {
        "doGenerate" | "doStream" => LlmKind::Llm,
        "doEmbed" => LlmKind::Embedding,
        "doRerank" => LlmKind::Reranker,
        "toolCall" => LlmKind::Tool,
        "generateText" | "streamText" | "generateObject" | "streamObject" | "embed" | "embedMany"
        | "rerank" => LlmKind::Workflow,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use llm_observatory_core::attributes::Attribute;

    use super::*;
    use crate::tests::{event, span, with_events};

    #[test]
    fn only_inner_spans_are_calls() {
        for (operation, kind, is_call) in [
            ("ai.generateText", LlmKind::Workflow, false),
            ("ai.streamText.doStream", LlmKind::Llm, true),
            ("ai.embedMany.doEmbed", LlmKind::Embedding, true),
            ("ai.embed", LlmKind::Workflow, false),
            ("ai.rerank.doRerank", LlmKind::Reranker, true),
            ("ai.toolCall", LlmKind::Tool, false),
        ] {
            let attributes =
                [Attribute::new("ai.operationId", operation), Attribute::new("ai.usage.promptTokens", 5)];
            let reading = span("ai", operation, &attributes).unwrap();
            assert_eq!((reading.kind, reading.is_call), (kind, is_call), "{operation}");
        }
    }

    #[test]
    fn version_5_and_anthropic() {
        let attributes = [
            Attribute::new("ai.operationId", "ai.generateText.doGenerate"),
            Attribute::new("ai.model.id", "claude-sonnet-4-5"),
            Attribute::new("ai.model.provider", "anthropic.messages"),
            Attribute::new("ai.usage.inputTokens", 10.0),
            Attribute::new("ai.usage.outputTokens", 5.0),
            Attribute::new("ai.usage.totalTokens", 15.0),
            Attribute::new("ai.usage.cachedInputTokens", 60.0),
            Attribute::new("gen_ai.usage.input_tokens", 10.0),
            Attribute::new("gen_ai.usage.output_tokens", 5.0),
            Attribute::new(
                "ai.response.providerMetadata",
                r#"{"anthropic": {"usage": {"input_tokens": 10, "output_tokens": 5, "cache_creation_input_tokens": 30,
                    "cache_read_input_tokens": 60, "cache_creation": {"ephemeral_1h_input_tokens": 20}},
                    "cacheCreationInputTokens": 30}}"#,
            ),
            Attribute::new("ai.telemetry.metadata.userId", "u-1"),
            Attribute::new("ai.telemetry.metadata.sessionId", "s-1"),
            Attribute::new("ai.telemetry.metadata.plan", "pro"),
        ];
        let reading = span("ai", "ai.generateText.doGenerate", &attributes).unwrap();
        assert_eq!(reading.provider.as_deref(), Some("anthropic"));
        assert_eq!((reading.usage.input, reading.usage.cache_read), (Some(100), Some(60)));
        assert_eq!((reading.usage.cache_creation, reading.usage.cache_creation_1h), (Some(30), Some(20)));
        assert_eq!((reading.user_id.as_deref(), reading.session_id.as_deref()), (Some("u-1"), Some("s-1")));
        assert_eq!(reading.metadata, [Attribute::new("plan", "pro")]);
        assert_eq!(reading.operation.as_deref(), Some("chat"));
        assert_eq!(reading.streaming, Some(false));
    }

    #[test]
    fn version_6_tells_parts() {
        let attributes = [
            Attribute::new("ai.operationId", "ai.streamText.doStream"),
            Attribute::new("ai.model.provider", "anthropic.messages"),
            Attribute::new("ai.usage.inputTokens", 100),
            Attribute::new("ai.usage.inputTokenDetails.noCacheTokens", 10),
            Attribute::new("ai.usage.inputTokenDetails.cacheReadTokens", 60),
            Attribute::new("ai.usage.inputTokenDetails.cacheWriteTokens", 30),
            Attribute::new("ai.response.msToFirstChunk", 250.5),
        ];
        let reading = span("ai", "ai.streamText.doStream", &attributes).unwrap();
        assert_eq!((reading.usage.input, reading.usage.cache_read), (Some(100), Some(60)));
        assert_eq!(reading.time_to_first_token, Some(250_500_000));
        assert_eq!(reading.streaming, Some(true));
    }

    #[test]
    fn a_stream_without_usage_tells_none() {
        let attributes = [
            Attribute::new("ai.operationId", "ai.streamText.doStream"),
            Attribute::new("ai.usage.promptTokens", f64::NAN),
            Attribute::new("ai.usage.completionTokens", f64::NAN),
            Attribute::new("gen_ai.usage.input_tokens", f64::NAN),
        ];
        let events = [event("ai.stream.firstChunk", 120, &[])];
        let reading = with_events("ai", "ai.streamText.doStream", None, &attributes, &events).unwrap();
        assert_eq!((reading.usage.input, reading.usage.output), (None, None));
        assert_eq!(reading.time_to_first_token, Some(120_000_000));
    }

    #[test]
    fn thoughts_beside_the_output_are_added() {
        let attributes = [
            Attribute::new("ai.operationId", "ai.generateText.doGenerate"),
            Attribute::new("ai.model.provider", "google.generative-ai"),
            Attribute::new("ai.usage.inputTokens", 100),
            Attribute::new("ai.usage.outputTokens", 30),
            Attribute::new("ai.usage.reasoningTokens", 12),
            Attribute::new("ai.usage.totalTokens", 142),
        ];
        assert_eq!(span("ai", "x", &attributes).unwrap().usage.output, Some(42));
    }
}
