//! Content in OpenTelemetry's GenAI conventions since 1.37: `gen_ai.input.messages` and its kin, as attributes of the span
//! or of an event `gen_ai.client.inference.operation.details`; JSON texts or structured values.
//!
//! Source: `docs/gen-ai/gen-ai-input-messages.json` and its kin in open-telemetry/semantic-conventions 1.41.

use llm_observatory_core::attributes::find;
use llm_observatory_core::llm::{Message, Part, ToolDefinition};

use crate::observation::Event;

use super::json::Json;
use super::keys::Keys;
use super::{message, part, request, response, tools};

const DETAILS: &str = "gen_ai.client.inference.operation.details";
const INPUT: &str = "gen_ai.input.messages";
const OUTPUT: &str = "gen_ai.output.messages";
const SYSTEM: &str = "gen_ai.system_instructions";
const TOOLS: &str = "gen_ai.tool.definitions";

/// The messages that went in.
pub(super) fn input(keys: &Keys<'_>) -> Vec<Message> {
    keys.document(INPUT).map(|json| input_of(&json)).unwrap_or_default()
}

fn input_of(json: &Json<'_>) -> Vec<Message> {
    match json {
        Json::List(items, _) if items.iter().all(Json::is_map) => message::list(items, "user"),
        json => request::read(json).messages,
    }
}

/// The messages that came out.
pub(super) fn output(keys: &Keys<'_>) -> Vec<Message> {
    keys.document(OUTPUT).map(|json| output_of(&json)).unwrap_or_default()
}

fn output_of(json: &Json<'_>) -> Vec<Message> {
    match json {
        Json::List(items, _) if items.iter().all(Json::is_map) => message::list(items, "assistant"),
        json => response::read(json),
    }
}

/// The instructions beside the messages.
pub(super) fn system(keys: &Keys<'_>) -> Vec<Part> {
    keys.document(SYSTEM).map(|json| system_of(&json)).unwrap_or_default()
}

fn system_of(json: &Json<'_>) -> Vec<Part> {
    let mut parts = Vec::new();
    // Some emitters wrap the parts in messages.
    match json {
        Json::List(items, _) if items.iter().all(message::is_message) => {
            parts.extend(message::list(items, "system").into_iter().flat_map(|message| message.parts));
        }
        json => part::read(json, &mut parts),
    }
    parts
}

/// The definitions of tools.
pub(super) fn tool_definitions(keys: &Keys<'_>) -> Vec<ToolDefinition> {
    keys.document(TOOLS).map(|json| tools::read(&json)).unwrap_or_default()
}

/// What an event tells of the call, among its attributes or in its body.
fn told<'a>(event: &Event<'a>, key: &str) -> Option<Json<'a>> {
    if name(event) != DETAILS {
        return None;
    }
    let body = match event.body {
        Some(llm_observatory_core::attributes::Value::Map(fields)) => find(fields, key),
        _ => None,
    };
    find(event.attributes, key).or(body).map(Json::document).filter(|json| !json.is_null())
}

/// The name of an event, which older records have as an attribute.
pub(super) fn name<'a>(event: &Event<'a>) -> &'a str {
    let attribute = || find(event.attributes, "event.name").and_then(|value| value.as_str());
    if event.name.starts_with("gen_ai.") { event.name } else { attribute().unwrap_or(event.name) }
}

/// The messages that went in, as an event tells them: the first that tells some wins.
pub(super) fn input_in(events: &[Event<'_>]) -> Vec<Message> {
    first(events, INPUT, input_of)
}

/// The messages that came out, as an event tells them.
pub(super) fn output_in(events: &[Event<'_>]) -> Vec<Message> {
    first(events, OUTPUT, output_of)
}

/// The instructions, as an event tells them.
pub(super) fn system_in(events: &[Event<'_>]) -> Vec<Part> {
    first(events, SYSTEM, system_of)
}

/// The definitions of tools, as an event tells them.
pub(super) fn tool_definitions_in(events: &[Event<'_>]) -> Vec<ToolDefinition> {
    first(events, TOOLS, tools::read)
}

fn first<T>(events: &[Event<'_>], key: &str, read: impl Fn(&Json<'_>) -> Vec<T>) -> Vec<T> {
    events
        .iter()
        .filter_map(|event| Some(read(&told(event, key)?)))
        .find(|found| !found.is_empty())
        .unwrap_or_default()
}
