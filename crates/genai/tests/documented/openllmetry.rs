//! OpenLLMetry (Traceloop), as its `semconv_ai` has it, and Laminar, whose instrumentations are the same.

use serde_json::json;

use crate::{each, span};

const SCOPE: &str = "opentelemetry.instrumentation.openai.v1";

#[test]
fn kinds() {
    for (kind, expected) in
        [("workflow", "workflow"), ("task", "workflow"), ("agent", "agent"), ("tool", "tool")]
    {
        span("traceloop.tracer", "step", json!({ "traceloop.span.kind": kind }))
            .tells(json!({ "kind": expected, "dialect": "openllmetry", "is_call": false }));
    }
    for (request, expected) in [
        ("chat", "llm"),
        ("completion", "llm"),
        ("embedding", "embedding"),
        ("rerank", "reranker"),
        ("unknown", "other"),
    ] {
        span(SCOPE, "step", json!({ "llm.request.type": request }))
            .tells(json!({ "kind": expected, "is_call": expected != "other" }));
    }
    for (operation, expected) in
        [("execute_task", "workflow"), ("llm_request", "llm"), ("vector_db_retrieve", "retriever")]
    {
        span("traceloop.tracer", "step", json!({ "gen_ai.operation.name": operation }))
            .tells(json!({ "kind": expected }));
    }
}

#[test]
fn every_attribute_of_a_call() {
    each(
        &span(SCOPE, "openai.chat", json!({ "llm.request.type": "chat" })),
        &[
            ("gen_ai.system", json!("OpenAI"), "provider", json!("openai")),
            ("gen_ai.system", json!("Anthropic"), "provider", json!("anthropic")),
            ("gen_ai.system", json!("AWS"), "provider", json!("aws.bedrock")),
            ("gen_ai.system", json!("Langchain"), "framework", json!("langchain")),
            ("gen_ai.system", json!("Langchain"), "provider", json!(null)),
            ("gen_ai.request.model", json!("gpt-4o"), "request_model", json!("gpt-4o")),
            ("gen_ai.usage.prompt_tokens", json!(100), "input_tokens", json!(100)),
            ("gen_ai.usage.completion_tokens", json!(50), "output_tokens", json!(50)),
            ("llm.usage.reasoning_tokens", json!(20), "reasoning", json!(20)),
            ("gen_ai.usage.reasoning_tokens", json!(20), "reasoning", json!(20)),
            ("gen_ai.usage.cache_read_input_tokens", json!(60), "cache_read", json!(60)),
            ("gen_ai.usage.cache_creation_input_tokens", json!(30), "cache_creation", json!(30)),
            ("llm.is_streaming", json!(true), "streaming", json!(true)),
            ("gen_ai.is_streaming", json!(false), "streaming", json!(false)),
            ("llm.user", json!("u-1"), "user_id", json!("u-1")),
            ("gen_ai.user", json!("u-1"), "user_id", json!("u-1")),
            ("llm.frequency_penalty", json!(0.1), "frequency_penalty", json!(0.1)),
            ("llm.presence_penalty", json!(0.2), "presence_penalty", json!(0.2)),
            ("llm.top_k", json!(40), "top_k", json!(40)),
            ("llm.chat.stop_sequences", json!("END"), "stop", json!(["END"])),
            ("llm.request.reasoning_effort", json!("low"), "reasoning_effort", json!("low")),
            ("gen_ai.request.reasoning_effort", json!("low"), "reasoning_effort", json!("low")),
            ("gen_ai.request.n", json!(2), "choice_count", json!(2)),
            ("gen_ai.request.max_completion_tokens", json!(99), "max_tokens", json!(99)),
            ("llm.response.finish_reason", json!("stop"), "finish_reasons", json!(["stop"])),
            ("llm.response.stop_reason", json!("end_turn"), "finish_reasons", json!(["stop"])),
            ("gen_ai.response.finish_reason", json!("length"), "finish_reasons", json!(["length"])),
            ("gen_ai.response.stop_reason", json!("max_tokens"), "finish_reasons", json!(["length"])),
            ("traceloop.association.properties.session_id", json!("s-1"), "session_id", json!("s-1")),
            ("traceloop.association.properties.user_id", json!("u-1"), "user_id", json!("u-1")),
            (
                "traceloop.association.properties.customer_id",
                json!("k"),
                "metadata",
                json!({ "customer_id": "k" }),
            ),
            ("traceloop.prompt.key", json!("greet"), "prompt_name", json!("greet")),
            ("traceloop.prompt.version", json!(3), "prompt_version", json!("3")),
            ("llm.headers", json!("{'authorization': 'secret'}"), "metadata", json!(null)),
        ],
    );
    span(SCOPE, "openai.chat", json!({ "llm.request.type": "chat" }))
        .event("llm.content.completion.chunk", 250, json!({}))
        .event("llm.content.completion.chunk", 300, json!({}))
        .tells(json!({ "first_token_millis": 250, "streaming": true }));
}

