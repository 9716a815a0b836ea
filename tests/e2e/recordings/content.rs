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
                answer.tool_calls.push(json!({"id": call.id, "name": call.name, "arguments": arguments}));
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
    let shown = messages.map(|message| json!({"role": role(message), "text": text(message)}));
    shown.filter(|message| message["text"] != "").collect()
}

/// The messages that the fake was sent, likewise. It shows what a tool returned within the map that Pydantic AI puts around
/// it for Google.
pub(super) fn asked(call: &Value) -> Vec<Value> {
    let messages = call["messages"].as_array().unwrap().iter().filter(|message| message["text"] != "");
    let plain = |text: &Value| {
        let text = text.as_str().unwrap();
        let inner = text.strip_prefix("{'return_value': '").and_then(|text| text.strip_suffix("'}"));
        inner.unwrap_or(text).to_owned()
    };
    messages.map(|message| json!({"role": message["role"], "text": plain(&message["text"])})).collect()
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
            serde_json::from_str(&result.result).unwrap_or_else(|_| result.result.clone())
        }
        _ => String::new(),
    }
}
