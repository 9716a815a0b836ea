//! Gemini CLI: log events `gemini_cli.*`, and spans of the agent `gemini-cli`.
//!
//! Sources: docs/cli/telemetry.md of google-gemini/gemini-cli and MLflow's translation of its spans. Counts are Gemini's own:
//! the output excludes thoughts.

use llm_observatory_core::llm::{Dialect, LlmKind, LlmReading};
use llm_observatory_core::text::Text;

use crate::rules::Rules;
use crate::seen::Seen;
use crate::slots::Slot::*;
use crate::usage::Counts;
use crate::value::sum;

/// Gemini CLI.
pub(crate) struct GeminiCli;

impl Rules for GeminiCli {
    fn dialect(&self) -> Dialect {
        Dialect::GeminiCli
    }

    fn speaks(&self, seen: &Seen<'_>) -> bool {
        seen.name.starts_with("gemini_cli.")
            || seen.scope.name == "gemini-cli"
            || seen.is(AgentName, "gemini-cli")
    }

    fn kind(&self, seen: &Seen<'_>) -> Option<LlmKind> {
        if seen.is(Operation, "schedule_tool_calls") {
            return Some(LlmKind::Workflow);
        }
        match seen.name.strip_prefix("gemini_cli.")? {
            "api_response" | "api_error" => Some(LlmKind::Llm),
            "tool_call" => Some(LlmKind::Tool),
            // The request of a call that a response or an error tells.
            _ => Some(LlmKind::Other),
        }
    }

    /// The span `llm_call` has ended when its tokens are known, and tells none: the log record is the call.
    fn is_call(&self, seen: &Seen<'_>, kind: LlmKind) -> bool {
        kind.calls_a_model() && seen.span.is_none()
    }

    /// `gen_ai.client.inference.operation.details` repeats the record of the response. A response comes after the span, in
    /// none; an error comes in the span. Recordings of version 0.61 show it so.
    fn is_call_in_log(&self, seen: &Seen<'_>) -> bool {
        seen.name.starts_with("gemini_cli.")
    }

    fn count(&self, seen: &Seen<'_>, counts: &mut Counts) {
        let thoughts = seen.count(&[ThoughtsTokenCount]);
        counts.complete(&Counts {
            input: sum(&[seen.count(&[InputTokenCount]), seen.count(&[ToolTokenCount])]),
            output: sum(&[seen.count(&[OutputTokenCount]), thoughts]),
            cache_read: seen.count(&[CachedContentTokenCount]),
            reasoning: thoughts,
            ..Counts::default()
        });
    }

    fn amend(&self, seen: &Seen<'_>, reading: &mut LlmReading) {
        if reading.is_call {
            reading.provider.get_or_insert_with(|| "gcp.gen_ai".into());
        }
        // The id of one prompt of a user, not of a managed prompt.
        reading.prompt_name = None;
        if reading.kind == LlmKind::Tool {
            reading.tool_name = reading.tool_name.take().or_else(|| seen.text(&[FunctionName]));
            // The name of the tool stands before the model's id.
            if let Some((name, id)) = reading.tool_call_id.as_deref().and_then(|id| id.split_once("__"))
                && reading.tool_name.as_deref() == Some(name)
            {
                reading.tool_call_id = Some(Text::from(id));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use llm_observatory_core::attributes::{Attribute, Value};

    use super::*;
    use crate::tests::log;

    #[test]
    fn a_response_is_the_call() {
        let attributes = [
            Attribute::new("event.name", "gemini_cli.api_response"),
            Attribute::new("session.id", "s-1"),
            Attribute::new("model", "gemini-2.5-pro"),
            Attribute::new("input_token_count", 100),
            Attribute::new("output_token_count", 20),
            Attribute::new("cached_content_token_count", 60),
            Attribute::new("thoughts_token_count", 30),
            Attribute::new("tool_token_count", 0),
            Attribute::new("total_token_count", 150),
        ];
        let reading = log("gemini-cli", "", &attributes, &Value::from("API response")).unwrap();
        assert_eq!((reading.dialect, reading.is_call), (Dialect::GeminiCli, true));
        assert_eq!((reading.usage.input, reading.usage.output), (Some(100), Some(50)));
        assert_eq!(reading.usage.reasoning, Some(30));
        let request = [Attribute::new("event.name", "gemini_cli.api_request"), Attribute::new("model", "x")];
        assert_eq!(log("gemini-cli", "", &request, &Value::Empty), None, "the response tells the call");
    }
}
