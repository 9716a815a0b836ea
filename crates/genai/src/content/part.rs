//! A part of a message in the shape of any provider or dialect.

use std::borrow::Cow;

use llm_observatory_core::llm::Part;

use super::json::Json;
use super::media::media;
use super::placeholder::is_placeholder;

/// Under this type [`crate::attributes`] writes a part that another reader would take for something else.
pub(crate) const OTHER: &str = "llm_observatory.other";

/// Appends the parts in `json`: a text, a part, or a list of such. Empty texts and placeholders are left out.
pub(super) fn read(json: &Json<'_>, out: &mut Vec<Part>) {
    match json {
        Json::Text(text) => text_part(text, out),
        Json::List(items, _) => items.iter().for_each(|item| read(item, out)),
        Json::Map(..) => {
            if !known(json, out) {
                out.push(Part::Other(json.to_json()));
            }
        }
        Json::Literal(_) if json.is_null() => {}
        Json::Literal(literal) => out.push(Part::Text(literal.clone().into_owned())),
    }
}

/// Whether `json`, with `outer` lists and maps around it, is read as exactly this part.
pub(crate) fn is_read_as(json: &str, outer: usize, expected: &Part) -> bool {
    let mut parts = Vec::new();
    if let Some(json) = Json::parse_inside(json, outer).filter(Json::is_map) {
        read(&json, &mut parts);
    }
    parts == std::slice::from_ref(expected)
}

/// Appends the parts in a text that may hold the JSON of parts, as it does where attributes can't be structured. Only if
/// it is one part with a type, or a list of nothing but known parts, it is read so: people talk about JSON, too.
pub(super) fn read_text(text: &str, out: &mut Vec<Part>) {
    let json = Json::parse_nest(text);
    let items = match &json {
        Some(Json::List(items, _)) => &**items,
        Some(part @ Json::Map(..)) if part.text_at(&["type"]).is_some() => std::slice::from_ref(part),
        _ => &[],
    };
    let mut parts = Vec::new();
    if !items.is_empty() && items.iter().all(|item| item.is_map() && known(item, &mut parts)) {
        out.append(&mut parts);
    } else {
        text_part(text, out);
    }
}

/// Appends a text, unless it is a placeholder.
pub(super) fn text_part(text: &str, out: &mut Vec<Part>) {
    if !is_placeholder(text) {
        out.push(Part::Text(text.to_owned()));
    }
}

/// Appends a thought, unless it is a placeholder.
pub(super) fn reasoning_part(text: &str, out: &mut Vec<Part>) {
    if !is_placeholder(text) {
        out.push(Part::Reasoning(text.to_owned()));
    }
}

/// Appends the part in this map, if its shape is known.
fn known(map: &Json<'_>, out: &mut Vec<Part>) -> bool {
    let kind = map.text_at(&["type", "block_type", "part_kind"]).unwrap_or_default();
    match kind {
        "" => return untyped(map, out),
        "text" | "input_text" | "output_text" | "summary_text" | "reasoning_text" | "user-prompt"
        | "system-prompt" | "instructions" | "refusal" => {
            let said = map.any(&["text", "content", "value", "refusal"]);
            let said = said.and_then(|said| said.get("value")).or(said);
            match (said, kind) {
                (Some(Json::Text(text)), "reasoning_text" | "summary_text") => reasoning_part(text, out),
                (Some(said), _) => read(said, out),
                (None, _) => {}
            }
        }
        "reasoning" | "thinking" => thoughts(map, out),
        "tool_call" | "tool_use" | "tool-call" | "function_call" | "function" | "server_tool_call"
        | "server_tool_use" | "mcp_tool_use" | "custom_tool_call" => match call(map) {
            Some(call) => out.push(call),
            None => return false,
        },
        "tool_call_response"
        | "tool_result"
        | "tool-result"
        | "function_call_output"
        | "tool-return"
        | "function_response"
        | "server_tool_call_response"
        | "web_search_tool_result"
        | "mcp_tool_result"
        | "custom_tool_call_output" => out.push(result(map)),
        OTHER => match map.text_at(&["json"]) {
            Some(json) => out.push(Part::Other(json.to_owned())),
            None => return false,
        },
        _ => match media(map) {
            Some(medium) => out.push(medium),
            None => return false,
        },
    }
    true
}

/// Parts of Google, Bedrock, Haystack and Genkit, which are told apart by their keys.
fn untyped(map: &Json<'_>, out: &mut Vec<Part>) -> bool {
    if let Some(Json::Text(text)) = map.get("text") {
        let is_thought =
            map.get("thought").is_some_and(|thought| *thought == Json::Literal(Cow::Borrowed("true")));
        if is_thought { reasoning_part(text, out) } else { text_part(text, out) }
    } else if let Some(inner) =
        map.any(&["functionCall", "function_call", "toolUse", "tool_call", "toolRequest"])
    {
        return call(inner).map(|call| out.push(call)).is_some();
    } else if let Some(inner) =
        map.any(&["functionResponse", "function_response", "toolResult", "toolResponse"])
    {
        out.push(result(inner));
    } else if let Some(inner) = map.get("reasoningContent") {
        match inner.get("reasoningText") {
            Some(told) => thoughts(told, out),
            None => return false,
        }
    } else if let Some(Json::Text(thought)) = map.get("reasoning") {
        reasoning_part(thought, out);
    } else if let Some(medium) = media(map) {
        out.push(medium);
    } else {
        return false;
    }
    true
}

