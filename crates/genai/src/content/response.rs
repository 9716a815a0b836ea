//! What comes out of a call, in a document of any shape: the response of a provider, the output of a framework, a text.

use llm_observatory_core::llm::{Message, Part};

use super::json::Json;
use super::{message, part};

/// How often a text or an inner map is opened to look for a response.
const MAX_WRAPS: usize = 4;

/// The messages that a document of a known shape says came out.
pub(super) fn read_known(json: &Json<'_>) -> Option<Vec<Message>> {
    known(json, MAX_WRAPS)
}

/// The messages that the document says came out. What has no known shape is one message with the document as its part.
pub(super) fn read(json: &Json<'_>) -> Vec<Message> {
    read_known(json).unwrap_or_else(|| {
        let mut parts = Vec::new();
        match json {
            json if json.is_empty() => {}
            Json::List(..) => parts.push(Part::Other(json.to_json())),
            json => part::read(json, &mut parts),
        }
        let is_said = parts.iter().any(|part| !matches!(part, Part::Other(_)));
        let mut answers = answer(parts, None);
        if !is_said {
            answers.iter_mut().for_each(|answer| answer.role.clear());
        }
        answers
    })
}

/// An answer, unless it says nothing.
fn answer(parts: Vec<Part>, finish_reason: Option<String>) -> Vec<Message> {
    let message = Message { role: "assistant".to_owned(), parts, finish_reason, ..Message::default() };
    if message.parts.is_empty() { Vec::new() } else { vec![message] }
}

fn text(text: &str, finish_reason: Option<String>) -> Vec<Message> {
    let mut parts = Vec::new();
    part::text_part(text, &mut parts);
    answer(parts, finish_reason)
}

fn known(json: &Json<'_>, wraps: usize) -> Option<Vec<Message>> {
    match json {
        Json::Text(text) if wraps > 0 => known(&Json::parse_nest(text)?, wraps - 1),
        Json::List(items, _) if !items.is_empty() => {
            let are_messages = items.iter().all(|item| {
                item.items()
                    .map_or_else(|| message::is_message(item), |inner| inner.iter().all(message::is_message))
            });
            match &**items {
                items if are_messages => Some(message::list(items, "assistant")),
                // LangGraph lists the changes of its state.
                [only @ Json::Map(..)] if wraps > 0 => map(only, wraps - 1),
                _ => None,
            }
        }
        Json::Map(..) if message::is_message(json) => {
            Some(message::read(json, "assistant").into_iter().collect())
        }
        Json::Map(..) if wraps > 0 => map(json, wraps - 1),
        _ => None,
    }
}

fn map(json: &Json<'_>, wraps: usize) -> Option<Vec<Message>> {
    for name in ["choices", "candidates", "generations"] {
        if let Some(items) = json.get(name).and_then(Json::items) {
            return Some(items.iter().flat_map(choice).take(message::MAX_MESSAGES).collect());
        }
    }
    let reason = || message::finish_reason(json);
    if let Some(inner) = json.any(&["message", "content"]).filter(|inner| inner.is_map()) {
        // Ollama, Logfire and ADK name the reason beside the message.
        let mut answer = message::read(inner, "assistant")?;
        answer.finish_reason = answer.finish_reason.or_else(reason);
        return Some(vec![answer]);
    }
    for name in ["output", "outputs", "messages", "update", "response", "result", "data", "kwargs"] {
        let Some(inner) = json.get(name) else { continue };
        let found = match inner {
            Json::Text(words) => known(inner, wraps.min(1)).unwrap_or_else(|| text(words, reason())),
            inner => known(inner, wraps).unwrap_or_default(),
        };
        if !found.is_empty() {
            return Some(with_reason(found, reason()));
        }
    }
    // CrewAI's whole result.
    if json.get("tasks_output").is_some()
        && let Some(words) = json.text_at(&["raw"])
    {
        return Some(text(words, None));
    }
    let words = json.text_at(&[
        "text",
        "completion",
        "output_text",
        "combined_chunk_content",
        "content",
        "generated_text",
    ]);
    words.map(|words| text(words, reason()))
}

/// A single answer, with the reason that stands beside it.
fn with_reason(mut found: Vec<Message>, reason: Option<String>) -> Vec<Message> {
    if let [only] = &mut *found {
        only.finish_reason = only.finish_reason.take().or(reason);
    }
    found
}

