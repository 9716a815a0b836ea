//! Why a model stopped, in words that are the same for all providers.

use llm_observatory_core::attributes::Value;
use llm_observatory_core::text::Text;

use crate::json::{field, structure};
use crate::seen::Seen;
use crate::slots::Slot::{self, *};
use crate::value;

/// Where reasons are told, in the order of precedence. A list may have one for each choice.
const REASONS: &[Slot] = &[
    FinishReasons,
    VercelFinishReason,
    LlmFinishReason,
    FinishReason,
    StopReason,
    LlmResponseFinishReason,
    LlmResponseStopReason,
    PlainFinishReasons,
    FirstCompletionFinishReason,
    AnthropicStopReason,
    // Where Python's wrapper of OpenAI puts it for streams.
    LangfuseFinishReason,
];

/// Providers' words, in lower case, by the word that stands for them. Every other word stays as it is.
const WORDS: &[(&str, &[&str])] = &[
    ("stop", &["stop", "end_turn", "stop_sequence", "complete", "completed", "eos", "end"]),
    (
        "length",
        &[
            "length",
            "max_tokens",
            "max_output_tokens",
            "model_length",
            "model_context_window_exceeded",
            "max_length",
        ],
    ),
    ("tool_call", &["tool_call", "tool_calls", "tool-call", "tool-calls", "tool_use", "function_call"]),
    (
        "content_filter",
        &[
            "content_filter",
            "content-filter",
            "content_filtered",
            "safety",
            "recitation",
            "blocklist",
            "prohibited_content",
            "spii",
            "guardrail_intervened",
            "refusal",
        ],
    ),
    ("error", &["error", "malformed_function_call", "failed"]),
];

/// The reasons that the attributes tell, or else the messages of the answer.
pub(crate) fn reasons(seen: &Seen<'_>) -> Vec<Text> {
    for slot in REASONS {
        let mut reasons = Vec::new();
        if let Some(value) = seen.get(*slot) {
            value::list(value, |reason| reasons.push(canonical(reason)));
        }
        if !reasons.is_empty() {
            return reasons;
        }
    }
    seen.get(OutputMessages).map(of_messages).unwrap_or_default()
}

/// The word for a provider's reason.
pub(crate) fn canonical(reason: &str) -> Text {
    let reason = reason.trim();
    let reason = reason.strip_prefix("FinishReason.").unwrap_or(reason);
    let is = |word: &&str| reason.eq_ignore_ascii_case(word);
    match WORDS.iter().find(|(_, words)| words.iter().any(&is)) {
        Some((word, _)) => Text::from_static(word),
        None => Text::from(reason),
    }
}

fn of_messages(messages: &Value<'_>) -> Vec<Text> {
    let Some(messages) = structure(messages) else { return Vec::new() };
    let Value::Array(messages) = &*messages else { return Vec::new() };
    let reasons = messages.iter().filter_map(|message| field(message, "finish_reason")?.as_str());
    reasons.map(canonical).filter(|reason| !reason.is_empty()).take(value::MAX_LIST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_have_one_word() {
        for (reason, expected) in [
            ("end_turn", "stop"),
            ("STOP", "stop"),
            ("FinishReason.STOP", "stop"),
            ("MAX_TOKENS", "length"),
            ("tool-calls", "tool_call"),
            ("SAFETY", "content_filter"),
            ("pause_turn", "pause_turn"),
        ] {
            assert_eq!(&*canonical(reason), expected);
        }
    }

    #[test]
    fn messages_of_the_answer_tell_reasons_too() {
        let text =
            r#"[{"role":"assistant","parts":[{"type":"text","content":"x"}],"finish_reason":"tool_call"}]"#;
        assert_eq!(of_messages(&Value::from(text)), [Text::from("tool_call")]);
        assert!(of_messages(&Value::from("[{")).is_empty());
        assert!(of_messages(&Value::from(r#"[{"finish_reason": 5}]"#)).is_empty());
    }
}
