//! Claude Code: spans and log events `claude_code.*`, with bare keys.
//!
//! Sources: Anthropic's documentation of its monitoring and exports of version 2.1. The bare `input_tokens` excludes cached
//! tokens, as Anthropic's API has it; `gen_ai.usage.input_tokens` beside it includes them.

use llm_observatory_core::llm::{Dialect, LlmKind, LlmReading};
use llm_observatory_core::text::Text;

use crate::rules::Rules;
use crate::seen::Seen;
use crate::slots::Slot::*;
use crate::usage::{Counts, Includes};

/// Claude Code.
pub(crate) struct ClaudeCode;

impl Rules for ClaudeCode {
    fn dialect(&self) -> Dialect {
        Dialect::ClaudeCode
    }

    fn speaks(&self, seen: &Seen<'_>) -> bool {
        seen.name.starts_with("claude_code.") || seen.scope.name.starts_with("com.anthropic.claude_code")
    }

    fn kind(&self, seen: &Seen<'_>) -> Option<LlmKind> {
        Some(match step(seen) {
            "llm_request" | "api_request" | "api_error" => LlmKind::Llm,
            "interaction" => LlmKind::Agent,
            "tool" | "tool_result" => LlmKind::Tool,
            _ => LlmKind::Other,
        })
    }

    /// Claude Code exports spans only where it is told to (`CLAUDE_CODE_ENHANCED_TELEMETRY_BETA`). Then `llm_request` is the
    /// call, and the record of the request stands in the span above it. Recordings of version 2.1 show it so.
    fn is_call_in_log(&self, seen: &Seen<'_>) -> bool {
        !seen.is_in_span
    }

    /// A session may last for days; what one prompt sets off belongs together.
    fn trace_of_log(&self, seen: &Seen<'_>) -> Option<Text> {
        seen.text(&[PromptId])
    }

    fn count(&self, seen: &Seen<'_>, counts: &mut Counts) {
        counts.complete(&Counts {
            input: seen.count(&[PlainInputTokens]),
            output: seen.count(&[PlainOutputTokens]),
            cache_read: seen.count(&[PlainCacheReadTokens]),
            cache_creation: seen.count(&[PlainCacheCreationTokens]),
            cache_creation_1h: seen.count(&[PlainCacheCreation1h]),
            ..Counts::default()
        });
    }

    fn input(&self, seen: &Seen<'_>, _provider: Option<&str>) -> Includes {
        if seen.has(InputTokens) { Includes::Yes } else { Includes::No }
    }

    fn amend(&self, seen: &Seen<'_>, reading: &mut LlmReading) {
        if reading.is_call {
            reading.provider.get_or_insert_with(|| "anthropic".into());
            reading.parameters.reasoning_effort =
                reading.parameters.reasoning_effort.take().or_else(|| seen.text(&[Effort]));
        }
        // Log events of answers tell the model that answered, spans the one that was asked.
        if step(seen) == "api_request" {
            reading.response_model = reading.response_model.take().or_else(|| reading.request_model.take());
        }
        if reading.kind == LlmKind::Tool {
            reading.tool_name = reading.tool_name.take().or_else(|| seen.text(&[PlainToolName]));
            reading.tool_call_id = reading.tool_call_id.take().or_else(|| seen.text(&[ToolUseId]));
        }
        if reading.error_type.is_none() && (seen.failed() || step(seen) == "api_error") {
            reading.error_type = seen.text(&[ErrorClass, PlainStatusCode]);
        }
        // The id of one prompt of a user, not of a managed prompt.
        reading.prompt_name = None;
    }
}

/// What kind of span or event it is, without what tells it from other programs'.
fn step<'a>(seen: &Seen<'a>) -> &'a str {
    seen.name.strip_prefix("claude_code.").unwrap_or(seen.name)
}

#[cfg(test)]
mod tests {
    use llm_observatory_core::attributes::{Attribute, Value};

    use super::*;
    use crate::tests::{log, span};

    #[test]
    fn a_request_as_a_log_event() {
        let attributes = [
            Attribute::new("event.name", "api_request"),
            Attribute::new("session.id", "s-1"),
            Attribute::new("prompt.id", "p-1"),
            Attribute::new("model", "claude-sonnet-4-5"),
            Attribute::new("cost_usd", "0.0125"),
            Attribute::new("input_tokens", "10"),
            Attribute::new("output_tokens", "5"),
            Attribute::new("cache_read_tokens", "60"),
            Attribute::new("cache_creation_tokens", "30"),
        ];
        let body = Value::from("claude_code.api_request");
        let reading = log("com.anthropic.claude_code.events", "", &attributes, &body).unwrap();
        assert_eq!(
            (reading.dialect, reading.kind, reading.is_call),
            (Dialect::ClaudeCode, LlmKind::Llm, true)
        );
        assert_eq!(reading.usage.input, Some(100));
        assert_eq!(reading.reported_cost.map(|cost| cost.0), Some(12_500_000));
        assert_eq!((reading.provider.as_deref(), reading.prompt_name), (Some("anthropic"), None));
    }

    #[test]
    fn spans() {
        let request = [
            Attribute::new("span.type", "llm_request"),
            Attribute::new("model", "claude-sonnet-4-5"),
            Attribute::new("input_tokens", 10),
            Attribute::new("cache_read_tokens", 60),
            Attribute::new("ttft_ms", 300),
        ];
        let reading = span("com.anthropic.claude_code.tracing", "claude_code.llm_request", &request).unwrap();
        assert_eq!((reading.usage.input, reading.time_to_first_token), (Some(70), Some(300_000_000)));
        let tool = [Attribute::new("span.type", "tool"), Attribute::new("tool_name", "Bash")];
        let reading = span("", "claude_code.tool", &tool).unwrap();
        assert_eq!((reading.kind, reading.tool_name.as_deref()), (LlmKind::Tool, Some("Bash")));
        assert_eq!(span("", "claude_code.interaction", &[]).unwrap().kind, LlmKind::Agent);
    }
}
