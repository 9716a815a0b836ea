//! OpenInference, as `spec/` of Arize-ai/openinference has it.

use serde_json::{Value as Json, json};

use crate::{Told, each, span};

const SCOPE: &str = "openinference.instrumentation.openai";

fn of_kind(kind: &str, more: Json) -> Told {
    let mut told = span(SCOPE, "step", json!({ "openinference.span.kind": kind }));
    for (key, value) in more.as_object().unwrap() {
        told = told.with(key, value.clone());
    }
    told
}

#[test]
fn kinds() {
    for (kind, expected, is_call) in [
        ("LLM", "llm", true),
        ("EMBEDDING", "embedding", true),
        ("CHAIN", "workflow", false),
        ("RETRIEVER", "retriever", false),
        ("RERANKER", "reranker", true),
        ("TOOL", "tool", false),
        ("AGENT", "agent", false),
        ("GUARDRAIL", "guardrail", false),
        ("EVALUATOR", "evaluator", false),
        ("PROMPT", "prompt", false),
        ("UNKNOWN", "other", false),
        ("llm", "llm", true),
    ] {
        of_kind(kind, json!({}))
            .tells(json!({ "kind": expected, "dialect": "openinference", "is_call": is_call }));
    }
}

#[test]
fn every_attribute_of_a_call() {
    each(
        &of_kind("LLM", json!({ "llm.token_count.prompt": 100, "llm.token_count.completion": 50 })),
        &[
            ("llm.model_name", json!("gpt-4o"), "request_model", json!("gpt-4o")),
            ("llm.request.model_name", json!("gpt-4o"), "request_model", json!("gpt-4o")),
            (
                "llm.response.model_name",
                json!("gpt-4o-2024-08-06"),
                "response_model",
                json!("gpt-4o-2024-08-06"),
            ),
            ("llm.provider", json!("azure"), "provider", json!("azure.ai.openai")),
            ("llm.provider", json!("google"), "provider", json!("gcp.gemini")),
            ("llm.provider", json!("aws"), "provider", json!("aws.bedrock")),
            ("llm.system", json!("mistralai"), "provider", json!("mistral_ai")),
            ("llm.system", json!("vertexai"), "provider", json!("gcp.vertex_ai")),
            ("llm.finish_reason", json!("tool_calls"), "finish_reasons", json!(["tool_call"])),
            ("llm.token_count.prompt", json!(12), "input_tokens", json!(12)),
            ("llm.token_count.completion", json!(12), "output_tokens", json!(12)),
            ("llm.token_count.prompt_details.cache_read", json!(60), "cache_read", json!(60)),
            ("llm.token_count.prompt_details.cache_input", json!(60), "cache_read", json!(60)),
            ("llm.token_count.prompt_details.cache_write", json!(30), "cache_creation", json!(30)),
            ("llm.token_count.prompt_details.audio", json!(9), "input_audio", json!(9)),
            ("llm.token_count.completion_details.reasoning", json!(20), "reasoning", json!(20)),
            ("llm.token_count.completion_details.audio", json!(8), "output_audio", json!(8)),
            ("llm.cost.total", json!(0.00123), "cost_nanos", json!(1_230_000)),
            ("llm.prompt_template.version", json!("v3"), "prompt_version", json!("v3")),
            ("prompt.id", json!("greet"), "prompt_name", json!("greet")),
            ("session.id", json!("s-1"), "session_id", json!("s-1")),
            ("user.id", json!("u-1"), "user_id", json!("u-1")),
            ("agent.name", json!("guide"), "agent_name", json!("guide")),
            ("tag.tags", json!(["b", "a"]), "tags", json!(["a", "b"])),
            (
                "metadata",
                json!(r#"{"team": "blue", "level": 3}"#),
                "metadata",
                json!({ "team": "blue", "level": 3 }),
            ),
            ("time_to_first_token_ms", json!(250), "first_token_millis", json!(250)),
            ("input.value", json!("Hi"), "input", json!([["user", "Hi"]])),
            ("output.value", json!("Ho"), "output", json!([["assistant", "Ho"]])),
        ],
    );
    of_kind("LLM", json!({ "llm.cost.prompt": 0.001, "llm.cost.completion": 0.002 }))
        .tells(json!({ "cost_nanos": 3_000_000 }));
    of_kind("LLM", json!({}))
        .event("First Token Stream Event", 250, json!({}))
        .tells(json!({ "first_token_millis": 250, "streaming": true }));
}

#[test]
fn parameters_are_json() {
    let parameters = |json: Json| of_kind("LLM", json!({ "llm.invocation_parameters": json.to_string() }));
    for (key, field) in [
        ("temperature", "temperature"),
        ("top_p", "top_p"),
        ("top_k", "top_k"),
        ("max_tokens", "max_tokens"),
        ("max_completion_tokens", "max_tokens"),
        ("max_output_tokens", "max_tokens"),
        ("seed", "seed"),
        ("n", "choice_count"),
        ("frequency_penalty", "frequency_penalty"),
        ("presence_penalty", "presence_penalty"),
    ] {
        parameters(json!({ key: 2 })).tells(json!({ field: 2 }));
    }
    parameters(json!({ "model": "gpt-4o", "stream": true, "stop": ["END"], "reasoning_effort": "low" }))
        .tells(json!({
            "request_model": "gpt-4o", "streaming": true, "stop": ["END"], "reasoning_effort": "low"
        }));
    let broken = of_kind("LLM", json!({ "llm.invocation_parameters": "{\"temperature\": " }));
    broken.tells(json!({ "temperature": null, "kind": "llm" }));
    of_kind(
        "LLM",
        json!({
            "llm.model_name": "gpt-4o-2024-08-06", "llm.invocation_parameters": r#"{"model": "gpt-4o"}"#
        }),
    )
    .tells(json!({ "request_model": "gpt-4o", "response_model": "gpt-4o-2024-08-06" }));
}

#[test]
fn messages_by_number() {
    let message = |number: usize, key: &str| format!("llm.input_messages.{number}.message.{key}");
    let mut told = of_kind("LLM", json!({}));
    for (number, key, value) in [
        (0, "role", "system"),
        (0, "content", "Be terse."),
        (1, "role", "user"),
        (1, "name", "Ann"),
        (1, "contents.0.message_content.type", "text"),
        (1, "contents.0.message_content.text", "What is it?"),
        (1, "contents.1.message_content.type", "image"),
        (1, "contents.1.message_content.image.image.url", "https://x/y.png"),
        (2, "role", "assistant"),
        (2, "contents.0.message_content.type", "reasoning"),
        (2, "contents.0.message_content.text", "Hm"),
        (2, "contents.0.message_content.signature", "s"),
        (2, "tool_calls.0.tool_call.id", "c1"),
        (2, "tool_calls.0.tool_call.function.name", "look"),
        (2, "tool_calls.0.tool_call.function.arguments", "{\"at\": 1}"),
        (3, "role", "tool"),
        (3, "tool_call_id", "c1"),
        (3, "content", "a dog"),
        (4, "role", "assistant"),
        (4, "function_call_name", "f"),
        (4, "function_call_arguments_json", "{}"),
        (10, "role", "user"),
        (10, "content", "last"),
    ] {
        told = told.with(&message(number, key), json!(value));
    }
    told = told
        .with("llm.output_messages.0.message.role", json!("assistant"))
        .with("llm.output_messages.0.message.content", json!("A dog."))
        .with("llm.finish_reason", json!("stop"))
        .with("llm.tools.0.tool.json_schema", json!(r#"{"type":"function","function":{"name":"look"}}"#));
    told.tells(json!({
        "input": [
            ["system", "Be terse."],
            ["name Ann", "user", "What is it?", { "medium": "image", "mime": null, "uri": "https://x/y.png" }],
            ["assistant", { "thinks": "Hm" }, { "calls": "look", "id": "c1", "with": { "at": 1 } }],
            ["tool", { "result": "a dog", "id": "c1" }],
            ["assistant", { "calls": "f", "id": null, "with": {} }],
            ["user", "last"],
        ],
        "output": [["stopped stop", "assistant", "A dog."]],
        "tools": [["look", null, null]],
    }));
    of_kind("LLM", json!({ "llm.prompts.0.prompt.text": "Hi", "llm.choices.0.completion.text": "Ho" }))
        .tells(json!({ "input": [["user", "Hi"]], "output": [["assistant", "Ho"]] }));
    of_kind("LLM", json!({ "llm.function_call": r#"{"name": "f", "arguments": "{}"}"# }))
        .tells(json!({ "output": [["assistant", { "calls": "f", "id": null, "with": {} }]] }));
}

#[test]
fn other_steps() {
    of_kind("EMBEDDING", json!({
        "embedding.model_name": "text-embedding-3-small", "llm.token_count.prompt": 7,
        "embedding.embeddings.0.embedding.text": "Hi", "embedding.embeddings.0.embedding.vector": [0.5, 0.25],
    }))
    .tells(json!({
        "request_model": "text-embedding-3-small", "provider": "openai", "input_tokens": 7,
        "input": [["user", "Hi"]], "output": null,
    }));
    of_kind(
        "RETRIEVER",
        json!({
            "input.value": "Where?", "retrieval.documents.0.document.id": "d1",
            "retrieval.documents.0.document.score": 0.5, "retrieval.documents.0.document.content": "There.",
            "retrieval.documents.0.document.metadata": r#"{"page": 1}"#,
        }),
    )
    .tells(json!({
        "input": [["user", "Where?"]],
        "documents": [{ "id": "d1", "score": 0.5, "content": "There.", "metadata": { "page": 1 } }],
    }));
    of_kind("RERANKER", json!({
        "reranker.query": "Where?", "reranker.model_name": "rerank-3", "reranker.top_k": 1,
        "reranker.input_documents.0.document.content": "Here.", "reranker.input_documents.1.document.content": "There.",
        "reranker.output_documents.0.document.content": "There.", "reranker.output_documents.0.document.score": 0.9,
    }))
    .tells(json!({
        "request_model": "rerank-3", "input": [["user", "Where?"]], "is_call": true,
        "documents": [{ "score": 0.9, "content": "There." }],
    }));
    of_kind("TOOL", json!({
        "tool.name": "add", "tool.description": "Adds.", "tool.id": "c1", "tool.parameters": r#"{"a": 1}"#,
        "output.value": "2",
    }))
    .tells(json!({ "tool_name": "add", "tool_call_id": "c1", "arguments": { "a": 1 }, "result": 2 }));
    of_kind("TOOL", json!({ "tool.name": "add", "input.value": r#"{"a": 1}"#, "output.value": "two" }))
        .tells(json!({ "arguments": { "a": 1 }, "result": "two", "input": null, "output": null }));
    of_kind(
        "AGENT",
        json!({ "agent.name": "guide", "graph.node.id": "n", "input.value": "Hi", "output.value": "Ho" }),
    )
    .tells(json!({ "agent_name": "guide", "input": [["user", "Hi"]], "output": [["assistant", "Ho"]] }));
    of_kind("LLM", json!({
        "llm.input_messages.0.message.role": "user", "llm.input_messages.0.message.content": "__REDACTED__",
        "input.value": "__REDACTED__", "output.value": "__REDACTED__",
    }))
    .tells(json!({ "input": null, "output": null }));
}

#[test]
fn cached_tokens_are_in_the_input_but_for_bedrock() {
    let counts = |scope| {
        span(
            scope,
            "step",
            json!({
                "openinference.span.kind": "LLM", "llm.token_count.prompt": 80, "llm.token_count.completion": 5,
                "llm.token_count.total": 145, "llm.token_count.prompt_details.cache_read": 60,
            }),
        )
    };
    counts("openinference.instrumentation.anthropic").tells(json!({ "input_tokens": 80, "cache_read": 60 }));
    counts("openinference.instrumentation.bedrock").tells(json!({ "input_tokens": 140, "cache_read": 60 }));
}
