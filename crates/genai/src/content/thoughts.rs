//! Thoughts that the messages of an answer do not tell as such.

use llm_observatory_core::llm::{Dialect, LlmReading, Message, Part};

use super::json::Json;
use super::keys::Keys;
use super::{part, response};

/// Adds to an answer without thoughts those that are told beside it.
pub(super) fn complete(output: &mut [Message], keys: &Keys<'_>, reading: &LlmReading) {
    let is_thought = |part: &Part| matches!(part, Part::Reasoning(_));
    let [answer, ..] = output else { return };
    if answer.parts.iter().any(is_thought) {
        return;
    }
    let told = beside(keys);
    if told.is_empty() && reading.dialect == Dialect::GoogleAdk && reading.usage.reasoning > Some(0) {
        first_text(&mut answer.parts);
    }
    answer.parts.splice(0..0, told);
}

/// The thoughts under keys of their own, or in the whole answer of the API beside its messages.
fn beside(keys: &Keys<'_>) -> Vec<Part> {
    let mut parts = of_vercel(keys);
    if parts.is_empty()
        && let Some(text) = keys.text("gen_ai.content.reasoning")
    {
        part::reasoning_part(text, &mut parts);
    }
    if parts.is_empty()
        && let Some(json) = keys.document("output.value").filter(|json| json.text().is_none())
    {
        let said = response::read(&json).into_iter().take(1).flat_map(|message| message.parts);
        parts.extend(said.filter(|part| matches!(part, Part::Reasoning(_))));
    }
    parts
}

/// `ai.response.reasoning` of the Vercel AI SDK: a text, or parts.
pub(super) fn of_vercel(keys: &Keys<'_>) -> Vec<Part> {
    let mut parts = Vec::new();
    match keys.document("ai.response.reasoning") {
        Some(Json::Text(text)) => part::reasoning_part(&text, &mut parts),
        Some(json) => part::read(&json, &mut parts),
        None => {}
    }
    parts
}

/// ADK 2 writes thoughts as texts. It joins texts of a kind, so of two beside each other the first is a thought.
fn first_text(parts: &mut [Part]) {
    if let [first, Part::Text(_), ..] = parts
        && let Part::Text(text) = first
    {
        *first = Part::Reasoning(std::mem::take(text));
    }
}
