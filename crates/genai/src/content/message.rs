//! A message in the shape of any provider, framework or dialect.

use std::collections::HashSet;

use llm_observatory_core::llm::{Message, Part};

use super::json::Json;
use super::part;

/// Most messages of one list; messages beyond are not shown.
pub(crate) const MAX_MESSAGES: usize = 100_000;

/// The role that a message event implies, by its name.
pub(super) fn role_of_event(name: &str) -> Option<&'static str> {
    match name {
        "gen_ai.system.message" => Some("system"),
        "gen_ai.user.message" => Some("user"),
        "gen_ai.assistant.message" | "gen_ai.choice" => Some("assistant"),
        "gen_ai.tool.message" => Some("tool"),
        _ => None,
    }
}

/// The messages of a list, or of lists in it: LangChain batches conversations. Messages that say nothing are left out.
pub(super) fn list(items: &[Json<'_>], default_role: &str) -> Vec<Message> {
    let mut messages = Vec::new();
    collect(items, default_role, &mut messages);
    messages.truncate(MAX_MESSAGES);
    messages
}

fn collect(items: &[Json<'_>], default_role: &str, out: &mut Vec<Message>) {
    // Whether the last message is made of response items, of which one answer has several.
    let mut open = false;
    for item in items {
        if let Json::List(inner, _) = item {
            open = false;
            match pair(inner) {
                Some(message) => out.push(message),
                None => collect(inner, default_role, out),
            }
            continue;
        }
        let is_item = item_role(item).is_some();
        let Some(mut message) = read(item, default_role) else { continue };
        match out.last_mut() {
            Some(last) if open && is_item && last.role == message.role => {
                last.parts.append(&mut message.parts)
            }
            _ => out.push(message),
        }
        open = is_item;
    }
}

/// The message in a pair of role and text, as people write them for LangChain.
fn pair(items: &[Json<'_>]) -> Option<Message> {
    let [role, text] = items else { return None };
    let role = common_role(role.text()?);
    let mut parts = Vec::new();
    part::text_part(text.text()?, &mut parts);
    let is_role = ["user", "assistant", "system", "tool", "developer"].contains(&&*role);
    (is_role && !parts.is_empty()).then(|| Message { role, parts, ..Message::default() })
}

/// Whether a map looks like a message of any shape.
pub(super) fn is_message(json: &Json<'_>) -> bool {
    let has_role = json.text_at(&["role", "_role"]).is_some()
        && json
            .any(&[
                "content",
                "parts",
                "blocks",
                "_content",
                "message",
                "tool_calls",
                "text",
                "function_call",
            ])
            .is_some();
    has_role
        || langchain(json).is_some()
        || item_role(json).is_some()
        || json.text_at(&["event.name"]).is_some_and(|name| role_of_event(name).is_some())
        || (json.text_at(&["kind"]).is_some_and(|kind| ["request", "response"].contains(&kind))
            && json.get("parts").is_some())
}

/// The role of an item of OpenAI's responses API; `None` if it is none.
fn item_role<'j>(json: &'j Json<'_>) -> Option<&'j str> {
    match json.text_at(&["type"])? {
        "message" => json.text_at(&["role"]),
        "function_call_output" | "custom_tool_call_output" | "computer_call_output" => Some("tool"),
        "function_call" | "reasoning" if json.get("role").is_none() => Some("assistant"),
        kind if kind.ends_with("_call") && kind != "tool_call" && json.get("role").is_none() => {
            Some("assistant")
        }
        _ => None,
    }
}

/// The role and the fields of a message of LangChain: serialised, as a pair of type and data, or with its type beside.
pub(super) fn langchain<'j, 'a>(json: &'j Json<'a>) -> Option<(&'static str, &'j Json<'a>)> {
    if json.get("lc").is_some() {
        let class = json.get("id")?.items()?.last()?.text()?;
        return Some((langchain_role(class)?, json.get("kwargs")?));
    }
    let role = langchain_role(json.text_at(&["type"])?)?;
    match json.get("data") {
        Some(data) if data.is_map() => Some((role, data)),
        _ => json.get("content").map(|_| (role, json)),
    }
}

fn langchain_role(class: &str) -> Option<&'static str> {
    let class = class.strip_suffix("Chunk").unwrap_or(class);
    match class.strip_suffix("Message").unwrap_or(class) {
        "human" | "Human" => Some("user"),
        "ai" | "AI" => Some("assistant"),
        "system" | "System" => Some("system"),
        "tool" | "Tool" | "Function" => Some("tool"),
        _ => None,
    }
}

/// The role by its common name: Google says `model`, Cohere `CHATBOT`, LangChain `ai`.
pub(super) fn common_role(role: &str) -> String {
    match role.to_ascii_lowercase().as_str() {
        "human" => "user".to_owned(),
        "model" | "ai" | "chatbot" => "assistant".to_owned(),
        "function" => "tool".to_owned(),
        known @ ("user" | "assistant" | "system" | "tool" | "developer") => known.to_owned(),
        _ => role.to_owned(),
    }
}

/// The message in `json`; `None` if it says nothing.
pub(super) fn read(json: &Json<'_>, default_role: &str) -> Option<Message> {
    let (implied, fields) = match langchain(json) {
        Some((role, fields)) => (Some(role), fields),
        None => (json.text_at(&["event.name"]).and_then(role_of_event).or_else(|| item_role(json)), json),
    };
    if !fields.is_map() {
        let mut message = Message { role: default_role.to_owned(), ..Message::default() };
        part::read(fields, &mut message.parts);
        return Some(message).filter(|message| !message.parts.is_empty());
    }
    // A choice has its message inside, and beside it why the model stopped; some emitters put the calls beside it too.
    let inner = fields.any(&["message", "delta"]).filter(|inner| inner.is_map());
    if let Some(inner) = inner {
        let role = implied.unwrap_or(default_role);
        let silent = || Message { role: role.to_owned(), ..Message::default() };
        let mut message = read(inner, role).unwrap_or_else(silent);
        calls(fields, &Json::NULL, &mut message.parts);
        message.finish_reason = finish_reason(fields).or(message.finish_reason);
        return Some(message).filter(|message| !message.parts.is_empty());
    }
    let role = fields.text_at(&["role", "_role"]).map(common_role);
    let role = role.or_else(|| implied.map(str::to_owned)).unwrap_or_else(|| default_role.to_owned());
    let parts = parts(fields, &role);
    let name = fields.text_at(&["name"]).filter(|_| item_role(json).is_none() || is_spoken(json));
    let message =
        Message { name: name.map(str::to_owned), finish_reason: finish_reason(fields), role, parts };
    Some(message).filter(|message| !message.parts.is_empty())
}

/// Whether this is a message and not one of the other items, whose `name` is that of a tool.
fn is_spoken(json: &Json<'_>) -> bool {
    json.text_at(&["type"]) == Some("message")
}

/// The parts of a message: its thoughts, its content, the tools that it calls.
fn parts(fields: &Json<'_>, role: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    if item_role(fields).is_some() && !is_spoken(fields) {
        part::read(fields, &mut parts);
        return parts;
    }
    let extras = fields.get("additional_kwargs").unwrap_or(&Json::NULL);
    let thought =
        [fields, extras].into_iter().find_map(|map| map.any(&["reasoning_content", "reasoning", "thinking"]));
    if let Some(text) = thought.and_then(Json::text) {
        part::reasoning_part(text, &mut parts);
    }
    let has_id = fields.get("tool_call_id").is_some();
    // LiteLLM leaves `parts` empty and keeps the other fields; Google's messages come inside a field `content`.
    let names = ["parts", "content", "blocks", "_content", "message", "text"];
    let filled = |told: &&Json<'_>| told.items().is_none_or(|items| !items.is_empty());
    let content = names.into_iter().find_map(|name| Some((name, fields.get(name).filter(filled)?)));
    let content = content.map(|(name, content)| (name, content.get("parts").unwrap_or(content)));
    match content {
        Some((name, content)) if role == "tool" && (name != "parts" || has_id) && is_bare_result(content) => {
            // Result events carry the id of the call as `id`.
            let id = fields.text_at(&["tool_call_id", "tool_use_id", "toolCallId", "call_id", "id"]);
            parts.push(Part::ToolResult {
                id: id.map(str::to_owned),
                result: part::payload(content).result(),
            });
        }
        Some((_, content)) => part::read(content, &mut parts),
        None => {}
    }
    calls(fields, extras, &mut parts);
    drop_copies(&mut parts);
    if let Some(refusal) = fields.text_at(&["refusal"]) {
        part::text_part(refusal, &mut parts);
    }
    for image in fields.get("images").and_then(Json::items).unwrap_or_default() {
        // Ollama lists images beside the content, in base64.
        if let Some(data) = image.text() {
            parts.push(super::media::inline(data, "image", None));
        }
    }
    parts
}

/// Whether the content of a tool's message is the result itself, and not a list of parts that hold the results.
fn is_bare_result(content: &Json<'_>) -> bool {
    let holds_results = |item: &Json<'_>| {
        let kind = item.text_at(&["type", "part_kind"]).unwrap_or_default();
        kind.contains("result")
            || kind.contains("response")
            || kind.contains("return")
            || item
                .any(&["toolResult", "functionResponse", "function_response", "tool_call_result"])
                .is_some()
    };
    match content {
        Json::List(items, _) => !items.iter().any(holds_results),
        content => !holds_results(content),
    }
}

