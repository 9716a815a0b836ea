//! Content in one JSON document under one key: Langfuse, MLflow, LangSmith, Logfire, Pydantic AI, ADK, Traceloop,
//! OpenInference's `input.value`, Claude Code. What the document holds is up to the application or the provider.

use llm_observatory_core::llm::{Message, Part};

use super::json::Json;
use super::keys::Keys;
use super::message;
use super::request::{self, Request};
use super::response;

/// The first of these keys whose document says something that went in.
pub(super) fn input(keys: &Keys<'_>, names: &[&str]) -> Request {
    let requests = names.iter().filter_map(|name| Some(request::read(&keys.document(name)?)));
    requests.into_iter().find(|request| !request.messages.is_empty()).unwrap_or_default()
}

/// The first of these keys whose document says something that came out.
pub(super) fn output(keys: &Keys<'_>, names: &[&str]) -> Vec<Message> {
    let answers = names.iter().filter_map(|name| Some(response::read(&keys.document(name)?)));
    answers.into_iter().find(|answer| !answer.is_empty()).unwrap_or_default()
}

/// What went in by Logfire's copy of the request, which may be cut down to its parameters.
pub(super) fn request_data(keys: &Keys<'_>) -> Request {
    keys.document("request_data").and_then(|json| request::read_known(&json)).unwrap_or_default()
}

/// What came out by Logfire's copy of the response.
pub(super) fn response_data(keys: &Keys<'_>) -> Vec<Message> {
    keys.document("response_data").and_then(|json| response::read_known(&json)).unwrap_or_default()
}

/// Instructions that stand apart from the messages: among the parameters of the request (OpenInference for JavaScript), or
/// in the metadata (Langfuse for JavaScript).
pub(super) fn system(keys: &Keys<'_>) -> Vec<Part> {
    let parameters = keys.document("llm.invocation_parameters").and_then(|json| request::system(&json));
    parameters.unwrap_or_else(|| {
        let text = keys.text("langfuse.observation.metadata.instructions");
        text.map(|text| vec![Part::Text(text.to_owned())]).unwrap_or_default()
    })
}

/// Whole conversations of Pydantic AI and Logfire, whose end is the answer.
const CONVERSATIONS: &[&str] = &["pydantic_ai.all_messages", "all_messages", "all_messages_events", "events"];

/// The part of a conversation that went in.
pub(super) fn conversation_input(keys: &Keys<'_>) -> Vec<Message> {
    conversation(keys).0
}

/// The part of a conversation that came out.
pub(super) fn conversation_output(keys: &Keys<'_>) -> Vec<Message> {
    conversation(keys).1
}

fn conversation(keys: &Keys<'_>) -> (Vec<Message>, Vec<Message>) {
    let found = CONVERSATIONS.iter().find_map(|name| {
        let json = keys.document(name)?;
        let items = json.items().filter(|items| items.iter().all(message::is_message))?;
        let is_choice = |item: &&Json<'_>| item.text_at(&["event.name"]) == Some("gen_ai.choice");
        let choices = items.iter().rev().take_while(is_choice).count().max(1);
        let (before, end) = items.split_at(items.len().saturating_sub(choices));
        let (mut before, mut end) = (message::list(before, "user"), message::list(end, "assistant"));
        if end.iter().any(|message| message.role != "assistant") {
            before.append(&mut end);
        }
        Some((before, end)).filter(|(before, end)| !before.is_empty() || !end.is_empty())
    });
    found.unwrap_or_default()
}
