//! The arguments and the result of a tool that was run.

use llm_observatory_core::attributes::Value;
use llm_observatory_core::llm::Message;
use llm_observatory_core::llm::Part;

use crate::observation::Event;

use super::json::Json;
use super::keys::Keys;
use super::message_events;
use super::placeholder::is_placeholder;

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

/// Keys that hold arguments where the span is one of a tool. `tool.parameters` stands last: with some instrumentations of
/// OpenInference it is the schema of the arguments.
const INPUT: &[&str] = &[
    "spring.ai.tool.call.arguments",
    "mcp.request.argument",
    "langfuse.observation.input",
    "mlflow.spanInputs",
    "gen_ai.prompt",
    "traceloop.entity.input",
    "input.value",
    "tool_input",
    "tool.parameters",
];

/// Keys that hold a result where the span is one of a tool.
const OUTPUT: &[&str] = &[
    "spring.ai.tool.call.result",
    "mcp.response.value",
    "langfuse.observation.output",
    "mlflow.spanOutputs",
    "gen_ai.completion",
    "traceloop.entity.output",
    "output.value",
    "tool_output",
];

/// The arguments, as JSON.
pub(super) fn arguments(keys: &Keys<'_>, events: &[Event<'_>], is_tool: bool) -> Option<String> {
    let own = ARGUMENTS.iter().find_map(|key| json(keys.get(key)?));
    if own.is_some() || !is_tool {
        return own;
    }
    said(&message_events::input(events))
        .or_else(|| INPUT.iter().find_map(|key| wrapped(keys, key, &["inputs", "kwargs", "input"])))
}

/// The result, as JSON.
pub(super) fn result(keys: &Keys<'_>, events: &[Event<'_>], is_tool: bool) -> Option<String> {
    let own = RESULT.iter().find_map(|key| json(keys.get(key)?));
    if own.is_some() || !is_tool {
        return own;
    }
    said(&message_events::output(events))
        .or_else(|| OUTPUT.iter().find_map(|key| wrapped(keys, key, &["output", "outputs"])))
}

/// The value as JSON: a text that is JSON is taken as it is, any other is a JSON string.
fn json(value: &Value<'_>) -> Option<String> {
    match value {
        Value::Str(text) if is_placeholder(text) => None,
        // What ADK writes where it shows nothing.
        Value::Str(text) if text == "{}" => Some("{}".to_owned()),
        Value::Str(text) if Json::parse(text).is_some() => Some(text.trim().to_owned()),
        value => Some(Json::of(value).to_json()).filter(|json| json != "null"),
    }
}

/// The value as JSON, without the one field that LangChain and decorated functions put around it.
fn wrapped(keys: &Keys<'_>, key: &str, wrappers: &[&str]) -> Option<String> {
    let value = keys.get(key)?;
    if !["traceloop.entity.input", "traceloop.entity.output", "gen_ai.prompt", "gen_ai.completion"]
        .contains(&key)
    {
        return json(value);
    }
    let document = Json::document(value);
    let inner = wrappers.iter().find_map(|name| {
        document.get(name).filter(|inner| !matches!(inner, Json::Map(fields, _) if fields.is_empty()))
    });
    match inner {
        Some(inner) => Some(inner.result()),
        None => json(value),
    }
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
