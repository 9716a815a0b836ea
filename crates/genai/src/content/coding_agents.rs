//! Content of coding agents on a terminal: Claude Code, Gemini CLI, Codex. They tell prompts and answers in log records.
//!
//! Source: what Claude Code 2.1, Gemini CLI and Codex 0.169 export. Their records have their name in the attribute
//! `event.name`; Claude Code's stands there without its prefix.

use llm_observatory_core::attributes::find;
use llm_observatory_core::llm::{Message, Part};

use crate::observation::Event;

use super::keys::Keys;
use super::placeholder::is_placeholder;

const PROMPTS: &[&str] = &["user_prompt", "gemini_cli.user_prompt", "codex.user_prompt"];
const ANSWERS: &[&str] = &["assistant_response"];

/// The prompts of the user.
pub(super) fn input(keys: &Keys<'_>, events: &[Event<'_>]) -> Vec<Message> {
    messages("user", keys.text("user_prompt"), events, PROMPTS, "prompt")
}

/// The answers.
pub(super) fn output(keys: &Keys<'_>, events: &[Event<'_>]) -> Vec<Message> {
    messages("assistant", keys.text("response.model_output"), events, ANSWERS, "response")
}

fn messages(role: &str, own: Option<&str>, events: &[Event<'_>], names: &[&str], key: &str) -> Vec<Message> {
    let text = |told: &Event<'_>| {
        let name = find(told.attributes, "event.name").and_then(|name| name.as_str())?;
        let text = find(told.attributes, key).and_then(|text| text.as_str())?;
        (names.contains(&name) && !is_placeholder(text)).then(|| text.to_owned())
    };
    let texts = match own {
        Some(own) => vec![own.to_owned()],
        None => events.iter().filter_map(text).collect(),
    };
    let message =
        |text| Message { role: role.to_owned(), parts: vec![Part::Text(text)], ..Message::default() };
    texts.into_iter().map(message).collect()
}
