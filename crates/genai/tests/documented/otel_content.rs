//! What was said, in OpenTelemetry's conventions of every generation.

use serde_json::{Value as Json, json};

use crate::{Told, each, span};

fn chat(attributes: Json) -> Told {
    span("opentelemetry.instrumentation.genai.openai", "chat gpt-4o", attributes)
        .with("gen_ai.operation.name", json!("chat"))
}

/// The same messages, structured and as JSON.
fn both(json: &Json) -> [Json; 2] {
    [json.clone(), json.to_string().into()]
}

#[test]
fn parts_of_1_37_and_later() {
    for (part, said) in [
        (json!({ "type": "text", "content": "Hi" }), json!("Hi")),
        (json!({ "type": "reasoning", "content": "Hm" }), json!({ "thinks": "Hm" })),
        (
            json!({ "type": "tool_call", "id": "c1", "name": "add", "arguments": { "a": 1 } }),
            json!({ "calls": "add", "id": "c1", "with": { "a": 1 } }),
        ),
        (
            json!({ "type": "tool_call", "name": "add", "arguments": "{\"a\": 1}" }),
            json!({ "calls": "add", "id": null, "with": { "a": 1 } }),
        ),
        (
            json!({ "type": "tool_call", "id": "c1", "name": "now" }),
            json!({ "calls": "now", "id": "c1", "with": "" }),
        ),
        (
            json!({ "type": "tool_call_response", "id": "c1", "response": { "sum": 2 } }),
            json!({ "result": { "sum": 2 }, "id": "c1" }),
        ),
        (
            json!({ "type": "tool_call_response", "id": "c1", "result": "two" }),
            json!({ "result": "two", "id": "c1" }),
        ),
        (
            json!({ "type": "server_tool_call", "id": "c1", "name": "search", "server_tool_call": { "q": "x" } }),
            json!({ "calls": "search", "id": "c1", "with": { "q": "x" } }),
        ),
        (
            json!({ "type": "server_tool_call_response", "id": "c1", "server_tool_call_response": { "n": 0 } }),
            json!({ "result": { "n": 0 }, "id": "c1" }),
        ),
        (
            json!({ "type": "blob", "mime_type": "image/png", "modality": "image", "content": "aGk=" }),
            json!({ "medium": "image", "mime": "image/png", "inline": "aGk=" }),
        ),
        (
            json!({ "type": "blob", "modality": "audio", "content": "aGk=" }),
            json!({ "medium": "audio", "mime": null, "inline": "aGk=" }),
        ),
        (
            json!({ "type": "file", "modality": "image", "file_id": "f-1" }),
            json!({ "medium": "image", "mime": null, "file": "f-1" }),
        ),
        (
            json!({ "type": "uri", "modality": "video", "mime_type": "video/mp4", "uri": "gs://b/v" }),
            json!({ "medium": "video", "mime": "video/mp4", "uri": "gs://b/v" }),
        ),
        (
            json!({ "type": "compaction", "content": [] }),
            json!({ "other": { "type": "compaction", "content": [] } }),
        ),
        (
            json!({ "type": "weather", "sky": "clear" }),
            json!({ "other": { "type": "weather", "sky": "clear" } }),
        ),
    ] {
        for messages in both(&json!([{ "role": "user", "parts": [part] }])) {
            chat(json!({ "gen_ai.input.messages": messages })).tells(json!({ "input": [["user", said]] }));
        }
        for messages in both(&json!([{ "role": "assistant", "parts": [part], "finish_reason": "stop" }])) {
            let told = chat(json!({ "gen_ai.output.messages": messages }));
            told.tells(
                json!({ "output": [["stopped stop", "assistant", said]], "finish_reasons": ["stop"] }),
            );
        }
    }
}

