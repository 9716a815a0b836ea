//! Content of Claude Code: attributes of its spans, and log records of what was asked and answered.
//!
//! Source: the monitoring page of its documentation, and what version 2.1 exports. Its records have their name in the
//! attribute `event.name`, with the prefix `claude_code.` only in the body.

use llm_observatory_core::attributes::find;
use llm_observatory_core::llm::{Message, Part};

use crate::observation::Event;

use super::keys::Keys;
use super::placeholder::is_placeholder;

/// The prompt of the user.
pub(super) fn input(keys: &Keys<'_>, events: &[Event<'_>]) -> Vec<Message> {
    messages("user", keys.text("user_prompt"), events, "user_prompt", "prompt")
}

/// The answers.
pub(super) fn output(keys: &Keys<'_>, events: &[Event<'_>]) -> Vec<Message> {
    messages("assistant", keys.text("response.model_output"), events, "assistant_response", "response")
}

fn messages(role: &str, own: Option<&str>, events: &[Event<'_>], event: &str, key: &str) -> Vec<Message> {
    let text = |told: &Event<'_>| {
        let name = find(told.attributes, "event.name").and_then(|name| name.as_str());
        let text = find(told.attributes, key).and_then(|text| text.as_str())?;
        (name == Some(event) && !is_placeholder(text)).then(|| text.to_owned())
    };
    let texts = match own {
        Some(own) => vec![own.to_owned()],
        None => events.iter().filter_map(text).collect(),
    };
    let message =
        |text| Message { role: role.to_owned(), parts: vec![Part::Text(text)], ..Message::default() };
    texts.into_iter().map(message).collect()
}