/// One of several answers: a choice of OpenAI, a candidate of Google, a generation of LangChain (or a list of those).
fn choice(json: &Json<'_>) -> Vec<Message> {
    if let Some(items) = json.items() {
        return items.iter().flat_map(choice).collect();
    }
    let inner = json.any(&["message", "delta", "content"]);
    let Some(inner) = inner.filter(|inner| inner.is_map()) else {
        let words = json.text_at(&["text", "message", "content"]).unwrap_or_default();
        return text(words, message::finish_reason(json));
    };
    let Some(mut answer) = message::read(inner, "assistant") else { return Vec::new() };
    answer.finish_reason = message::finish_reason(json).or(answer.finish_reason);
    vec![answer]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_found_in_every_response() {
        for json in [
            r#"{"id":"x","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"ho"}}]}"#,
            r#"{"choices":[{"index":0,"finish_reason":"stop","text":"ho"}]}"#,
            r#"{"id":"m","type":"message","role":"assistant","content":[{"type":"text","text":"ho"}],"stop_reason":"stop"}"#,
            r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"ho"}]},"finishReason":"stop"}]}"#,
            r#"{"content":{"parts":[{"text":"ho"}],"role":"model"},"finish_reason":"stop"}"#,
            r#"{"output":{"message":{"role":"assistant","content":[{"text":"ho"}]}},"stopReason":"stop"}"#,
            r#"{"message":{"role":"assistant","content":"ho"},"done":true,"done_reason":"stop"}"#,
            r#"{"generations":[[{"text":"ho","generation_info":{"finish_reason":"stop"},"type":"ChatGeneration","message":{"lc":1,"type":"constructor","id":["langchain","schema","messages","AIMessage"],"kwargs":{"content":"ho","type":"ai"}}}]]}"#,
            r#"{"text":"ho","finish_reason":"stop"}"#,
        ] {
            let messages = read(&Json::parse(json).unwrap());
            let answer = Message {
                role: "assistant".to_owned(),
                parts: vec![Part::Text("ho".to_owned())],
                finish_reason: Some("stop".to_owned()),
                ..Message::default()
            };
            assert_eq!(messages, [answer], "{json}");
        }
        for json in [
            r#"{"output":[{"type":"message","role":"assistant","content":[{"type":"output_text","text":"ho"}]}]}"#,
            r#"{"outputs":{"output":"ho"}}"#,
            r#"{"output":"ho","kwargs":{}}"#,
            r#"{"combined_chunk_content":"ho","chunk_count":2}"#,
            r#"[{"role":"assistant","content":"ho"}]"#,
            r#""{\"choices\":[{\"message\":{\"content\":\"ho\"}}]}""#,
            r#""ho""#,
        ] {
            let messages = read(&Json::parse(json).unwrap());
            assert_eq!(messages.len(), 1, "{json}");
            assert_eq!(
                (&*messages[0].role, &*messages[0].parts),
                ("assistant", &[Part::Text("ho".to_owned())][..]),
                "{json}"
            );
        }
    }

    #[test]
    fn items_of_one_answer_are_one_message() {
        let json = r#"{"output":[{"type":"reasoning","id":"rs","summary":[{"type":"summary_text","text":"hm"}]},
            {"type":"message","role":"assistant","content":[{"type":"output_text","text":"wait"}]},
            {"type":"function_call","id":"fc","call_id":"c1","name":"f","arguments":"{}"}]}"#;
        let messages = read(&Json::parse(json).unwrap());
        assert_eq!(messages.len(), 1);
        assert_eq!(messages[0].name, None);
        assert_eq!(
            messages[0].parts,
            [
                Part::Reasoning("hm".to_owned()),
                Part::Text("wait".to_owned()),
                Part::ToolCall {
                    id: Some("c1".to_owned()),
                    name: "f".to_owned(),
                    arguments: "{}".to_owned()
                },
            ]
        );
    }

    #[test]
    fn langchain_names_a_call_once() {
        let json = r#"{"lc":1,"type":"constructor","id":["langchain","schema","messages","AIMessage"],"kwargs":{
            "content":[{"type":"tool_use","id":"c1","name":"f","input":{}}],"type":"ai",
            "tool_calls":[{"name":"f","args":{},"id":"c1","type":"tool_call"}],
            "additional_kwargs":{"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]}}}"#;
        let messages = read(&Json::parse(json).unwrap());
        assert_eq!(messages[0].parts.len(), 1);
    }
}