#[test]
fn a_conversation_with_a_tool() {
    let input = json!([
        { "role": "system", "parts": [{ "type": "text", "content": "Be terse." }] },
        { "role": "user", "name": "Ann", "parts": [{ "type": "text", "content": "Add." }] },
        { "role": "assistant", "parts": [{ "type": "tool_call", "id": "c1", "name": "add", "arguments": {} }] },
        { "role": "tool", "parts": [{ "type": "tool_call_response", "id": "c1", "response": 2 }] },
    ]);
    let output = json!([
        { "role": "assistant", "parts": [{ "type": "text", "content": "2" }], "finish_reason": "stop" },
        { "role": "assistant", "parts": [{ "type": "text", "content": "two" }], "finish_reason": "length" },
    ]);
    for (input, output) in both(&input).into_iter().zip(both(&output)) {
        chat(json!({ "gen_ai.input.messages": input, "gen_ai.output.messages": output })).tells(json!({
            "input": [
                ["system", "Be terse."],
                ["name Ann", "user", "Add."],
                ["assistant", { "calls": "add", "id": "c1", "with": {} }],
                ["tool", { "result": 2, "id": "c1" }],
            ],
            "output": [["stopped stop", "assistant", "2"], ["stopped length", "assistant", "two"]],
            "system": null,
            "finish_reasons": ["stop", "length"],
        }));
    }
}

#[test]
fn instructions_and_tools() {
    for system in
        both(&json!([{ "type": "text", "content": "Be terse." }, { "type": "text", "content": "Be kind." }]))
    {
        chat(json!({ "gen_ai.system_instructions": system }))
            .tells(json!({ "system": ["Be terse.", "Be kind."] }));
    }
    each(
        &chat(json!({})),
        &[("gen_ai.system_instructions", json!("Be terse."), "system", json!(["Be terse."]))],
    );
    let schema = json!({ "type": "object", "properties": { "a": { "type": "number" } } });
    let tools = json!([
        { "type": "function", "name": "add", "description": "Adds.", "parameters": schema },
        { "type": "web_search", "name": "search" },
    ]);
    for tools in both(&tools) {
        chat(json!({ "gen_ai.tool.definitions": tools }))
            .tells(json!({ "tools": [["add", "Adds.", schema], ["search", null, null]] }));
    }
}

#[test]
fn details_in_an_event_or_a_record() {
    let message = |role, text| json!([{ "role": role, "parts": [{ "type": "text", "content": text }] }]);
    let details = json!({
        "gen_ai.input.messages": message("user", "Hi"), "gen_ai.output.messages": message("assistant", "Ho"),
        "gen_ai.system_instructions": [{ "type": "text", "content": "Be terse." }],
        "gen_ai.tool.definitions": [{ "type": "function", "name": "add" }],
        "gen_ai.usage.input_tokens": 7, "gen_ai.response.id": "r-1",
    });
    let said = json!({
        "input": [["user", "Hi"]], "output": [["assistant", "Ho"]], "system": ["Be terse."],
        "tools": [["add", null, null]], "input_tokens": 7, "response_id": "r-1",
    });
    let name = "gen_ai.client.inference.operation.details";
    chat(json!({})).event(name, 9, details.clone()).tells(said.clone());
    chat(json!({})).log(name, 9, details.clone(), json!(null)).tells(said.clone());
    let named = json!({ "event.name": name });
    chat(json!({})).log("", 9, named, details.clone()).tells(said);
    // What the span says itself wins.
    chat(json!({ "gen_ai.input.messages": message("user", "Hey") }))
        .log(name, 9, details, json!(null))
        .tells(json!({ "input": [["user", "Hey"]], "output": [["assistant", "Ho"]] }));
}

