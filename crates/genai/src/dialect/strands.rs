//! Strands Agents and Bedrock AgentCore: scope `strands.telemetry.tracer`.
//!
//! Source: `strands/telemetry/tracer.py`. Input includes cached tokens since the middle of 2026; before that it was Bedrock's
//! own count, whose total includes them and tells the two apart. `gen_ai.server.time_to_first_token` is Bedrock's
//! `timeToFirstByteMs`, in milliseconds.

use llm_observatory_core::llm::{Dialect, LlmKind};

use crate::rules::{Rules, Unit};
use crate::seen::Seen;
use crate::slots::Slot::*;
use crate::usage::Includes;

/// Strands Agents.
pub(crate) struct Strands;

impl Rules for Strands {
    fn dialect(&self) -> Dialect {
        Dialect::Strands
    }

    fn speaks(&self, seen: &Seen<'_>) -> bool {
        seen.scope.name == "strands.telemetry.tracer"
            || seen.is(System, "strands-agents")
            || seen.is(ProviderName, "strands-agents")
    }

    fn kind(&self, seen: &Seen<'_>) -> Option<LlmKind> {
        matches!(seen.name, "execute_event_loop_cycle" | "Cycle").then_some(LlmKind::Workflow)
    }

    fn input(&self, _seen: &Seen<'_>, _provider: Option<&str>) -> Includes {
        Includes::Unknown
    }

    fn first_token_unit(&self) -> Unit {
        Unit::Millis
    }
}

#[cfg(test)]
mod tests {
    use llm_observatory_core::attributes::Attribute;

    use crate::tests::{event, span, with_events};

    fn chat(input: i64, total: i64) -> Vec<Attribute<'static>> {
        vec![
            Attribute::new("gen_ai.operation.name", "chat"),
            Attribute::new("gen_ai.system", "strands-agents"),
            Attribute::new("gen_ai.request.model", "us.anthropic.claude-sonnet-4-20250514-v1:0"),
            Attribute::new("gen_ai.usage.prompt_tokens", input),
            Attribute::new("gen_ai.usage.input_tokens", input),
            Attribute::new("gen_ai.usage.output_tokens", 5),
            Attribute::new("gen_ai.usage.total_tokens", total),
            Attribute::new("gen_ai.usage.cache_read_input_tokens", 60),
            Attribute::new("gen_ai.server.time_to_first_token", 250),
        ]
    }

    #[test]
    fn old_and_new_counts_mean_the_same() {
        let old = span("strands.telemetry.tracer", "chat", &chat(80, 145)).unwrap();
        let new = span("strands.telemetry.tracer", "chat", &chat(140, 145)).unwrap();
        assert_eq!((old.usage.input, new.usage.input), (Some(140), Some(140)));
        assert_eq!(new.time_to_first_token, Some(250_000_000), "milliseconds");
        assert_eq!(new.framework.as_deref(), Some("strands-agents"));
        assert_eq!(new.provider.as_deref(), Some("aws.bedrock"));
    }

    #[test]
    fn span_events_tell_why_it_stopped() {
        let choice = [Attribute::new("finish_reason", "tool_use"), Attribute::new("message", "[]")];
        let events = [event("gen_ai.choice", 900, &choice)];
        let reading = with_events("strands.telemetry.tracer", "chat", None, &chat(1, 6), &events).unwrap();
        assert_eq!(&*reading.finish_reasons[0], "tool_call");
        let tool = [
            Attribute::new("gen_ai.operation.name", "execute_tool"),
            Attribute::new("gen_ai.tool.status", "error"),
        ];
        let reading = span("strands.telemetry.tracer", "execute_tool add", &tool).unwrap();
        assert_eq!(
            (reading.tool_name.as_deref(), reading.error_type.as_deref()),
            (Some("add"), Some("tool_error"))
        );
    }
}
