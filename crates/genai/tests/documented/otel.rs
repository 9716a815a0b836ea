//! OpenTelemetry's GenAI conventions of every generation, and those of the Model Context Protocol.

use serde_json::{Value as Json, json};

use crate::{Told, each, span};

const SCOPE: &str = "opentelemetry.instrumentation.openai_v2";

fn chat(more: Json) -> Told {
    let mut told = span(SCOPE, "chat gpt-4o", json!({ "gen_ai.operation.name": "chat" }));
    for (key, value) in more.as_object().unwrap() {
        told = told.with(key, value.clone());
    }
    told
}

#[test]
fn every_attribute_of_1_41() {
    chat(json!({}))
        .tells(json!({ "kind": "llm", "dialect": "otel_genai", "is_call": true, "operation": "chat" }));
    each(
        &chat(json!({})),
        &[
            ("gen_ai.request.max_tokens", json!(-1), "max_tokens", json!(null)),
            ("gen_ai.latency.time_to_first_token", json!(0.25), "first_token_millis", json!(250)),
            ("gen_ai.provider.name", json!("openai"), "provider", json!("openai")),
            ("gen_ai.request.model", json!("gpt-4o"), "request_model", json!("gpt-4o")),
            (
                "gen_ai.response.model",
                json!("gpt-4o-2024-08-06"),
                "response_model",
                json!("gpt-4o-2024-08-06"),
            ),
            ("gen_ai.request.temperature", json!(0.5), "temperature", json!(0.5)),
            ("gen_ai.request.temperature", json!(0.0), "temperature", json!(0.0)),
            ("gen_ai.request.temperature", json!(1), "temperature", json!(1.0)),
            ("gen_ai.request.top_p", json!(0.9), "top_p", json!(0.9)),
            ("gen_ai.request.top_k", json!(40.0), "top_k", json!(40)),
            ("gen_ai.request.top_k", json!(40), "top_k", json!(40)),
            ("gen_ai.request.frequency_penalty", json!(0.1), "frequency_penalty", json!(0.1)),
            ("gen_ai.request.presence_penalty", json!(-0.1), "presence_penalty", json!(-0.1)),
            ("gen_ai.request.max_tokens", json!(500), "max_tokens", json!(500)),
            ("gen_ai.request.seed", json!(7), "seed", json!(7)),
            ("gen_ai.request.choice.count", json!(3), "choice_count", json!(3)),
            ("gen_ai.request.stop_sequences", json!(["END", "a, b"]), "stop", json!(["END", "a, b"])),
            ("gen_ai.request.stream", json!(true), "streaming", json!(true)),
            ("gen_ai.request.stream", json!(false), "streaming", json!(false)),
            ("gen_ai.response.id", json!("chatcmpl-1"), "response_id", json!("chatcmpl-1")),
            (
                "gen_ai.response.finish_reasons",
                json!(["stop", "length"]),
                "finish_reasons",
                json!(["stop", "length"]),
            ),
            ("gen_ai.response.time_to_first_chunk", json!(0.25), "first_token_millis", json!(250)),
            ("gen_ai.response.time_to_first_chunk", json!(0.25), "streaming", json!(true)),
            ("gen_ai.usage.input_tokens", json!(100), "input_tokens", json!(100)),
            ("gen_ai.usage.input_tokens", json!(0), "input_tokens", json!(0)),
            ("gen_ai.usage.output_tokens", json!(50), "output_tokens", json!(50)),
            ("gen_ai.usage.cache_read.input_tokens", json!(60), "cache_read", json!(60)),
            ("gen_ai.usage.cache_creation.input_tokens", json!(30), "cache_creation", json!(30)),
            ("gen_ai.usage.reasoning.output_tokens", json!(20), "reasoning", json!(20)),
            ("gen_ai.conversation.id", json!("c-1"), "conversation_id", json!("c-1")),
            ("gen_ai.conversation.id", json!("c-1"), "session_id", json!("c-1")),
            ("gen_ai.agent.id", json!("a-1"), "agent_id", json!("a-1")),
            ("gen_ai.agent.name", json!("guide"), "agent_name", json!("guide")),
            ("gen_ai.tool.name", json!("add"), "tool_name", json!("add")),
            ("gen_ai.tool.call.id", json!("t-1"), "tool_call_id", json!("t-1")),
            ("gen_ai.prompt.name", json!("greet"), "prompt_name", json!("greet")),
            ("openai.request.service_tier", json!("flex"), "service_tier", json!("flex")),
            ("openai.request.service_tier", json!("auto"), "service_tier", json!(null)),
            ("openai.response.service_tier", json!("scale"), "service_tier", json!("scale")),
            ("error.type", json!("timeout"), "error_type", json!("timeout")),
            ("session.id", json!("s-1"), "session_id", json!("s-1")),
            ("user.id", json!("u-1"), "user_id", json!("u-1")),
            ("enduser.id", json!("u-2"), "user_id", json!("u-2")),
        ],
    );
}