#[test]
fn message_events_of_1_28_to_1_36() {
    let call =
        json!([{ "id": "c1", "type": "function", "function": { "name": "add", "arguments": "{\"a\": 1}" } }]);
    let bodies = [
        ("gen_ai.system.message", json!({ "content": "Be terse." })),
        ("gen_ai.user.message", json!({ "content": "Add.", "role": "user" })),
        ("gen_ai.assistant.message", json!({ "tool_calls": call })),
        ("gen_ai.tool.message", json!({ "id": "c1", "content": "2" })),
        (
            "gen_ai.choice",
            json!({ "index": 0, "finish_reason": "stop", "message": { "role": "assistant", "content": "2" } }),
        ),
        (
            "gen_ai.choice",
            json!({ "index": 1, "finish_reason": "tool_calls", "message": { "tool_calls": call } }),
        ),
    ];
    let said = json!({
        "input": [
            ["system", "Be terse."],
            ["user", "Add."],
            ["assistant", { "calls": "add", "id": "c1", "with": { "a": 1 } }],
            ["tool", { "result": "2", "id": "c1" }],
        ],
        "output": [
            ["stopped stop", "assistant", "2"],
            ["stopped tool_call", "assistant", { "calls": "add", "id": "c1", "with": { "a": 1 } }],
        ],
        "finish_reasons": ["stop", "tool_call"],
    });
    let by = |add: &dyn Fn(Told, u64, &'static str, Json) -> Told| {
        (5..).zip(bodies.clone()).fold(chat(json!({})), |told, (at, (name, body))| add(told, at, name, body))
    };
    by(&|told, at, name, body| told.log(name, at, json!({}), body)).tells(said.clone());
    by(&|told, at, name, body| told.log("", at, json!({ "event.name": name }), body)).tells(said.clone());
    by(&|told, at, name, body| told.event(name, at, body)).tells(said.clone());
    by(&|told, at, name, body| told.event(name, at, json!({ "gen_ai.event.content": body.to_string() })))
        .tells(said);
    // Calls beside the message, as some write them.
    chat(json!({}))
        .log("gen_ai.choice", 5, json!({}), json!({ "tool_calls": call, "message": { "content": "Hm" } }))
        .tells(
            json!({ "output": [["assistant", "Hm", { "calls": "add", "id": "c1", "with": { "a": 1 } }]] }),
        );
}

#[test]
fn events_of_1_26_and_1_27() {
    let prompt = |json: Json| json!({ "gen_ai.prompt": json.to_string() });
    let completion = |json: Json| json!({ "gen_ai.completion": json.to_string() });
    chat(json!({}))
        .event("gen_ai.content.prompt", 1, prompt(json!([{ "role": "user", "content": "Hi" }])))
        .event("gen_ai.content.completion", 2, completion(json!([{ "role": "assistant", "content": "Ho" }])))
        .tells(json!({ "input": [["user", "Hi"]], "output": [["assistant", "Ho"]] }));
}

#[test]
fn what_is_no_json_is_shown_or_absent() {
    for broken in ["[{broken", "{\"role\": ", "plain words", "[1, 2", "\u{0}", "[[[[", "\"half"] {
        chat(json!({ "gen_ai.input.messages": broken, "gen_ai.output.messages": broken }))
            .tells(json!({ "input": [["user", broken]], "output": [["assistant", broken]], "kind": "llm" }));
    }
    for nothing in
        [json!(""), json!("[]"), json!("null"), json!([]), json!(null), json!("{}"), json!("[REDACTED]")]
    {
        chat(json!({ "gen_ai.input.messages": nothing, "gen_ai.output.messages": nothing }))
            .tells(json!({ "input": null, "output": null }));
    }
    // A role alone, parts that are no list, a list of texts.
    chat(json!({ "gen_ai.input.messages": r#"[{"role": "user"}]"# })).tells(json!({ "input": null }));
    chat(json!({ "gen_ai.input.messages": r#"[{"role": "user", "parts": "Hi"}]"# }))
        .tells(json!({ "input": [["user", "Hi"]] }));
    chat(json!({ "gen_ai.input.messages": r#"["Hi", "there"]"# }))
        .tells(json!({ "input": [["user", "Hi"], ["user", "there"]] }));
    chat(json!({ "gen_ai.input.messages": r#"[{"role": "user", "content": "Hi"}]"# }))
        .tells(json!({ "input": [["user", "Hi"]] }));
    chat(json!({ "gen_ai.input.messages": r#"{"role": "user", "content": "Hi"}"# }))
        .tells(json!({ "input": [["user", "Hi"]] }));
}

#[test]
fn placeholders_say_nothing() {
    for placeholder in ["[REDACTED]", "<REDACTED>", "__REDACTED__", "<elided>", "N/A", ""] {
        let messages = json!([{ "role": "user", "parts": [{ "type": "text", "content": placeholder }] }]);
        chat(json!({ "gen_ai.input.messages": messages.to_string() })).tells(json!({ "input": null }));
        chat(json!({}))
            .event("gen_ai.user.message", 1, json!({ "content": placeholder }))
            .tells(json!({ "input": null }));
        chat(json!({ "gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": placeholder }))
            .tells(json!({ "input": null }));
        let tool =
            json!({ "gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.arguments": placeholder });
        chat(tool).with("gen_ai.operation.name", json!("execute_tool")).tells(json!({ "arguments": null }));
    }
}
