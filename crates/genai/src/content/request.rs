//! What goes into a call, in a document of any shape: the request of a provider, the input of a framework, a plain text.

use llm_observatory_core::llm::{Message, Part, ToolDefinition};

use super::json::Json;
use super::{message, part, tools};

/// How often a text or an inner map is opened to look for a request. Frameworks wrap once or twice.
const MAX_WRAPS: usize = 4;

/// What a document says that went in.
#[derive(Debug, Default)]
pub(super) struct Request {
    /// Instructions that stand beside the messages.
    pub(super) system: Vec<Part>,
    /// The messages.
    pub(super) messages: Vec<Message>,
    /// The tools that the model could call.
    pub(super) tools: Vec<ToolDefinition>,
}

/// Reads the document if it has a known shape.
pub(super) fn read_known(json: &Json<'_>) -> Option<Request> {
    known(json, MAX_WRAPS)
}

/// Reads the document. What has no known shape is one message with the document as its only part.
pub(super) fn read(json: &Json<'_>) -> Request {
    read_known(json).unwrap_or_else(|| {
        let mut parts = Vec::new();
        match json {
            json if json.is_empty() => {}
            Json::List(..) => parts.push(Part::Other(json.to_json())),
            json => part::read(json, &mut parts),
        }
        let is_said = parts.iter().any(|part| !matches!(part, Part::Other(_)));
        Request { messages: said(if is_said { "user" } else { "" }, parts), ..Request::default() }
    })
}

/// A message, unless it has no parts.
fn said(role: &str, parts: Vec<Part>) -> Vec<Message> {
    let message = Message { role: role.to_owned(), parts, ..Message::default() };
    if message.parts.is_empty() { Vec::new() } else { vec![message] }
}

fn known(json: &Json<'_>, wraps: usize) -> Option<Request> {
    match json {
        Json::Text(text) if wraps > 0 => known(&Json::parse_nest(text)?, wraps - 1),
        Json::List(items, _) => {
            let found = messages(items).or_else(|| calls(items));
            found.map(|messages| Request { messages, ..Request::default() })
        }
        Json::Map(..) if message::is_message(json) => Some(Request {
            messages: message::read(json, "user").into_iter().collect(),
            ..Request::default()
        }),
        Json::Map(..) => map(json, wraps),
        _ => None,
    }
}