/// Appends what the model thought, under any of its names.
fn thoughts(map: &Json<'_>, out: &mut Vec<Part>) {
    let names = ["content", "text", "thinking", "reasoning", "summary"].into_iter();
    let is_said = |told: &&Json<'_>| !told.is_empty() && told.text() != Some("");
    if let Some(told) = names.filter_map(|name| map.get(name)).find(is_said) {
        thought(told, out);
    }
}

/// Appends what the model thought: a text, or a list of texts or of parts with a text.
pub(super) fn thought(told: &Json<'_>, out: &mut Vec<Part>) {
    match told {
        // OpenLLMetry writes OpenAI's summary as JSON.
        Json::Text(text) => match Json::parse_nest(text).filter(is_summary) {
            Some(summary) => thought(&summary, out),
            None => reasoning_part(text, out),
        },
        Json::List(items, _) => {
            let texts =
                items.iter().filter_map(|item| item.text().or_else(|| item.text_at(&["text", "content"])));
            texts.for_each(|text| reasoning_part(text, out));
        }
        _ => {}
    }
}

/// Whether this is a summary of OpenAI's responses API.
fn is_summary(json: &Json<'_>) -> bool {
    let is_part = |item: &Json<'_>| item.text_at(&["type"]) == Some("summary_text");
    json.items().is_some_and(|items| !items.is_empty() && items.iter().all(is_part))
}

/// The call of a tool in a map of any shape; `None` if it names no tool.
pub(super) fn call(map: &Json<'_>) -> Option<Part> {
    let function = map.get("function").filter(|function| function.is_map()).unwrap_or(map);
    let name = function.text_at(&["name", "toolName", "tool_name"])?.to_owned();
    let arguments =
        ["arguments", "args", "input", "server_tool_call"].into_iter().find_map(|key| function.field(key));
    Some(Part::ToolCall {
        id: map
            .text_at(&["call_id", "tool_call_id", "toolCallId", "toolUseId", "id", "ref"])
            .map(str::to_owned),
        name,
        arguments: arguments
            .filter(|arguments| !arguments.is_null())
            .map(Json::arguments)
            .unwrap_or_default(),
    })
}

/// The result of a tool in a map of any shape.
pub(super) fn result(map: &Json<'_>) -> Part {
    // OpenTelemetry's parts hold the result as it is, providers wrap it.
    let plain =
        ["response", "result", "server_tool_call_response"].into_iter().find_map(|key| map.field(key));
    let told = plain.map(only_text).or_else(|| map.any(&["content", "output"]).map(payload));
    Part::ToolResult {
        id: map
            .text_at(&["tool_use_id", "tool_call_id", "call_id", "toolCallId", "toolUseId", "id", "ref"])
            .map(str::to_owned),
        result: told.map(Json::result).unwrap_or_default(),
    }
}

/// The text of a list that is one block of text, as Anthropic's SDK has it; anything else as it is.
fn only_text<'j, 'a>(told: &'j Json<'a>) -> &'j Json<'a> {
    match told.items() {
        Some([block @ Json::Map(fields, _)])
            if fields.len() == 2 && block.text_at(&["type"]) == Some("text") =>
        {
            block.any(&["text", "content"]).unwrap_or(told)
        }
        _ => told,
    }
}

