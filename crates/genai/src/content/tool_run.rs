//! The arguments and the result of a tool that was run, of a span that is one of a tool.

use llm_observatory_core::attributes::Value;
use llm_observatory_core::llm::Message;
use llm_observatory_core::llm::Part;

use crate::observation::Event;

use super::json::Json;
use super::keys::Keys;
use super::placeholder::is_placeholder;
use super::{message, message_events, part};

/// Keys that hold arguments of tools and nothing else.
const ARGUMENTS: &[&str] = &[
    "gen_ai.tool.call.arguments",
    "ai.toolCall.args",
    "ai.toolCall.input",
    "tool_arguments",
    "gcp.vertex.agent.tool_call_args",
];

/// Keys that hold results of tools and nothing else.
const RESULT: &[&str] = &[
    "gen_ai.tool.call.result",
    "ai.toolCall.result",
    "ai.toolCall.output",
    "tool_response",
    "gcp.vertex.agent.tool_response",
];

/// Keys that hold whatever went in.
const INPUT: &[&str] = &[
    "spring.ai.tool.call.arguments",
    "mcp.request.argument",
    "langfuse.observation.input",
    "mlflow.spanInputs",
    "gen_ai.prompt",
    "traceloop.entity.input",
    "input.value",
    "lmnr.span.input",
    "genkit:input",
    "tool_input",
];

/// Keys that hold whatever came out.
const OUTPUT: &[&str] = &[
    "spring.ai.tool.call.result",
    "mcp.response.value",
    "langfuse.observation.output",
    "mlflow.spanOutputs",
    "traceloop.entity.output",
    "output.value",
    "lmnr.span.output",
    "genkit:output",
    "tool_output",
];

/// The arguments, as JSON.
pub(super) fn arguments(keys: &Keys<'_>, events: &[Event<'_>]) -> Option<String> {
    let parameters = || {
        // With some instrumentations it is the schema of the arguments.
        let is_schema = |json: &Json<'_>| json.get("properties").is_some();
        keys.document("tool.parameters").filter(|json| json.is_map() && !is_schema(json) && !json.is_empty())
    };
    let told = ARGUMENTS.iter().find_map(|key| own(keys, key));
    told.or_else(|| said(&message_events::input(events)))
        .or_else(|| parameters().map(|json| json.to_json()))
        .or_else(|| INPUT.iter().find_map(|key| json(keys.get(key)?)))
}

/// The result, as JSON.
pub(super) fn result(keys: &Keys<'_>, events: &[Event<'_>]) -> Option<String> {
    let told = RESULT.iter().find_map(|key| own(keys, key));
    told.or_else(|| said(&message_events::output(events)))
        .or_else(|| langsmith(keys))
        .or_else(|| OUTPUT.iter().find_map(|key| json(keys.get(key)?)))
}

/// What one of these keys tells. ADK writes an empty map where it shows nothing.
fn own(keys: &Keys<'_>, key: &str) -> Option<String> {
    json(keys.get(key)?).filter(|json| json != "{}" || !key.starts_with("gcp.vertex.agent."))
}

/// LangSmith puts results that are no maps into one.
fn langsmith(keys: &Keys<'_>) -> Option<String> {
    let document = keys.document("gen_ai.completion")?;
    let output = match &document {
        Json::Map(fields, _) if fields.len() == 1 => document.get("output").unwrap_or(&document),
        _ => &document,
    };
    Some(unwrapped(output).result())
}

/// The value as JSON, without what frameworks put around it: a text that is JSON is taken as it is, any other is a JSON
/// string.
fn json(value: &Value<'_>) -> Option<String> {
    if value.as_str().is_some_and(is_placeholder) {
        return None;
    }
    let document = Json::document(value);
    let inner = unwrapped(&document);
    match (inner, value) {
        (json, _) if json.is_null() => None,
        (Json::Text(text), _) if is_placeholder(text) => None,
        (Json::Text(_), Value::Str(text))
            if std::ptr::eq(inner, &document) && Json::parse(text).is_some() =>
        {
            Some(text.trim().to_owned())
        }
        (json, _) => Some(json.result()),
    }
}

/// What LangChain, decorated functions and messages have inside.
fn unwrapped<'j, 'a>(json: &'j Json<'a>) -> &'j Json<'a> {
    let Json::Map(fields, _) = json else {
        // Strands tells blocks of Bedrock.
        return part::payload(json);
    };
    let only =
        |names: &[&str]| fields.len() == names.len() && names.iter().all(|name| json.field(name).is_some());
    let inner = if json.get("input_str").is_some() {
        json.any(&["inputs", "input_str"])
    } else if only(&["args", "kwargs"]) {
        let is_filled = |inner: &&Json<'_>| !inner.is_empty();
        match (json.get("args").filter(is_filled), json.get("kwargs").filter(is_filled)) {
            (None, kwargs) => kwargs,
            (args, None) => args,
            _ => None,
        }
    } else if only(&["output", "kwargs"]) {
        json.get("output").map(unwrapped)
    } else if only(&["output"]) {
        json.get("output").filter(|output| message::langchain(output).is_some()).map(unwrapped)
    } else {
        message::langchain(json)
            .filter(|(role, _)| *role == "tool")
            .and_then(|(_, fields)| fields.get("content"))
    };
    inner.unwrap_or(json)
}

/// What the only message of a tool's span says; Strands tells arguments and results so.
fn said(messages: &[Message]) -> Option<String> {
    let [message] = messages else { return None };
    match &*message.parts {
        [Part::Text(text)] => Some(Json::Text(text.as_str().into()).result()),
        [Part::ToolResult { result: json, .. } | Part::Other(json)] => {
            Some(json.clone()).filter(|json| !json.is_empty())
        }
        _ => None,
    }
}