/// Drops texts that are calls which stand among the parts: OpenLLMetry writes Anthropic's blocks as JSON beside them.
fn drop_copies(parts: &mut Vec<Part>) {
    let ids = call_ids(parts);
    let is_copy = |text: &str| {
        let block = Json::parse_nest(text).filter(|block| block.text_at(&["type"]) == Some("tool_use"));
        block.as_ref().and_then(|block| block.text_at(&["id"])).is_some_and(|id| ids.contains(id))
    };
    if !ids.is_empty() {
        parts.retain(|part| !matches!(part, Part::Text(text) if is_copy(text)));
    }
}

/// The ids of the calls among these parts.
pub(super) fn call_ids(parts: &[Part]) -> HashSet<String> {
    let id = |part: &Part| if let Part::ToolCall { id, .. } = part { id.clone() } else { None };
    parts.iter().filter_map(id).collect()
}

/// Appends the tools that the message calls beside its content. LangChain names the same calls in several places.
fn calls(fields: &Json<'_>, extras: &Json<'_>, parts: &mut Vec<Part>) {
    let mut seen = call_ids(parts);
    let lists = [fields.get("tool_calls"), fields.get("invalid_tool_calls"), extras.get("tool_calls")];
    for list in lists.into_iter().flatten() {
        let before = parts.len();
        // Some SDKs send the list as a JSON text.
        let parsed = list.text().and_then(Json::parse_nest);
        for call in parsed.as_ref().unwrap_or(list).items().unwrap_or_default().iter().filter_map(part::call)
        {
            let Part::ToolCall { id, .. } = &call else { continue };
            if id.as_ref().is_none_or(|id| seen.insert(id.clone())) {
                parts.push(call);
            }
        }
        if parts.len() > before && seen.is_empty() {
            return; // Calls without ids can't be told from their copies.
        }
    }
    if let Some(call) = fields.get("function_call").and_then(part::call) {
        parts.push(call);
    }
}

/// Why the model stopped, in the provider's own word.
pub(super) fn finish_reason(fields: &Json<'_>) -> Option<String> {
    const NAMES: &[&str] = &["finish_reason", "finishReason", "stop_reason", "stopReason", "done_reason"];
    let told = fields.text_at(NAMES).or_else(|| {
        ["response_metadata", "generation_info"].iter().find_map(|inner| fields.get(inner)?.text_at(NAMES))
    });
    told.map(str::to_owned)
}
