//! Content of OpenInference: messages, tools and documents under indexed keys.
//!
//! Source: `spec/` in Arize-ai/openinference.

use llm_observatory_core::llm::{Message, Part, ToolDefinition};

use super::json::Json;
use super::keys::Keys;
use super::{media, message, part, tools};

/// The messages that went in.
pub(super) fn input(keys: &Keys<'_>) -> Vec<Message> {
    messages(keys, "llm.input_messages.", "user")
}

/// The messages that came out.
pub(super) fn output(keys: &Keys<'_>) -> Vec<Message> {
    let mut messages = messages(keys, "llm.output_messages.", "assistant");
    // Before there were calls of tools, there was one of a function.
    if let Some(call) = keys.document("llm.function_call").as_ref().and_then(part::call) {
        let has_call =
            |message: &Message| message.parts.iter().any(|part| matches!(part, Part::ToolCall { .. }));
        match messages.first_mut() {
            Some(first) if !has_call(first) => first.parts.push(call),
            Some(_) => {}
            None => messages.push(Message {
                role: "assistant".to_owned(),
                parts: vec![call],
                ..Message::default()
            }),
        }
    }
    if let [only] = &mut *messages {
        only.finish_reason = keys.text("llm.finish_reason").map(str::to_owned);
    }
    messages
}

fn messages(keys: &Keys<'_>, family: &str, default_role: &str) -> Vec<Message> {
    keys.rows(family)
        .iter()
        .map(|row| message(row, default_role))
        .filter(|message| !message.parts.is_empty())
        .collect()
}

fn message(row: &Keys<'_>, default_role: &str) -> Message {
    let role = message::common_role(row.text("message.role").unwrap_or(default_role));
    let contents = row.rows("message.contents.");
    let mut parts = Vec::new();
    contents.iter().for_each(|content| self::content(content, &mut parts));
    if let Some(value) = row.get("message.content") {
        // Instrumentations write the same text in both places.
        let content = Json::of(value);
        let id = row.text("message.tool_call_id").map(str::to_owned);
        if role == "tool" || (id.is_some() && parts.is_empty()) {
            if parts.is_empty() {
                parts.push(Part::ToolResult { id, result: content.result() });
            }
        } else if parts.is_empty() {
            part::read(&content, &mut parts);
        }
    } else if role == "tool" && !parts.is_empty() {
        let id = row.text("message.tool_call_id").map(str::to_owned);
        parts = vec![result(id, &parts)];
    }
    parts.extend(row.rows("message.tool_calls.").iter().filter_map(tool_call));
    if let Some(name) = row.text("message.function_call_name") {
        let arguments = row.text("message.function_call_arguments_json").unwrap_or_default().to_owned();
        parts.push(Part::ToolCall { id: None, name: name.to_owned(), arguments });
    }
    let name = row.text("message.name").map(str::to_owned);
    Message { role, name, parts, finish_reason: None }
}

/// The result of a tool whose text stands in parts.
fn result(id: Option<String>, parts: &[Part]) -> Part {
    let texts: Vec<_> = parts
        .iter()
        .filter_map(|part| if let Part::Text(text) = part { Some(&**text) } else { None })
        .collect();
    Part::ToolResult { id, result: Json::Text(texts.concat().into()).result() }
}

fn content(row: &Keys<'_>, out: &mut Vec<Part>) {
    let text = row.text("message_content.text");
    let kind = row.text("message_content.type").unwrap_or_default();
    match (kind, text) {
        ("reasoning" | "thinking", Some(text)) => part::reasoning_part(text, out),
        (_, Some(text)) => part::text_part(text, out),
        _ => {
            for (modality, key) in [
                ("image", "message_content.image.image.url"),
                ("audio", "message_content.audio.audio.url"),
                ("video", "message_content.video.video.url"),
                ("file", "message_content.file.file.url"),
            ] {
                out.extend(row.text(key).map(|url| media::at(url, modality, None)));
            }
        }
    }
}

fn tool_call(row: &Keys<'_>) -> Option<Part> {
    let arguments = row.get("tool_call.function.arguments").map(|value| Json::of(value).arguments());
    Some(Part::ToolCall {
        id: row.text("tool_call.id").map(str::to_owned),
        name: row.text("tool_call.function.name")?.to_owned(),
        arguments: arguments.unwrap_or_default(),
    })
}

/// Prompts of completions without messages, and texts to embed.
pub(super) fn prompts(keys: &Keys<'_>) -> Vec<Message> {
    let texts = |family, key| texts(keys, family, key, "user");
    let prompts = texts("llm.prompts.", "prompt.text");
    if prompts.is_empty() { texts("embedding.embeddings.", "embedding.text") } else { prompts }
}

/// Answers of completions without messages.
pub(super) fn choices(keys: &Keys<'_>) -> Vec<Message> {
    texts(keys, "llm.choices.", "completion.text", "assistant")
}

fn texts(keys: &Keys<'_>, family: &str, key: &str, role: &str) -> Vec<Message> {
    let rows = keys.rows(family);
    let texts = rows.iter().filter_map(|row| row.text(key));
    let message = |text: &str| Message {
        role: role.to_owned(),
        parts: vec![Part::Text(text.to_owned())],
        ..Message::default()
    };
    texts.map(message).collect()
}

/// The tools that the model could call: of their own keys, or else of the request's parameters.
pub(super) fn tool_definitions(keys: &Keys<'_>) -> Vec<ToolDefinition> {
    let rows = keys.rows("llm.tools.");
    let told = rows.iter().filter_map(|row| row.document("tool.json_schema"));
    let told: Vec<_> = told.flat_map(|schema| tools::read(&schema)).take(tools::MAX_TOOLS).collect();
    if !told.is_empty() {
        return told;
    }
    let parameters = keys.document("llm.invocation_parameters");
    parameters
        .as_ref()
        .and_then(|json| json.any(&["tools", "functions"]))
        .map(tools::read)
        .unwrap_or_default()
}

/// The documents that a retriever or a reranker found, as JSON.
pub(super) fn documents(keys: &Keys<'_>) -> Vec<String> {
    for family in ["retrieval.documents.", "reranker.output_documents."] {
        let documents: Vec<_> = keys.rows(family).iter().map(document).collect();
        if !documents.is_empty() {
            return documents;
        }
    }
    Vec::new()
}

fn document(row: &Keys<'_>) -> String {
    let mut fields = Vec::new();
    for (name, key) in [("id", "document.id"), ("score", "document.score"), ("content", "document.content")] {
        fields.extend(row.get(key).map(|value| (name.into(), Json::of(value))));
    }
    fields.extend(row.document("document.metadata").map(|metadata| ("metadata".into(), metadata)));
    Json::Map(fields, None).to_json()
}
