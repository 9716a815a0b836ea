//! LiteLLM, as a library and as a proxy: scope `litellm`, keys `litellm.*`.
//!
//! Sources: `litellm/integrations/opentelemetry.py` (V1) and `litellm/integrations/otel` (V2). Input includes Anthropic's
//! cached tokens. The proxy's own span may repeat what its call tells, and an answer out of LiteLLM's cache costs nothing.

use llm_observatory_core::llm::{Dialect, LlmKind, LlmReading};

use crate::json::{field, structure};
use crate::money;
use crate::provider_usage::of_provider;
use crate::rules::Rules;
use crate::seen::Seen;
use crate::slots::Slot::*;
use crate::usage::Counts;
use crate::value;

/// LiteLLM.
pub(crate) struct LiteLlm;

impl Rules for LiteLlm {
    fn dialect(&self) -> Dialect {
        Dialect::LiteLlm
    }

    fn speaks(&self, seen: &Seen<'_>) -> bool {
        let keys = [LitellmCallId, LitellmCost, LitellmStreaming, LitellmGuardrail, LitellmCacheHit];
        seen.scope.name == "litellm"
            || matches!(seen.name, "litellm_request" | "raw_gen_ai_request")
            || seen.slots.marks.owns(Dialect::LiteLlm)
            || keys.iter().any(|slot| seen.has(*slot))
    }

    fn kind(&self, seen: &Seen<'_>) -> Option<LlmKind> {
        match seen.name {
            // The provider's parameters, below the call.
            "raw_gen_ai_request" => Some(LlmKind::Other),
            "Received Proxy Server Request" => Some(LlmKind::Workflow),
            "guardrail" => Some(LlmKind::Guardrail),
            _ => match seen.str(&[Operation, LlmRequestType])?.as_ref() {
                // What is no call of a model: lists of models, checks of health.
                own if own.starts_with("litellm.") => Some(LlmKind::Other),
                function => kind_of(function),
            },
        }
    }

    fn count(&self, seen: &Seen<'_>, counts: &mut Counts) {
        if let Some(told) = seen.get(LitellmUsage).and_then(structure).as_deref().and_then(of_provider) {
            counts.complete(&told);
        }
    }

    fn is_call(&self, seen: &Seen<'_>, kind: LlmKind) -> bool {
        kind.calls_a_model() && seen.truth(&[LitellmCacheHit]) != Some(true)
    }

    fn amend(&self, seen: &Seen<'_>, reading: &mut LlmReading) {
        // Where no response came, LiteLLM's own id stands in its place.
        if reading.response_id.is_some() && reading.response_id == seen.text(&[LitellmCallId]) {
            reading.response_id = None;
        }
        if reading.reported_cost.is_none()
            && let Some(map) = seen.get(HiddenParameters).and_then(structure)
        {
            reading.reported_cost = field(&map, "response_cost").and_then(money::dollars);
            if field(&map, "cache_hit").and_then(value::truth) == Some(true) {
                reading.is_call = false;
            }
        }
    }
}

/// The kind that LiteLLM's name of a function tells; those that are asynchronous begin with an `a`.
fn kind_of(function: &str) -> Option<LlmKind> {
    Some(match function.strip_prefix('a').unwrap_or(function) {
        "completion" | "text_completion" | "responses" | "nthropic_messages" | "anthropic_messages" => {
            LlmKind::Llm
        }
        "image_generation" | "transcription" | "speech" => LlmKind::Llm,
        "embedding" => LlmKind::Embedding,
        "rerank" => LlmKind::Reranker,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use llm_observatory_core::attributes::Attribute;

    use super::*;
    use crate::tests::span;

    fn request(more: Attribute<'static>) -> LlmReading {
        let attributes = [
            Attribute::new("gen_ai.operation.name", "chat"),
            Attribute::new("gen_ai.system", "openai"),
            Attribute::new("gen_ai.request.model", "gpt-4o"),
            Attribute::new("llm.is_streaming", "False"),
            Attribute::new("llm.user", "u-1"),
            Attribute::new("gen_ai.usage.input_tokens", 100),
            Attribute::new("gen_ai.usage.output_tokens", 5),
            more,
        ];
        span("litellm", "litellm_request", &attributes).unwrap()
    }

    #[test]
    fn a_call() {
        let reading =
            request(Attribute::new("hidden_params", "{'response_cost': 0.00035, 'model_id': None}"));
        assert_eq!((reading.kind, reading.is_call, reading.streaming), (LlmKind::Llm, true, Some(false)));
        assert_eq!(reading.reported_cost.map(|cost| cost.0), Some(350_000));
        assert_eq!(reading.user_id.as_deref(), Some("u-1"));
        let reading = request(Attribute::new("gen_ai.cost.total_cost", 0.25));
        assert_eq!(reading.reported_cost.map(|cost| cost.0), Some(250_000_000));
    }

    #[test]
    fn an_id_of_its_own_is_no_response() {
        let id = |own: &'static str| {
            let attributes =
                [Attribute::new("gen_ai.response.id", "chatcmpl-1"), Attribute::new("litellm.call_id", own)];
            span("litellm", "litellm_request", &attributes).unwrap().response_id
        };
        assert_eq!(id("720adf91").as_deref(), Some("chatcmpl-1"));
        assert_eq!(id("chatcmpl-1"), None);
    }

    #[test]
    fn spans_that_repeat_a_call_are_none() {
        assert!(!request(Attribute::new("litellm.cache_hit", "True")).is_call);
        let proxy = [
            Attribute::new("gen_ai.usage.input_tokens", 100),
            Attribute::new("gen_ai.request.model", "gpt-4o"),
        ];
        let reading = span("litellm", "Received Proxy Server Request", &proxy).unwrap();
        assert_eq!((reading.kind, reading.is_call), (LlmKind::Workflow, false));
        let raw = [Attribute::new("llm.openai.messages", "[]")];
        assert!(!span("litellm", "raw_gen_ai_request", &raw).unwrap().is_call);
        assert_eq!(span("litellm", "redis", &[Attribute::new("service", "redis")]), None);
    }
}