#[test]
fn deprecated_names_of_each_generation() {
    each(
        &chat(json!({})),
        &[
            ("gen_ai.system", json!("openai"), "provider", json!("openai")),
            ("gen_ai.usage.prompt_tokens", json!(100), "input_tokens", json!(100)),
            ("gen_ai.usage.completion_tokens", json!(50), "output_tokens", json!(50)),
            ("gen_ai.openai.request.seed", json!(7), "seed", json!(7)),
            ("gen_ai.openai.request.service_tier", json!("flex"), "service_tier", json!("flex")),
            ("gen_ai.openai.response.service_tier", json!("default"), "service_tier", json!("default")),
            ("gen_ai.prompt", json!("Hi"), "input", json!([["user", "Hi"]])),
            ("gen_ai.completion", json!("Ho"), "output", json!([["assistant", "Ho"]])),
        ],
    );
    chat(json!({
        "gen_ai.system": "az.ai.openai", "gen_ai.provider.name": "azure.ai.openai",
        "gen_ai.usage.prompt_tokens": 1, "gen_ai.usage.input_tokens": 2,
        "gen_ai.usage.completion_tokens": 3, "gen_ai.usage.output_tokens": 4,
        "gen_ai.openai.request.seed": 5, "gen_ai.request.seed": 6,
        "gen_ai.openai.response.service_tier": "default", "openai.response.service_tier": "flex",
    }))
    .tells(json!({
        "provider": "azure.ai.openai", "input_tokens": 2, "output_tokens": 4, "seed": 6, "service_tier": "flex"
    }));
    // The first generation had no operation.
    span(
        SCOPE,
        "openai.chat",
        json!({
            "gen_ai.system": "openai", "gen_ai.request.model": "gpt-4", "gen_ai.usage.prompt_tokens": 12
        }),
    )
    .tells(json!({ "kind": "llm", "is_call": true, "operation": "chat", "input_tokens": 12 }));
}

