//! Log records by themselves.

use serde_json::{Value as Json, json};

use crate::record;

const DETAILS: &str = "gen_ai.client.inference.operation.details";

fn details() -> Json {
    json!({
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.input_tokens": 7, "gen_ai.conversation.id": "c-1",
        "gen_ai.input.messages": [{ "role": "user", "parts": [{ "type": "text", "content": "Hi" }] }],
    })
}

#[test]
fn details_outside_of_spans_are_a_call() {
    let expected = json!({
        "kind": "llm", "is_call": true, "provider": "openai", "request_model": "gpt-4o", "input_tokens": 7,
        "session_id": "c-1", "input": [["user", "Hi"]],
    });
    record("any", DETAILS, details(), json!(null)).tells(expected.clone());
    record("any", "", details(), json!(null)).with("event.name", json!(DETAILS)).tells(expected.clone());
    record("any", "", json!({ "event.name": DETAILS }), details()).tells(expected);
}

#[test]
fn other_records_are_no_calls() {
    for name in ["gen_ai.user.message", "gen_ai.choice", "gen_ai.evaluation.result", "app.started"] {
        let told =
            record("any", name, json!({ "gen_ai.request.model": "gpt-4o" }), json!({ "content": "Hi" }));
        assert_ne!(told.shown()["is_call"], json!(true), "{name}");
    }
}
