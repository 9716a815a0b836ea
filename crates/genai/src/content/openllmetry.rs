//! Content of OpenLLMetry (Traceloop) before its version 0.55, and of LiteLLM: messages and tools under indexed keys.
//!
//! Source: `packages/opentelemetry-semantic-conventions-ai` in traceloop/openllmetry.

use llm_observatory_core::llm::{Message, Part, ToolDefinition};

use super::json::Json;
use super::keys::Keys;
use super::{message, part};

/// The messages that went in.
pub(super) fn input(keys: &Keys<'_>) -> Vec<Message> {
    messages(keys, "gen_ai.prompt.", "user")
}

/// The messages that came out.
pub(super) fn output(keys: &Keys<'_>) -> Vec<Message> {
    messages(keys, "gen_ai.completion.", "assistant")
}

fn messages(keys: &Keys<'_>, family: &str, default_role: &str) -> Vec<Message> {
    let mut messages: Vec<Message> = Vec::new();
    for row in keys.rows(family) {
        let mut message = message(&row, default_role);
        // Version 0.47 wrote what Anthropic's models thought as a message before the answer.
        if let Some(thoughts) = messages.pop_if(|last| last.role == THINKING) {
            message.parts.splice(0..0, thoughts.parts);
        }
        if !message.parts.is_empty() {
            messages.push(message);
        }
    }
    if let Some(last) = messages.last_mut().filter(|last| last.role == THINKING) {
        last.role = "assistant".to_owned();
    }
    messages
}

/// The role of a thought.
const THINKING: &str = "thinking";

fn message(row: &Keys<'_>, default_role: &str) -> Message {
    let role = message::common_role(row.text("role").unwrap_or(default_role));
    let mut parts = Vec::new();
    if let Some(thought) = row.document("reasoning") {
        part::thought(&thought, &mut parts);
    }
    // The wrapper of LangChain wrote an empty text as JSON.
    let content = row.get("content").map(Json::of).filter(|content| content.text() != Some("\"\""));
    match (content, row.text("tool_call_id")) {
        (Some(Json::Text(text)), _) if role == THINKING => part::reasoning_part(&text, &mut parts),
        (Some(content), id) if role == "tool" || id.is_some() => {
            parts.push(Part::ToolResult { id: id.map(str::to_owned), result: content.result() });
        }
        (Some(Json::Text(text)), _) => part::read_text(&text, &mut parts),
        (Some(content), _) => part::read(&content, &mut parts),
        (None, _) => {}
    }
    // Anthropic's blocks in the content name the same calls.
    let named = message::call_ids(&parts);
    let calls = row.rows("tool_calls.");
    parts.extend(
        calls
            .iter()
            .filter_map(tool_call)
            .filter(|call| !matches!(call, Part::ToolCall { id: Some(id), .. } if named.contains(id))),
    );
    if let Some(name) = row.text("function_call.name") {
        let arguments = row.text("function_call.arguments").unwrap_or_default().to_owned();
        parts.push(Part::ToolCall { id: None, name: name.to_owned(), arguments });
    }
    if let Some(refusal) = row.text("refusal") {
        part::text_part(refusal, &mut parts);
    }
    let finish_reason = row.text("finish_reason").map(str::to_owned);
    Message { role, name: row.text("name").map(str::to_owned), parts, finish_reason }
}

fn tool_call(row: &Keys<'_>) -> Option<Part> {
    let arguments = row.get("arguments").map(|value| Json::of(value).arguments());
    Some(Part::ToolCall {
        id: row.text("id").map(str::to_owned),
        name: row.text("name")?.to_owned(),
        arguments: arguments.unwrap_or_default(),
    })
}

/// The tools that the model could call; the second family is that of LiteLLM's V2.
pub(super) fn tool_definitions(keys: &Keys<'_>) -> Vec<ToolDefinition> {
    let told = |family: &&str| -> Vec<_> { keys.rows(family).iter().filter_map(definition).collect() };
    ["llm.request.functions.", "gen_ai.tool."]
        .iter()
        .map(told)
        .find(|tools| !tools.is_empty())
        .unwrap_or_default()
}

fn definition(row: &Keys<'_>) -> Option<ToolDefinition> {
    let parameters = ["parameters", "input_schema"].into_iter().find_map(|key| row.get(key));
    Some(ToolDefinition {
        name: row.text("name")?.to_owned(),
        description: row.text("description").map(str::to_owned),
        parameters: parameters.map(|value| Json::of(value).arguments()).filter(|schema| !schema.is_empty()),
    })
}
