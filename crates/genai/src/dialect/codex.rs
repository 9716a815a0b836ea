//! OpenAI Codex: log events `codex.*`.
//!
//! Source: `codex-rs/otel` of openai/codex. The event of the completed response has the counts, which are OpenAI's: input
//! includes cached tokens, output includes reasoning.

use llm_observatory_core::llm::{Dialect, LlmKind, LlmReading};

use crate::rules::Rules;
use crate::seen::Seen;
use crate::slots::Slot::*;
use crate::usage::Counts;

/// OpenAI Codex.
pub(crate) struct Codex;

impl Rules for Codex {
    fn dialect(&self) -> Dialect {
        Dialect::Codex
    }

    fn speaks(&self, seen: &Seen<'_>) -> bool {
        seen.name.starts_with("codex.") || seen.scope.name.starts_with("codex_")
    }

    fn kind(&self, seen: &Seen<'_>) -> Option<LlmKind> {
        Some(match seen.name {
            // The end of a response is told twice, with counts once.
            "codex.sse_event" | "codex.websocket_event" if seen.has(InputTokenCount) => LlmKind::Llm,
            "codex.api_request" if seen.whole(&[HttpStatus]).is_some_and(|status| status >= 400) => {
                LlmKind::Llm
            }
            "handle_responses" if seen.has(InputTokens) => LlmKind::Llm,
            "codex.tool_result" => LlmKind::Tool,
            _ => LlmKind::Other,
        })
    }

    /// The span `handle_responses` repeats the tokens without the model, and only where `otel.trace_exporter` is set: the log
    /// record is the call. Recordings of version 0.169 show it so.
    fn is_call(&self, seen: &Seen<'_>, kind: LlmKind) -> bool {
        kind.calls_a_model() && seen.span.is_none()
    }

    fn is_call_in_log(&self, _seen: &Seen<'_>) -> bool {
        true
    }

    fn count(&self, seen: &Seen<'_>, counts: &mut Counts) {
        counts.complete(&Counts {
            input: seen.count(&[InputTokenCount]),
            output: seen.count(&[OutputTokenCount]),
            cache_read: seen.count(&[CachedTokenCount]),
            cache_creation: seen.count(&[CacheWriteTokenCount]),
            reasoning: seen.count(&[ReasoningTokenCount]),
            ..Counts::default()
        });
    }

    fn amend(&self, seen: &Seen<'_>, reading: &mut LlmReading) {
        reading.conversation_id =
            reading.conversation_id.take().or_else(|| seen.text(&[PlainConversationId]));
        reading.session_id = reading.session_id.take().or_else(|| reading.conversation_id.clone());
        if reading.is_call {
            reading.provider.get_or_insert_with(|| "openai".into());
            if seen.name == "codex.api_request" {
                reading.error_type = reading.error_type.take().or_else(|| seen.text(&[HttpStatus]));
            }
        }
        if reading.kind == LlmKind::Tool {
            reading.tool_name = reading.tool_name.take().or_else(|| seen.text(&[PlainToolName]));
            reading.tool_call_id = reading.tool_call_id.take().or_else(|| seen.text(&[CallId]));
        }
    }
}

#[cfg(test)]
mod tests {
    use llm_observatory_core::attributes::{Attribute, Value};

    use super::*;
    use crate::tests::log;

    #[test]
    fn the_completed_response_is_the_call() {
        let attributes = [
            Attribute::new("event.name", "codex.sse_event"),
            Attribute::new("event.kind", "response.completed"),
            Attribute::new("conversation.id", "c-1"),
            Attribute::new("model", "gpt-5-codex"),
            Attribute::new("input_token_count", "100"),
            Attribute::new("cached_token_count", "60"),
            Attribute::new("output_token_count", "50"),
            Attribute::new("reasoning_token_count", "20"),
        ];
        let reading = log("codex_otel", "", &attributes, &Value::Empty).unwrap();
        assert_eq!((reading.dialect, reading.is_call), (Dialect::Codex, true));
        assert_eq!((reading.usage.input, reading.usage.output), (Some(100), Some(50)));
        assert_eq!(
            (reading.session_id.as_deref(), reading.provider.as_deref()),
            (Some("c-1"), Some("openai"))
        );
        let bare = [
            Attribute::new("event.name", "codex.sse_event"),
            Attribute::new("event.kind", "response.completed"),
        ];
        assert_eq!(log("codex_otel", "", &bare, &Value::Empty), None, "the same end, without counts");
        let failed = [
            Attribute::new("event.name", "codex.api_request"),
            Attribute::new("http.response.status_code", 429),
        ];
        assert!(log("codex_otel", "event session.rs:1", &failed, &Value::Empty).unwrap().is_call);
        let delta = [
            Attribute::new("event.name", "codex.sse_event"),
            Attribute::new("event.kind", "response.output_text.delta"),
        ];
        assert_eq!(log("codex_otel", "", &delta, &Value::Empty), None);
    }
}
