//! Vercel AI SDK 7 with `@ai-sdk/otel`: scope `gen_ai`, keys `gen_ai.*`.
//!
//! Source: `packages/otel/src/open-telemetry.ts` of vercel/ai. `invoke_agent` and the steps repeat the usage of the calls below
//! them; their operations make them agents and workflows, which are no calls.

use llm_observatory_core::llm::{Dialect, LlmReading};

use crate::dialect::vercel_metadata;
use crate::rules::Rules;
use crate::seen::Seen;
use crate::usage::Counts;

/// Vercel AI SDK, keys of OpenTelemetry.
pub(crate) struct VercelAiOtel;

impl Rules for VercelAiOtel {
    fn dialect(&self) -> Dialect {
        Dialect::VercelAiOtel
    }

    fn speaks(&self, seen: &Seen<'_>) -> bool {
        matches!(seen.scope.name, "gen_ai" | "@ai-sdk/otel")
    }

    fn amend(&self, seen: &Seen<'_>, reading: &mut LlmReading) {
        reading.service_tier = reading.service_tier.take().or_else(|| vercel_metadata::service_tier(seen));
    }

    fn count(&self, seen: &Seen<'_>, counts: &mut Counts) {
        counts.complete(&vercel_metadata::counts(seen));
    }
}

#[cfg(test)]
mod tests {
    use llm_observatory_core::attributes::Attribute;
    use llm_observatory_core::llm::LlmKind;

    use super::*;
    use crate::tests::span;

    #[test]
    fn an_agent_its_step_and_its_call() {
        let read = |operation: &'static str| {
            let attributes = [
                Attribute::new("gen_ai.operation.name", operation),
                Attribute::new("gen_ai.provider.name", "openai"),
                Attribute::new("gen_ai.usage.input_tokens", 5),
                Attribute::new("gen_ai.client.operation.time_to_first_chunk", 0.25),
            ];
            span("gen_ai", operation, &attributes).unwrap()
        };
        assert_eq!((read("invoke_agent").kind, read("invoke_agent").is_call), (LlmKind::Agent, false));
        assert_eq!((read("agent_step").kind, read("agent_step").is_call), (LlmKind::Workflow, false));
        let chat = read("chat");
        assert_eq!((chat.dialect, chat.is_call), (Dialect::VercelAiOtel, true));
        assert_eq!(chat.time_to_first_token, Some(250_000_000), "seconds");
    }
}