#[test]
fn what_the_repository_of_their_own_adds() {
    each(
        &chat(json!({ "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 50 })),
        &[
            ("gen_ai.usage.cache_write.input_tokens", json!(30), "cache_creation", json!(30)),
            ("gen_ai.usage.audio.input_tokens", json!(9), "input_audio", json!(9)),
            ("gen_ai.usage.audio.output_tokens", json!(8), "output_audio", json!(8)),
            ("gen_ai.usage.image.input_tokens", json!(7), "input_image", json!(7)),
            ("gen_ai.usage.image.output_tokens", json!(6), "output_image", json!(6)),
            ("gen_ai.prompt.version", json!("3"), "prompt_version", json!("3")),
            ("gen_ai.prompt.version", json!(3), "prompt_version", json!("3")),
            ("gen_ai.request.reasoning.level", json!("high"), "reasoning_effort", json!("high")),
            ("gen_ai.provider.name", json!("moonshot_ai"), "provider", json!("moonshot_ai")),
        ],
    );
}

#[test]
fn operations_are_kinds() {
    for (operation, kind, is_call) in [
        ("chat", "llm", true),
        ("generate_content", "llm", true),
        ("text_completion", "llm", true),
        ("completion", "llm", true),
        ("generate", "llm", true),
        ("responses", "llm", true),
        ("fetch_response", "llm", false),
        ("embeddings", "embedding", true),
        ("embedding", "embedding", true),
        ("retrieval", "retriever", false),
        ("rerank", "reranker", true),
        ("create_agent", "agent", false),
        ("invoke_agent", "agent", false),
        ("invoke_workflow", "workflow", false),
        ("plan", "workflow", false),
        ("execute_task", "workflow", false),
        ("framework", "workflow", false),
        ("agent_step", "workflow", false),
        ("execute_event_loop_cycle", "workflow", false),
        ("execute_tool", "tool", false),
        ("search_memory", "retriever", false),
        ("create_memory", "workflow", false),
        ("create_memory_store", "workflow", false),
        ("delete_memory", "workflow", false),
        ("delete_memory_store", "workflow", false),
        ("update_memory", "workflow", false),
        ("upsert_memory", "workflow", false),
    ] {
        let told = span(
            SCOPE,
            operation,
            json!({
                "gen_ai.operation.name": operation, "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 5
            }),
        );
        told.tells(json!({ "kind": kind, "is_call": is_call, "input_tokens": 5 }));
    }
}

#[test]
fn kinds_that_no_operation_tells() {
    let plain = |attributes| span("", "step", attributes);
    plain(json!({ "gen_ai.tool.name": "add" })).tells(json!({ "kind": "tool", "tool_name": "add" }));
    plain(json!({ "gen_ai.tool.call.id": "t-1" })).tells(json!({ "kind": "tool" }));
    plain(json!({ "gen_ai.retrieval.query.text": "Where?" })).tells(json!({ "kind": "retriever" }));
    plain(json!({ "gen_ai.retrieval.documents": "[]" })).tells(json!({ "kind": "retriever" }));
    plain(json!({ "db.vector.query.top_k": 3 })).tells(json!({ "kind": "retriever" }));
    plain(json!({ "embedding.model_name": "e" })).tells(json!({ "kind": "embedding", "is_call": true }));
    plain(json!({ "reranker.query": "Where?" })).tells(json!({ "kind": "reranker" }));
    plain(json!({ "gen_ai.request.model": "m", "gen_ai.input.messages": "[]" }))
        .tells(json!({ "kind": "llm" }));
    plain(json!({ "gen_ai.agent.name": "guide" })).tells(json!({ "kind": "agent", "agent_name": "guide" }));
    plain(json!({ "gen_ai.something": 1 })).tells(json!({ "kind": "other", "is_call": false }));
}

#[test]
fn a_tool_by_the_name_of_its_span() {
    span(SCOPE, "execute_tool add", json!({ "gen_ai.operation.name": "execute_tool" }))
        .tells(json!({ "kind": "tool", "tool_name": "add" }));
    span(
        SCOPE,
        "execute_tool add",
        json!({
            "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "plus", "gen_ai.tool.call.id": "t-1",
            "gen_ai.tool.call.arguments": r#"{"a": 1}"#, "gen_ai.tool.call.result": "2",
        }),
    )
    .tells(json!({ "tool_name": "plus", "tool_call_id": "t-1", "arguments": { "a": 1 }, "result": 2 }));
}

#[test]
fn a_search_for_documents() {
    span(SCOPE, "retrieval", json!({
        "gen_ai.operation.name": "retrieval", "gen_ai.data_source.id": "d", "gen_ai.retrieval.query.text": "Where?",
        "gen_ai.retrieval.documents": [{ "id": "d1", "score": 0.5 }, { "id": "d2", "score": 0.25 }],
    }))
    .tells(json!({
        "kind": "retriever", "input": [["user", "Where?"]],
        "documents": [{ "id": "d1", "score": 0.5 }, { "id": "d2", "score": 0.25 }],
    }));
}

#[test]
fn tokens_with_cached_ones_in_the_input() {
    chat(json!({
        "gen_ai.provider.name": "anthropic", "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 50,
        "gen_ai.usage.cache_read.input_tokens": 60, "gen_ai.usage.cache_creation.input_tokens": 30,
        "gen_ai.usage.reasoning.output_tokens": 20,
    }))
    .tells(json!({ "input_tokens": 100, "output_tokens": 50, "cache_read": 60, "cache_creation": 30, "reasoning": 20 }));
    // A part is not larger than the whole: they stood beside the input.
    chat(json!({ "gen_ai.usage.input_tokens": 10, "gen_ai.usage.cache_read.input_tokens": 60 }))
        .tells(json!({ "input_tokens": 70, "cache_read": 60 }));
    // Sums of agents are read by nobody.
    chat(json!({ "gen_ai.aggregated_usage.input_tokens": 100 })).tells(json!({ "input_tokens": null }));
}

#[test]
fn numbers_come_in_many_forms() {
    for (told, expected) in [
        (json!(12), json!(12)),
        (json!("12"), json!(12)),
        (json!(" 12 "), json!(12)),
        (json!("\"12\""), json!(12)),
        (json!(12.0), json!(12)),
        (json!("12.0"), json!(12)),
        (json!(-1), json!(null)),
        (json!("-1"), json!(null)),
        (json!(12.5), json!(null)),
        (json!("many"), json!(null)),
        (json!(""), json!(null)),
        (json!(true), json!(null)),
        (json!([12]), json!(null)),
        (json!(i64::MAX), json!(null)),
    ] {
        let told = chat(json!({ "gen_ai.usage.input_tokens": told, "gen_ai.usage.output_tokens": told }));
        told.tells(json!({ "input_tokens": expected, "output_tokens": expected, "kind": "llm" }));
    }
    chat(json!({ "gen_ai.usage.input_tokens": -1, "gen_ai.usage.prompt_tokens": 7 }))
        .tells(json!({ "input_tokens": 7 }));
}

#[test]
fn lists_come_in_many_forms() {
    for told in [json!(["a", "b"]), json!(r#"["a", "b"]"#), json!("['a', 'b']")] {
        chat(json!({ "gen_ai.response.finish_reasons": told, "gen_ai.request.stop_sequences": told }))
            .tells(json!({ "finish_reasons": ["a", "b"], "stop": ["a", "b"] }));
    }
}

#[test]
fn errors() {
    let exception = |kind: &str| json!({ "exception.type": kind, "exception.message": "no" });
    chat(json!({}))
        .event("exception", 5, exception("A"))
        .event("exception", 9, exception("openai.RateLimitError"))
        .tells(json!({ "error_type": "openai.RateLimitError" }));
    chat(json!({ "error.type": "429" }))
        .event("exception", 5, exception("A"))
        .tells(json!({ "error_type": "429" }));
    chat(json!({}))
        .log("gen_ai.client.operation.exception", 5, exception("B"), json!(null))
        .tells(json!({ "error_type": "B" }));
    chat(json!({}))
        .failed("openai.RateLimitError: slow down")
        .tells(json!({ "error_type": "openai.RateLimitError" }));
    chat(json!({})).failed("slow down").tells(json!({ "error_type": null }));
    chat(json!({ "http.response.status_code": 503 })).failed("").tells(json!({ "error_type": "503" }));
    chat(json!({ "http.response.status_code": 503 })).tells(json!({ "error_type": null }));
    chat(json!({ "gen_ai.response.finish_reasons": ["error"] })).tells(json!({ "error_type": "error" }));
}

#[test]
fn methods_of_the_model_context_protocol() {
    for (method, kind) in [
        ("tools/call", "tool"),
        ("prompts/get", "prompt"),
        ("resources/read", "retriever"),
        ("tools/list", "other"),
        ("initialize", "other"),
        ("sampling/createMessage", "other"),
        ("notifications/progress", "other"),
    ] {
        span("mcp", method, json!({ "mcp.method.name": method, "mcp.session.id": "transport" }))
            .tells(json!({ "kind": kind, "dialect": "mcp", "is_call": false, "session_id": null }));
    }
    span(
        "mcp",
        "tools/call add",
        json!({
            "mcp.method.name": "tools/call", "mcp.protocol.version": "2025-06-18", "jsonrpc.request.id": "1",
            "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "add", "error.type": "tool_error",
            "mcp.request.argument": r#"{"a": 1}"#, "mcp.response.value": r#"{"sum": 2}"#,
        }),
    )
    .tells(json!({
        "kind": "tool", "tool_name": "add", "error_type": "tool_error",
        "arguments": { "a": 1 }, "result": { "sum": 2 },
    }));
    span("mcp", "tools/call add", json!({ "mcp.method.name": "tools/call" }))
        .tells(json!({ "tool_name": "add" }));
    span(
        "mcp",
        "prompts/get greet",
        json!({ "mcp.method.name": "prompts/get", "gen_ai.prompt.name": "greet" }),
    )
    .tells(json!({ "kind": "prompt", "prompt_name": "greet" }));
}
