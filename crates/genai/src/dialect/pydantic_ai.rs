//! Pydantic AI (scope `pydantic-ai`) and Logfire's own integrations (scopes `logfire.*`).
//!
//! Sources: `_instrumentation.py` and `models/instrumented.py` of pydantic/pydantic-ai, `_internal/integrations/llm_providers`
//! of Logfire. Input includes cached tokens, but for Anthropic in Logfire before March 2026.

use llm_observatory_core::llm::{Dialect, LlmKind};

use crate::json::{field, structure};
use crate::provider_usage::of_provider;
use crate::rules::Rules;
use crate::seen::Seen;
use crate::slots::Slot::*;
use crate::usage::{Counts, Includes};

/// Pydantic AI and Logfire.
pub(crate) struct PydanticAi;

impl Rules for PydanticAi {
    fn dialect(&self) -> Dialect {
        Dialect::PydanticAi
    }

    fn speaks(&self, seen: &Seen<'_>) -> bool {
        let scope = seen.scope.name;
        // Logfire adds its keys to the spans of other libraries too.
        let keys = || scope.is_empty() && (seen.has(LogfireMessage) || seen.has(LogfireSpanType));
        scope == "pydantic-ai"
            || scope.starts_with("logfire")
            || seen.slots.marks.owns(Dialect::PydanticAi)
            || keys()
    }

    fn kind(&self, seen: &Seen<'_>) -> Option<LlmKind> {
        if seen.has(Operation) {
            return None;
        }
        if seen.has(AgentNamePlain) || seen.name == "agent run" {
            return Some(LlmKind::Agent);
        }
        if seen.scope.name.starts_with("logfire.") && seen.has(RequestData) {
            let embeds = seen.name.starts_with("Embedding");
            return Some(if embeds { LlmKind::Embedding } else { LlmKind::Llm });
        }
        None
    }

    fn is_call(&self, seen: &Seen<'_>, kind: LlmKind) -> bool {
        kind.calls_a_model() && !announces_stream(seen)
    }

    fn count(&self, seen: &Seen<'_>, counts: &mut Counts) {
        for (slot, inner) in [(UsageRaw, None), (ResponseData, Some("usage"))] {
            let Some(map) = seen.get(slot).and_then(structure) else { continue };
            let usage = match inner {
                Some(key) => field(&map, key),
                None => Some(&*map),
            };
            if let Some(told) = usage.and_then(of_provider) {
                counts.complete(&told);
            }
        }
    }

    fn input(&self, seen: &Seen<'_>, provider: Option<&str>) -> Includes {
        match provider {
            Some("anthropic") if seen.scope.name.starts_with("logfire.") => Includes::Unknown,
            _ => Includes::Yes,
        }
    }
}

/// Whether this is Logfire's span of the request of a streamed call, which tells nothing of the answer: a second span,
/// `streaming response from ...`, tells what came, with its usage, and is the call. It is no child of the first, so nesting
/// does not tell. A request that failed has no second span.
fn announces_stream(seen: &Seen<'_>) -> bool {
    let answer =
        [ResponseData, ResponseId, InputTokens, OutputTokens, UsageRaw, OutputMessages, FinishReasons];
    seen.scope.name.starts_with("logfire.") && !seen.failed() && !answer.iter().any(|slot| seen.has(*slot))
}

#[cfg(test)]
mod tests {
    use llm_observatory_core::attributes::Attribute;

    use super::*;
    use crate::tests::{failed, span};

    #[test]
    fn an_agent_and_its_call() {
        let agent = [
            Attribute::new("gen_ai.agent.name", "support"),
            Attribute::new("agent_name", "support"),
            Attribute::new("model_name", "gpt-4o"),
            Attribute::new("gen_ai.usage.input_tokens", 100),
            Attribute::new("gen_ai.usage.output_tokens", 10),
            Attribute::new("logfire.msg", "support run"),
        ];
        let reading = span("pydantic-ai", "agent run", &agent).unwrap();
        assert_eq!((reading.kind, reading.is_call), (LlmKind::Agent, false), "older agents repeat the usage");
        assert_eq!(reading.agent_name.as_deref(), Some("support"));
        let chat = [
            Attribute::new("gen_ai.operation.name", "chat"),
            Attribute::new("gen_ai.system", "google-gla"),
            Attribute::new("gen_ai.request.model", "gemini-2.5-flash"),
            Attribute::new("gen_ai.usage.details.cached_content_tokens", 40),
            Attribute::new("gen_ai.usage.details.thoughts_tokens", 7),
            Attribute::new("gen_ai.usage.input_tokens", 100),
            Attribute::new("gen_ai.usage.output_tokens", 17),
            Attribute::new("operation.cost", 0.0015),
        ];
        let reading = span("pydantic-ai", "chat gemini-2.5-flash", &chat).unwrap();
        assert_eq!((reading.kind, reading.is_call), (LlmKind::Llm, true));
        assert_eq!(reading.provider.as_deref(), Some("gcp.gemini"));
        assert_eq!((reading.usage.cache_read, reading.usage.reasoning), (Some(40), Some(7)));
        assert_eq!(reading.reported_cost.map(|cost| cost.0), Some(1_500_000));
    }

    #[test]
    fn the_span_with_the_streamed_answer_is_the_call() {
        let request = [
            Attribute::new("request_data", r#"{"model": "gpt-4o"}"#),
            Attribute::new("gen_ai.system", "openai"),
            Attribute::new("gen_ai.request.model", "gpt-4o"),
        ];
        let name = "Chat Completion with {request_data[model]!r}";
        let reading = span("logfire.openai", name, &request).unwrap();
        assert_eq!((reading.kind, reading.is_call), (LlmKind::Llm, false));
        assert!(failed("logfire.openai", name, "", &request).unwrap().is_call, "no other span tells it");
        let response = [
            Attribute::new("request_data", r#"{"model": "gpt-4o"}"#),
            Attribute::new(
                "response_data",
                r#"{"message": {"content": "hi"}, "usage": {"prompt_tokens": 12, "completion_tokens": 3}}"#,
            ),
            Attribute::new("gen_ai.request.model", "gpt-4o"),
            Attribute::new("logfire.span_type", "log"),
        ];
        let reading =
            span("logfire.openai", "streaming response from {request_data[model]!r}", &response).unwrap();
        assert!(reading.is_call);
        assert_eq!((reading.usage.input, reading.usage.output), (Some(12), Some(3)));
    }

    #[test]
    fn pending_spans_and_ordinary_spans_of_logfire_are_none() {
        let pending = [
            Attribute::new("gen_ai.operation.name", "chat"),
            Attribute::new("logfire.span_type", "pending_span"),
        ];
        assert_eq!(span("pydantic-ai", "chat gpt-4o", &pending), None);
        let web = [Attribute::new("logfire.msg", "GET /"), Attribute::new("logfire.span_type", "span")];
        assert_eq!(span("logfire", "GET /", &web), None);
    }
}