/// The result itself: without the one block that providers put around it, and without Vercel's `{"type", "value"}`.
pub(super) fn payload<'j, 'a>(told: &'j Json<'a>) -> &'j Json<'a> {
    const VERCEL: &[&str] = &["text", "json", "error-text", "error-json", "content"];
    match told {
        Json::Map(..) if told.text_at(&["type"]).is_some_and(|kind| VERCEL.contains(&kind)) => {
            told.get("value").unwrap_or(told)
        }
        Json::List(items, _) => match &**items {
            [block @ Json::Map(fields, _)] if fields.len() == 1 => {
                block.any(&["text", "json"]).unwrap_or(told)
            }
            _ => only_text(told),
        },
        _ => told,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(json: &str) -> Vec<Part> {
        let mut out = Vec::new();
        read(&Json::parse(json).unwrap(), &mut out);
        out
    }

    #[test]
    fn texts_and_thoughts_of_all_providers() {
        for json in [
            r#""hi""#,
            r#"{"type":"text","text":"hi"}"#,
            r#"{"type":"text","content":"hi"}"#,
            r#"{"type":"output_text","text":"hi","annotations":[]}"#,
            r#"{"type":"text","text":{"value":"hi","annotations":[]}}"#,
            r#"{"type":"text","content":[{"type":"text","text":"hi"}]}"#,
            r#"{"text":"hi"}"#,
            r#"{"block_type":"text","text":"hi"}"#,
            r#"{"part_kind":"user-prompt","content":"hi"}"#,
        ] {
            assert_eq!(parts(json), [Part::Text("hi".to_owned())], "{json}");
        }
        for json in [
            r#"{"type":"reasoning","content":"hm"}"#,
            r#"{"type":"reasoning","text":"hm"}"#,
            r#"{"type":"thinking","thinking":"hm","signature":"x"}"#,
            r#"{"type":"reasoning","id":"rs","summary":[{"type":"summary_text","text":"hm"}]}"#,
            r#"{"type":"reasoning","content":"[{\"text\": \"hm\", \"type\": \"summary_text\"}]"}"#,
            r#"{"text":"hm","thought":true}"#,
            r#"{"reasoningContent":{"reasoningText":{"text":"hm","signature":"x"}}}"#,
        ] {
            assert_eq!(parts(json), [Part::Reasoning("hm".to_owned())], "{json}");
        }
        for json in
            ["null", "\"\"", r#"{"type":"text","text":"[REDACTED]"}"#, r#"{"type":"reasoning","summary":[]}"#]
        {
            assert_eq!(parts(json), [], "{json}");
        }
    }

    #[test]
    fn calls_keep_the_text_of_their_arguments() {
        for json in [
            r#"{"type":"tool_call","id":"c1","name":"f","arguments":{"a": 1}}"#,
            r#"{"type":"tool_use","id":"c1","name":"f","input":{"a": 1}}"#,
            r#"{"type":"tool-call","toolCallId":"c1","toolName":"f","input":{"a": 1}}"#,
            r#"{"type":"tool-call","toolCallId":"c1","toolName":"f","args":{"a": 1}}"#,
            r#"{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\": 1}"}}"#,
            r#"{"type":"function_call","id":"fc","call_id":"c1","name":"f","arguments":"{\"a\": 1}"}"#,
            r#"{"functionCall":{"id":"c1","name":"f","args":{"a": 1}}}"#,
            r#"{"toolUse":{"toolUseId":"c1","name":"f","input":{"a": 1}}}"#,
            r#"{"toolRequest":{"ref":"c1","name":"f","input":{"a": 1}}}"#,
            r#"{"part_kind":"tool-call","tool_name":"f","args":{"a": 1},"tool_call_id":"c1"}"#,
        ] {
            let call =
                Part::ToolCall { id: Some("c1".into()), name: "f".into(), arguments: r#"{"a": 1}"#.into() };
            assert_eq!(parts(json), [call], "{json}");
        }
    }

    #[test]
    fn results_are_json() {
        let result = |json: &str| Part::ToolResult { id: Some("c1".into()), result: json.to_owned() };
        for (json, told) in [
            (r#"{"type":"tool_call_response","id":"c1","response":{"t": 1}}"#, r#"{"t": 1}"#),
            (r#"{"type":"tool_call_response","id":"c1","result":"sunny"}"#, r#""sunny""#),
            (r#"{"type":"tool_call_response","id":"c1","response":"{\"t\": 1}"}"#, r#"{"t": 1}"#),
            (
                r#"{"type":"tool_result","tool_use_id":"c1","content":[{"type":"text","text":"sunny"}]}"#,
                r#""sunny""#,
            ),
            (
                r#"{"toolResult":{"toolUseId":"c1","content":[{"json":{"t": 1}}],"status":"success"}}"#,
                r#"{"t": 1}"#,
            ),
            (r#"{"functionResponse":{"id":"c1","name":"f","response":{"t": 1}}}"#, r#"{"t": 1}"#),
            (
                r#"{"type":"tool-result","toolCallId":"c1","output":{"type":"json","value":{"t": 1}}}"#,
                r#"{"t": 1}"#,
            ),
            (r#"{"toolResponse":{"ref":"c1","name":"f","output":"sunny"}}"#, r#""sunny""#),
            (r#"{"type":"function_call_output","call_id":"c1","output":"sunny"}"#, r#""sunny""#),
            (r#"{"type":"tool_call_response","id":"c1","response":null}"#, "null"),
            (r#"{"type":"tool_call_response","id":"c1"}"#, ""),
        ] {
            assert_eq!(parts(json), [result(told)], "{json}");
        }
    }

    #[test]
    fn what_is_unknown_stays_json() {
        let json = r#"{"type":"redacted_thinking", "data":"x"}"#;
        assert_eq!(parts(json), [Part::Other(json.to_owned())]);
        let mut out = Vec::new();
        read_text("[{\"price\": 1}]", &mut out);
        read_text(r#"[{"type":"text","text":"hi"}]"#, &mut out);
        assert_eq!(out, [Part::Text("[{\"price\": 1}]".to_owned()), Part::Text("hi".to_owned())]);
    }
}
