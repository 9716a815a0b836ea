//! Langfuse, as its server and its SDKs have it.

use serde_json::{Value as Json, json};

use crate::{Told, each, span};

fn generation(more: Json) -> Told {
    let mut told = span("langfuse-sdk", "answer", json!({ "langfuse.observation.type": "generation" }));
    for (key, value) in more.as_object().unwrap() {
        told = told.with(key, value.clone());
    }
    told
}

#[test]
fn types_are_kinds() {
    for (kind, expected, is_call) in [
        ("generation", "llm", true),
        ("embedding", "embedding", true),
        ("agent", "agent", false),
        ("tool", "tool", false),
        ("chain", "workflow", false),
        ("retriever", "retriever", false),
        ("guardrail", "guardrail", false),
        ("evaluator", "evaluator", false),
        ("event", "other", false),
        ("span", "other", false),
    ] {
        generation(json!({ "langfuse.observation.type": kind }))
            .tells(json!({ "kind": expected, "dialect": "langfuse", "is_call": is_call }));
    }
    // A plain span is what the rest says.
    generation(json!({ "langfuse.observation.type": "span", "gen_ai.operation.name": "chat" }))
        .tells(json!({ "kind": "llm" }));
    span("", "step", json!({ "langfuse.observation.input": "Hi" })).tells(json!({ "dialect": "langfuse" }));
}

