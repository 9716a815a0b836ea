//! What was said, in the words of the truth.

use llm_observatory_proto::v1::llm_part::Part;
use llm_observatory_proto::v1::{LlmContent, LlmMessage, LlmPart};
use serde_json::{Value, json};

/// What a model answered.
pub(super) struct Answer {
    pub(super) text: String,
    pub(super) reasoning: String,
    pub(super) tool_calls: Vec<Value>,
}

pub(super) fn answer(content: &LlmContent) -> Answer {
    let mut answer = Answer { text: String::new(), reasoning: String::new(), tool_calls: Vec::new() };
    for part in content.output.iter().flat_map(|message| &message.parts) {
        match &part.part {
            Some(Part::Text(text)) => answer.text += text,
            Some(Part::Reasoning(text)) => answer.reasoning += text,
            Some(Part::ToolCall(call)) => {
                let arguments: Value = serde_json::from_str(&call.arguments).unwrap_or(Value::Null);
                // A prefix that an earlier fake put on.
                let id = call.id.as_deref().map(|id| id.strip_prefix("tool").unwrap_or(id));
                answer.tool_calls.push(json!({"id": id, "name": call.name, "arguments": arguments}));
            }
            _ => {}
        }
    }
    answer
}

/// The system's instructions, wherever they stand.
pub(super) fn system(content: &LlmContent) -> String {
    let among = content.input.iter().filter(|message| is_system(message)).map(text).collect::<String>();
    if among.is_empty() { content.system_instructions.iter().map(part_text).collect() } else { among }
}

/// The other messages that went in and have a text: role and text. A message of results only has the role `tool`.
pub(super) fn messages(content: &LlmContent) -> Vec<Value> {
    let messages = content.input.iter().filter(|message| !is_system(message));
    joined(messages.map(|message| (role(message).to_owned(), text(message))))
}

/// The messages that the fake was sent, likewise.
pub(super) fn asked(call: &Value) -> Vec<Value> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let messages = call["messages"].as_array().unwrap();
    joined(messages.iter().map(|message| {
        let role = text(&message["role"]);
        let text = text(&message["text"]);
        let text = if role == "tool" { bare(&text) } else { text };
        (role, text)
    }))
}

/// Messages of the same role as one: several results may be one message or several.
fn joined(messages: impl Iterator<Item = (String, String)>) -> Vec<Value> {
    let mut joined: Vec<(String, String)> = Vec::new();
    for (role, text) in messages.filter(|(_, text)| !text.is_empty()) {
        match joined.last_mut() {
            Some((last, texts)) if *last == role => *texts += &text,
            _ => joined.push((role, text)),
        }
    }
    joined.into_iter().map(|(role, text)| json!({"role": role, "text": text})).collect()
}

/// What a tool returned, without the map or list that a framework puts around it: in JSON, or as Python shows it.
fn bare(text: &str) -> String {
    let python = text.strip_prefix("{'").and_then(|text| text.strip_suffix("'}"));
    if let Some((_, result)) = python.and_then(|text| text.split_once("': '")) {
        return result.to_owned();
    }
    serde_json::from_str::<Value>(text).map_or_else(|_| text.to_owned(), |value| leaves(&value))
}

/// All texts in a value, one after the other.
pub(super) fn leaves(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(leaves).collect(),
        Value::Object(fields) => fields.values().map(leaves).collect(),
        other => other.to_string(),
    }
}

/// All texts that went in.
pub(super) fn texts(content: &LlmContent) -> Vec<String> {
    content.input.iter().flat_map(|message| &message.parts).map(part_text).collect()
}

fn is_system(message: &LlmMessage) -> bool {
    ["system", "developer"].contains(&&*message.role)
}

fn role(message: &LlmMessage) -> &str {
    let is_result = message.parts.iter().all(|part| matches!(part.part, Some(Part::ToolResult(_))));
    if is_result { "tool" } else { &message.role }
}

fn text(message: &LlmMessage) -> String {
    message.parts.iter().map(part_text).collect()
}

fn part_text(part: &LlmPart) -> String {
    match &part.part {
        Some(Part::Text(text)) => text.clone(),
        Some(Part::ToolResult(result)) => {
            bare(&serde_json::from_str(&result.result).unwrap_or_else(|_| result.result.clone()))
        }
        _ => String::new(),
    }
}
