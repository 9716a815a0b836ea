//! Content of the Vercel AI SDK, versions 3 to 6: `ai.prompt*`, `ai.response.*`, `ai.value*`.
//!
//! Source: `packages/ai/src` and `packages/otel/src/legacy-open-telemetry.ts` in vercel/ai.

use llm_observatory_core::attributes::Value;
use llm_observatory_core::llm::{Message, Part, ToolDefinition};

use super::json::Json;
use super::keys::Keys;
use super::{part, request, thoughts, tools};

/// The messages that went in, or the texts to embed.
pub(super) fn input(keys: &Keys<'_>) -> Vec<Message> {
    for key in ["ai.prompt.messages", "ai.prompt"] {
        if let Some(json) = keys.document(key) {
            let messages = request::read(&json).messages;
            if !messages.is_empty() {
                return messages;
            }
        }
    }
    let mut parts = Vec::new();
    for value in ["ai.value", "ai.values"].into_iter().filter_map(|key| keys.get(key)) {
        texts(value).for_each(|text| part::read(&text, &mut parts));
    }
    if parts.is_empty() {
        Vec::new()
    } else {
        vec![Message { role: "user".to_owned(), parts, ..Message::default() }]
    }
}

/// The values of an attribute that holds a JSON text, or a list of those.
fn texts<'a>(value: &'a Value<'a>) -> impl Iterator<Item = Json<'a>> {
    let items = if let Value::Array(items) = value { items } else { std::slice::from_ref(value) };
    items.iter().map(Json::document)
}

/// The instructions beside the messages.
pub(super) fn system(keys: &Keys<'_>) -> Vec<Part> {
    keys.document("ai.prompt").map(|json| request::read(&json).system).unwrap_or_default()
}

/// The answer: its thoughts, its text or object, the tools that it calls, its files.
pub(super) fn output(keys: &Keys<'_>) -> Vec<Message> {
    let mut parts = thoughts::of_vercel(keys);
    if let Some(text) = keys.text("ai.response.text").or_else(|| keys.text("ai.result.text")) {
        part::text_part(text, &mut parts);
    }
    if let Some(object) =
        ["ai.response.object", "ai.result.object"].into_iter().find_map(|key| keys.text(key))
    {
        part::text_part(object, &mut parts);
    }
    for key in ["ai.response.toolCalls", "ai.result.toolCalls"] {
        let Some(json) = keys.document(key) else { continue };
        parts.extend(json.items().unwrap_or_default().iter().filter_map(part::call));
    }
    if let Some(files) = keys.document("ai.response.files") {
        part::read(&files, &mut parts);
    }
    let finish_reason = keys.text("ai.response.finishReason").map(str::to_owned);
    let message = Message { role: "assistant".to_owned(), name: None, parts, finish_reason };
    if message.parts.is_empty() { Vec::new() } else { vec![message] }
}

/// The tools that the model could call.
pub(super) fn tool_definitions(keys: &Keys<'_>) -> Vec<ToolDefinition> {
    keys.document("ai.prompt.tools").map(|json| tools::read(&json)).unwrap_or_default()
}

/// The documents in the order that the reranker gave them, as JSON; or else those that it got.
pub(super) fn documents(keys: &Keys<'_>) -> Vec<String> {
    let told = ["ai.ranking", "ai.documents"].into_iter().find_map(|key| keys.get(key));
    told.map(|value| texts(value).map(|json| json.to_json()).collect()).unwrap_or_default()
}