#[test]
fn messages_by_number() {
    span(SCOPE, "openai.chat", json!({
        "llm.request.type": "chat",
        "gen_ai.prompt.0.role": "system", "gen_ai.prompt.0.content": "Be terse.",
        "gen_ai.prompt.1.role": "user",
        "gen_ai.prompt.1.content": r#"[{"type": "text", "text": "Add."}, {"type": "image_url", "image_url": {"url": "https://x"}}]"#,
        "gen_ai.prompt.2.role": "assistant", "gen_ai.prompt.2.tool_calls.0.id": "c1",
        "gen_ai.prompt.2.tool_calls.0.name": "add", "gen_ai.prompt.2.tool_calls.0.arguments": r#"{"a": 1}"#,
        "gen_ai.prompt.3.role": "tool", "gen_ai.prompt.3.tool_call_id": "c1", "gen_ai.prompt.3.content": "2",
        "gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.content": "2",
        "gen_ai.completion.0.finish_reason": "stop",
        "gen_ai.completion.1.role": "assistant", "gen_ai.completion.1.refusal": "No.",
        "gen_ai.completion.1.finish_reason": "content_filter",
        "llm.request.functions.0.name": "add", "llm.request.functions.0.description": "Adds.",
        "llm.request.functions.0.parameters": r#"{"type": "object"}"#,
    }))
    .tells(json!({
        "input": [
            ["system", "Be terse."],
            ["user", "Add.", { "medium": "image", "mime": null, "uri": "https://x" }],
            ["assistant", { "calls": "add", "id": "c1", "with": { "a": 1 } }],
            ["tool", { "result": "2", "id": "c1" }],
        ],
        "output": [["stopped stop", "assistant", "2"], ["stopped content_filter", "assistant", "No."]],
        "tools": [["add", "Adds.", { "type": "object" }]],
        "finish_reasons": ["stop"],
    }));
}

#[test]
fn workflows_and_tools() {
    let entity = json!({
        "traceloop.span.kind": "tool", "traceloop.entity.name": "add", "traceloop.workflow.name": "sums",
        "traceloop.entity.path": "a.b", "traceloop.entity.input": r#"{"args": [], "kwargs": {"a": 1}}"#,
        "traceloop.entity.output": "2",
    });
    span("traceloop.tracer", "add.tool", entity)
        .tells(json!({ "kind": "tool", "tool_name": "add", "arguments": { "a": 1 }, "result": 2 }));
    span(
        "traceloop.tracer",
        "guide.agent",
        json!({ "traceloop.span.kind": "agent", "traceloop.entity.name": "guide" }),
    )
    .tells(json!({ "kind": "agent", "agent_name": "guide" }));
    span("traceloop.tracer", "sums.workflow", json!({
        "traceloop.span.kind": "workflow", "traceloop.entity.name": "sums",
        "traceloop.entity.input": r#"{"args": ["Hi"], "kwargs": {}}"#, "traceloop.entity.output": "\"Ho\"",
    }))
    .tells(json!({ "kind": "workflow", "input": [["user", "Hi"]], "output": [["assistant", "Ho"]] }));
    span(
        "opentelemetry.instrumentation.langchain",
        "step.task",
        json!({
            "gen_ai.operation.name": "execute_task", "gen_ai.task.name": "step", "gen_ai.task.input": "Hi",
            "gen_ai.task.output": "Ho", "gen_ai.task.status": "success",
        }),
    )
    .tells(json!({ "kind": "workflow", "input": [["user", "Hi"]], "output": [["assistant", "Ho"]] }));
}

#[test]
fn searches_of_vectors() {
    span(
        "opentelemetry.instrumentation.chromadb",
        "chroma.query",
        json!({
            "db.system": "chroma", "db.operation": "query", "db.chroma.query.n_results": 2
        }),
    )
    .event("db.query.result", 5, json!({ "db.query.result.id": "d1", "db.query.result.document": "There." }))
    .tells(json!({
        "kind": "retriever", "dialect": "openllmetry", "documents": [{ "id": "d1", "document": "There." }]
    }));
    span("opentelemetry.instrumentation.qdrant", "qdrant.upsert", json!({ "db.system": "qdrant" }))
        .tells(json!({ "kind": "other" }));
}

#[test]
fn cached_tokens_stand_beside_the_input_of_bedrock() {
    let counts = |scope| {
        span(
            scope,
            "chat",
            json!({
                "gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 80, "gen_ai.usage.output_tokens": 5,
                "gen_ai.usage.total_tokens": 85, "gen_ai.usage.cache_read_input_tokens": 60,
            }),
        )
    };
    counts("opentelemetry.instrumentation.anthropic").tells(json!({ "input_tokens": 80 }));
    counts("opentelemetry.instrumentation.langchain").tells(json!({ "input_tokens": 80 }));
    counts("opentelemetry.instrumentation.bedrock").tells(json!({ "input_tokens": 140 }));
    counts("@traceloop/instrumentation-anthropic").tells(json!({ "input_tokens": 140 }));
}

#[test]
fn laminar() {
    span(
        "lmnr.sdk",
        "chat",
        json!({
            "lmnr.span.type": "LLM", "lmnr.span.path": ["chat"], "gen_ai.system": "openai",
            "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 7,
            "lmnr.association.properties.session_id": "s-1", "lmnr.association.properties.user_id": "u-1",
            "lmnr.span.input": r#"[{"role": "user", "content": "Hi"}]"#, "lmnr.span.output": "\"Ho\"",
        }),
    )
    .tells(json!({
        "kind": "llm", "dialect": "laminar", "is_call": true, "provider": "openai", "input_tokens": 7,
        "session_id": "s-1", "user_id": "u-1", "input": [["user", "Hi"]], "output": [["assistant", "Ho"]],
    }));
    span(
        "lmnr.sdk",
        "add",
        json!({
            "lmnr.span.type": "TOOL", "lmnr.span.input": r#"{"a": 1}"#, "lmnr.span.output": "2"
        }),
    )
    .tells(json!({ "kind": "tool", "tool_name": "add", "arguments": { "a": 1 }, "result": 2 }));
}