#[test]
fn every_attribute_of_a_generation() {
    each(
        &generation(json!({})),
        &[
            ("langfuse.observation.model.name", json!("gpt-4o"), "response_model", json!("gpt-4o")),
            ("langfuse.observation.model.name", json!("gpt-4o"), "provider", json!("openai")),
            ("langfuse.observation.prompt.name", json!("greet"), "prompt_name", json!("greet")),
            ("langfuse.observation.prompt.version", json!(3), "prompt_version", json!("3")),
            ("langfuse.observation.prompt.version", json!("3"), "prompt_version", json!("3")),
            (
                "langfuse.observation.completion_start_time",
                json!("2023-11-14T22:13:20.250Z"),
                "first_token_millis",
                json!(250),
            ),
            (
                "langfuse.observation.completion_start_time",
                json!("\"2023-11-14T22:13:20.250000+00:00\""),
                "first_token_millis",
                json!(250),
            ),
            (
                "langfuse.observation.cost_details",
                json!(r#"{"total": 0.003}"#),
                "cost_nanos",
                json!(3_000_000),
            ),
            (
                "langfuse.observation.cost_details",
                json!(r#"{"input": 0.001, "output": 0.002}"#),
                "cost_nanos",
                json!(3_000_000),
            ),
            ("langfuse.observation.input", json!("Hi"), "input", json!([["user", "Hi"]])),
            ("langfuse.observation.input", json!("\"Hi\""), "input", json!([["user", "Hi"]])),
            (
                "langfuse.observation.input",
                json!(r#"[{"role": "system", "content": "Be terse."}, {"role": "user", "content": "Hi"}]"#),
                "input",
                json!([["system", "Be terse."], ["user", "Hi"]]),
            ),
            (
                "langfuse.observation.output",
                json!(r#"{"role": "assistant", "content": "Ho"}"#),
                "output",
                json!([["assistant", "Ho"]]),
            ),
            (
                "langfuse.observation.metadata",
                json!(r#"{"team": "blue"}"#),
                "metadata",
                json!({ "team": "blue" }),
            ),
            ("langfuse.observation.metadata.team", json!("blue"), "metadata", json!({ "team": "blue" })),
            ("langfuse.trace.metadata", json!(r#"{"team": "blue"}"#), "metadata", json!({ "team": "blue" })),
            ("langfuse.trace.metadata.team", json!("blue"), "metadata", json!({ "team": "blue" })),
            ("langfuse.trace.tags", json!(["b", "a"]), "tags", json!(["a", "b"])),
            ("langfuse.trace.tags", json!(r#"["b", "a"]"#), "tags", json!(["a", "b"])),
            ("langfuse.tags", json!(["b", "a"]), "tags", json!(["a", "b"])),
            ("user.id", json!("u-1"), "user_id", json!("u-1")),
            ("session.id", json!("s-1"), "session_id", json!("s-1")),
            ("langfuse.user.id", json!("u-1"), "user_id", json!("u-1")),
            ("langfuse.session.id", json!("s-1"), "session_id", json!("s-1")),
        ],
    );
    let parameters =
        json!({ "temperature": 0.5, "max_tokens": "99", "top_p": 0.9, "stop": "END", "seed": "Infinity" });
    generation(json!({ "langfuse.observation.model.parameters": parameters.to_string() }))
        .tells(json!({ "temperature": 0.5, "max_tokens": 99, "top_p": 0.9, "stop": ["END"], "seed": null }));
    generation(json!({
        "langfuse.observation.level": "ERROR", "langfuse.observation.status_message": "RateLimitError: slow down"
    }))
    .tells(json!({ "error_type": "RateLimitError" }));
    generation(json!({ "langfuse.observation.level": "WARNING", "langfuse.observation.status_message": "XError: a" }))
        .tells(json!({ "error_type": null }));
}

#[test]
fn usage_adds_up() {
    let usage = |usage: Json| generation(json!({ "langfuse.observation.usage_details": usage.to_string() }));
    usage(json!({ "input": 10, "output": 30 })).tells(json!({ "input_tokens": 10, "output_tokens": 30 }));
    for cached in ["input_cached_tokens", "input_cache_read", "cache_read_input_tokens"] {
        usage(json!({ "input": 40, "output": 5, cached: 60 }))
            .tells(json!({ "input_tokens": 100, "cache_read": 60 }));
    }
    for written in ["input_cache_creation", "cache_creation_input_tokens"] {
        usage(json!({ "input": 40, written: 30 })).tells(json!({ "input_tokens": 70, "cache_creation": 30 }));
    }
    usage(json!({ "input": 40, "input_cache_creation_5m": 10, "input_cache_creation_1h": 20 }))
        .tells(json!({ "input_tokens": 70, "cache_creation": 30, "cache_creation_1h": 20 }));
    for thoughts in ["output_reasoning", "output_reasoning_tokens"] {
        usage(json!({ "output": 30, thoughts: 20 })).tells(json!({ "output_tokens": 50, "reasoning": 20 }));
    }
    usage(json!({ "input": 10, "output": 5, "input_audio_tokens": 7 }))
        .tells(json!({ "input_tokens": 17, "input_audio": 7 }));
    usage(json!({ "input": 100, "output": 30, "total": 170, "input_cached_tokens": 20, "output_reasoning_tokens": 20 }))
        .tells(json!({ "input_tokens": 120, "output_tokens": 50 }));
    // Python's wrapper passes on what OpenAI counts.
    usage(json!({
        "prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150,
        "prompt_tokens_details": { "cached_tokens": 60 }, "completion_tokens_details": { "reasoning_tokens": 20 },
    }))
    .tells(json!({ "input_tokens": 100, "output_tokens": 50, "cache_read": 60, "reasoning": 20 }));
    usage(json!({ "input": "12", "output": -1 })).tells(json!({ "input_tokens": 12, "output_tokens": null }));
    generation(json!({ "langfuse.observation.usage_details": "{broken" }))
        .tells(json!({ "input_tokens": null }));
    // It is weightier than what another dialect counts.
    usage(json!({ "input": 10 }))
        .with("gen_ai.usage.input_tokens", json!(99))
        .tells(json!({ "input_tokens": 10 }));
}

#[test]
fn tools_and_searches() {
    generation(json!({
        "langfuse.observation.type": "tool", "langfuse.observation.input": r#"{"a": 1}"#,
        "langfuse.observation.output": "2",
    }))
    .tells(json!({ "kind": "tool", "tool_name": "answer", "arguments": { "a": 1 }, "result": 2 }));
    generation(json!({
        "langfuse.observation.type": "retriever", "langfuse.observation.input": "Where?",
        "langfuse.observation.output": r#"[{"id": "d1"}]"#,
    }))
    .tells(json!({ "kind": "retriever", "input": [["user", "Where?"]], "documents": [{ "id": "d1" }] }));
}