/// The messages in a list, if it is one of messages or of texts, or of lists of such.
fn messages(items: &[Json<'_>]) -> Option<Vec<Message>> {
    let is_one = |item: &Json<'_>| message::is_message(item) || item.text().is_some();
    let are_all = items.iter().all(|item| match item {
        Json::List(inner, _) => !inner.is_empty() && inner.iter().all(is_one),
        item => is_one(item),
    });
    (!items.is_empty() && are_all).then(|| message::list(items, "user"))
}

/// The calls that LangGraph hands to its node of tools, as the message that asked for them.
fn calls(items: &[Json<'_>]) -> Option<Vec<Message>> {
    let is_call = |item: &Json<'_>| item.text_at(&["type"]) == Some("tool_call");
    if items.is_empty() || !items.iter().all(is_call) {
        return None;
    }
    Some(said("assistant", items.iter().filter_map(part::call).collect()))
}

fn map(json: &Json<'_>, wraps: usize) -> Option<Request> {
    let config = json.any(&["config", "generationConfig", "generation_config"]).unwrap_or(&Json::NULL);
    let mut request = Request {
        system: system(json).or_else(|| system(config)).unwrap_or_default(),
        messages: Vec::new(),
        tools: json
            .any(&["tools", "toolConfig", "functions"])
            .or_else(|| config.get("tools"))
            .map(tools::read)
            .unwrap_or_default(),
    };
    for name in ["messages", "chat_history", "contents", "input", "prompt", "prompts", "message"] {
        let Some(told) = json.get(name) else { continue };
        request.messages.extend(field(told, wraps));
    }
    if !request.messages.is_empty() {
        return Some(request);
    }
    // Wrappers of decorated functions and of frameworks.
    for name in ["inputs", "kwargs", "args", "data", "request", "body"] {
        let Some(inner) = json.get(name).filter(|_| wraps > 0) else { continue };
        if let Some(found) = known(inner, wraps - 1).filter(|found| !found.messages.is_empty()) {
            return Some(found);
        }
    }
    None
}

/// The messages of a field that holds some: a text, a message, a list, or a request of its own.
fn field(told: &Json<'_>, wraps: usize) -> Vec<Message> {
    match told {
        Json::Text(text) => match known(told, wraps.min(1)) {
            Some(found) if !found.messages.is_empty() => found.messages,
            _ => {
                let mut parts = Vec::new();
                part::text_part(text, &mut parts);
                said("user", parts)
            }
        },
        Json::List(items, _) => messages(items).unwrap_or_else(|| {
            // Google takes parts without a message around them, OpenAI tokens.
            let mut parts = Vec::new();
            if items.iter().all(|item| item.is_map() || item.text().is_some()) {
                part::read(told, &mut parts);
            } else {
                parts.push(Part::Other(told.to_json()));
            }
            said("user", parts)
        }),
        Json::Map(..) if wraps > 0 => known(told, wraps - 1).map(|found| found.messages).unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// The instructions beside the messages, under any of their names.
pub(super) fn system(json: &Json<'_>) -> Option<Vec<Part>> {
    let names = ["system", "instructions", "systemInstruction", "system_instruction", "system_instructions"];
    let told = json.any(&names)?;
    let mut parts = Vec::new();
    // Google wraps them in a message.
    part::read(told.get("parts").unwrap_or(told), &mut parts);
    Some(parts).filter(|parts| !parts.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_is_found_in_every_request() {
        for json in [
            r#"{"model":"gpt","messages":[{"role":"user","content":"hi"}]}"#,
            r#"{"model":"gpt","messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]}"#,
            r#"{"model":"gpt","input":"hi"}"#,
            r#"{"model":"gpt","input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"hi"}]}]}"#,
            r#"{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}"#,
            r#"{"contents":"hi"}"#,
            r#"{"contents":[{"text":"hi"}]}"#,
            r#"{"modelId":"m","messages":[{"role":"user","content":[{"text":"hi"}]}]}"#,
            r#"{"prompt":"hi"}"#,
            r#"{"prompts":["hi"]}"#,
            r#"{"prompt":"{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"}"#,
            r#"{"args":[],"kwargs":{"messages":[{"role":"user","content":"hi"}]}}"#,
            r#"{"inputs":{"messages":[["user","hi"]]}}"#,
            r#"{"messages":[[{"lc":1,"type":"constructor","id":["langchain","schema","messages","HumanMessage"],"kwargs":{"content":"hi","type":"human"}}]]}"#,
            r#"{"messages":[[{"type":"human","data":{"content":"hi"}}]]}"#,
            r#"[{"type":"human","content":"hi","additional_kwargs":{}}]"#,
            r#"[{"event.name":"gen_ai.user.message","content":"hi","role":"user"}]"#,
            r#"[{"parts":[{"part_kind":"user-prompt","content":"hi"}],"kind":"request","role":"user"}]"#,
        ] {
            let messages = read(&Json::parse(json).unwrap()).messages;
            let last = messages.last().unwrap_or_else(|| panic!("{json}"));
            assert_eq!((&*last.role, &*last.parts), ("user", &[Part::Text("hi".to_owned())][..]), "{json}");
        }
    }

    #[test]
    fn instructions_and_tools_stand_beside() {
        for json in [
            r#"{"system":"be kind","messages":[{"role":"user","content":"hi"}],"tools":[{"name":"f"}]}"#,
            r#"{"system":[{"type":"text","text":"be kind"}],"prompt":"hi","tools":[{"name":"f"}]}"#,
            r#"{"instructions":"be kind","input":"hi","tools":[{"type":"function","name":"f"}]}"#,
            r#"{"contents":"hi","config":{"system_instruction":"be kind","tools":[{"function_declarations":[{"name":"f"}]}]}}"#,
            r#"{"contents":"hi","systemInstruction":{"parts":[{"text":"be kind"}]},"tools":[{"functionDeclarations":[{"name":"f"}]}]}"#,
            r#"{"system":[{"text":"be kind"}],"messages":[{"role":"user","content":[{"text":"hi"}]}],"toolConfig":{"tools":[{"toolSpec":{"name":"f"}}]}}"#,
        ] {
            let request = read(&Json::parse(json).unwrap());
            assert_eq!(request.system, [Part::Text("be kind".to_owned())], "{json}");
            assert_eq!(request.messages.len(), 1, "{json}");
            assert_eq!(request.tools.iter().map(|tool| &*tool.name).collect::<Vec<_>>(), ["f"], "{json}");
        }
    }

    #[test]
    fn what_is_unknown_is_shown_as_it_is() {
        let messages = |json: &str| read(&Json::document(&json.into())).messages;
        assert_eq!(
            messages(r#"{"city": "Paris"}"#)[0].parts,
            [Part::Other(r#"{"city": "Paris"}"#.to_owned())]
        );
        assert_eq!(messages("[1, 2]")[0].parts, [Part::Other("[1, 2]".to_owned())]);
        assert_eq!(messages(r#"{"broken": "#)[0].parts, [Part::Text(r#"{"broken": "#.to_owned())]);
        assert_eq!(messages("\"hi\"")[0].parts, [Part::Text("hi".to_owned())]);
        assert_eq!(messages("[]"), [], "an empty list says nothing");
        assert_eq!(messages("[REDACTED]"), []);
    }
}
