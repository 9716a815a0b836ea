//! MLflow, Pydantic AI and Logfire, LangSmith, OpenLIT, LiteLLM.

use serde_json::{Value as Json, json};

use crate::{Told, each, span};

fn mlflow(kind: &str, more: Json) -> Told {
    let told = span("mlflow", "step", more).with("mlflow.spanType", json!(format!("\"{kind}\"")));
    told.with("mlflow.traceRequestId", json!("\"tr-1\""))
}

#[test]
fn mlflow_types() {
    for (kind, expected, is_call) in [
        ("LLM", "llm", true),
        ("CHAT_MODEL", "llm", true),
        ("CHAIN", "workflow", false),
        ("AGENT", "agent", false),
        ("TOOL", "tool", false),
        ("RETRIEVER", "retriever", false),
        ("PARSER", "other", false),
        ("EMBEDDING", "embedding", true),
        ("RERANKER", "reranker", true),
        ("MEMORY", "retriever", false),
        ("WORKFLOW", "workflow", false),
        ("TASK", "workflow", false),
        ("GUARDRAIL", "guardrail", false),
        ("EVALUATOR", "evaluator", false),
        ("UNKNOWN", "other", false),
    ] {
        mlflow(kind, json!({})).tells(json!({ "kind": expected, "dialect": "mlflow", "is_call": is_call }));
    }
}

#[test]
fn mlflow_encodes_all_as_json() {
    each(
        &mlflow("CHAT_MODEL", json!({})),
        &[
            ("mlflow.llm.model", json!("\"gpt-4o\""), "request_model", json!("gpt-4o")),
            ("mlflow.llm.provider", json!("\"openai\""), "provider", json!("openai")),
            ("mlflow.llm.cost", json!(r#"{"total_cost": 0.3}"#), "cost_nanos", json!(300_000_000)),
            (
                "mlflow.llm.cost",
                json!(r#"{"input_cost": 0.1, "output_cost": 0.2}"#),
                "cost_nanos",
                json!(300_000_000),
            ),
            ("mlflow.trace.session", json!("\"s-1\""), "session_id", json!("s-1")),
            ("mlflow.trace.user", json!("\"u-1\""), "user_id", json!("u-1")),
            ("user.id", json!("\"u-1\""), "user_id", json!("u-1")),
            ("session.id", json!("\"s-1\""), "session_id", json!("s-1")),
            ("mlflow.traceTag.team", json!("blue"), "tags", json!(["team:blue"])),
            (
                "mlflow.linkedPrompts",
                json!(r#"[{"name": "greet", "version": "2"}]"#),
                "prompt_name",
                json!("greet"),
            ),
            (
                "mlflow.linkedPrompts",
                json!(r#"[{"name": "greet", "version": "2"}]"#),
                "prompt_version",
                json!("2"),
            ),
            (
                "mlflow.chat.tools",
                json!(r#"[{"type": "function", "function": {"name": "add"}}]"#),
                "tools",
                json!([["add", null, null]]),
            ),
            ("mlflow.trace.tokenUsage", json!(r#"{"input_tokens": 100}"#), "input_tokens", json!(null)),
            ("mlflow.trace.cost", json!(r#"{"total_cost": 0.3}"#), "cost_nanos", json!(null)),
        ],
    );
    mlflow("CHAT_MODEL", json!({
        "mlflow.chat.tokenUsage": r#"{"input_tokens": 100, "output_tokens": 50, "total_tokens": 150,
            "cache_read_input_tokens": 60, "cache_creation_input_tokens": 30,
            "cache_creation_input_tokens_above_1hr": 20}"#,
        "mlflow.spanInputs": r#"{"model": "gpt-4o", "temperature": 0.5, "max_tokens": 99,
            "messages": [{"role": "user", "content": "Hi"}]}"#,
        "mlflow.spanOutputs": r#"{"choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": "Ho"}}]}"#,
        "mlflow.llm.model": "\"gpt-4o-2024-08-06\"",
    }))
    .tells(json!({
        "input_tokens": 100, "output_tokens": 50, "cache_read": 60, "cache_creation": 30, "cache_creation_1h": 20,
        "request_model": "gpt-4o", "response_model": "gpt-4o-2024-08-06", "temperature": 0.5, "max_tokens": 99,
        "input": [["user", "Hi"]], "output": [["stopped stop", "assistant", "Ho"]],
    }));
    mlflow("TOOL", json!({ "mlflow.spanInputs": r#"{"a": 1}"#, "mlflow.spanOutputs": "2" }))
        .tells(json!({ "tool_name": "step", "arguments": { "a": 1 }, "result": 2 }));
    mlflow("LLM", json!({}))
        .event("mlflow.chunk.item.0", 250, json!({ "mlflow.chunk.value": "{}" }))
        .tells(json!({ "first_token_millis": 250 }));
}

#[test]
fn pydantic_ai() {
    let chat = |more: Json| {
        let told = span("pydantic-ai", "chat gpt-4o", more).with("gen_ai.operation.name", json!("chat"));
        told.with("gen_ai.usage.input_tokens", json!(100)).with("gen_ai.usage.output_tokens", json!(50))
    };
    each(
        &chat(json!({})),
        &[
            ("gen_ai.usage.details.cache_read_tokens", json!(60), "cache_read", json!(60)),
            ("gen_ai.usage.details.cached_tokens", json!(60), "cache_read", json!(60)),
            ("gen_ai.usage.details.cache_write_tokens", json!(30), "cache_creation", json!(30)),
            ("gen_ai.usage.details.cache_creation_input_tokens", json!(30), "cache_creation", json!(30)),
            ("gen_ai.usage.details.reasoning_tokens", json!(20), "reasoning", json!(20)),
            ("operation.cost", json!(0.0015), "cost_nanos", json!(1_500_000)),
            ("agent_name", json!("guide"), "agent_name", json!("guide")),
            ("gen_ai.conversation.id", json!("c-1"), "session_id", json!("c-1")),
            ("logfire.tags", json!(["b", "a"]), "tags", json!(["a", "b"])),
        ],
    );
    // Early versions tell details alone.
    span("pydantic-ai", "chat x", json!({
        "gen_ai.operation.name": "chat", "gen_ai.usage.details.input_tokens": 100, "gen_ai.usage.details.output_tokens": 5
    }))
    .tells(json!({ "input_tokens": 100, "output_tokens": 5, "dialect": "pydantic_ai" }));
    let messages = json!([
        { "role": "user", "parts": [{ "type": "text", "content": "Hi" }] },
        { "role": "assistant", "parts": [{ "type": "text", "content": "Ho" }] },
    ]);
    span(
        "pydantic-ai",
        "invoke_agent guide",
        json!({
            "gen_ai.operation.name": "invoke_agent", "agent_name": "guide", "final_result": "Ho",
            "pydantic_ai.all_messages": messages.to_string(), "gen_ai.aggregated_usage.input_tokens": 100,
        }),
    )
    .tells(json!({
        "kind": "agent", "is_call": false, "agent_name": "guide", "input_tokens": null,
        "input": [["user", "Hi"]], "output": [["assistant", "Ho"]],
    }));
    span("pydantic-ai", "running tool", json!({
        "gen_ai.tool.name": "add", "gen_ai.tool.call.id": "c1", "tool_arguments": r#"{"a": 1}"#, "tool_response": "2"
    }))
    .tells(json!({ "kind": "tool", "tool_name": "add", "arguments": { "a": 1 }, "result": 2 }));
    let pending =
        chat(json!({ "logfire.span_type": "pending_span", "logfire.pending_parent_id": "0000000000000000" }));
    assert_eq!(pending.shown()["kind"], json!(null), "the span itself comes when it ends");
}

#[test]
fn logfire() {
    let request = json!({
        "model": "gpt-4o", "temperature": 0.5, "messages": [{ "role": "user", "content": "Hi" }], "stream": false
    });
    let response = json!({
        "message": { "role": "assistant", "content": "Ho" }, "usage": { "prompt_tokens": 100, "completion_tokens": 50 }
    });
    span(
        "logfire.openai",
        "Chat Completion with {request_data[model]!r}",
        json!({
            "request_data": request.to_string(), "response_data": response.to_string(), "logfire.msg": "Chat",
            "logfire.span_type": "span", "gen_ai.system": "openai",
        }),
    )
    .tells(json!({
        "kind": "llm", "is_call": true, "request_model": "gpt-4o", "temperature": 0.5, "streaming": false,
        "input_tokens": 100, "output_tokens": 50, "input": [["user", "Hi"]], "output": [["assistant", "Ho"]],
    }));
    span(
        "logfire.anthropic",
        "Message",
        json!({
            "request_data": "{}", "gen_ai.system": "anthropic", "gen_ai.request.model": "claude-sonnet-4-5",
            "gen_ai.usage.input_tokens": 10, "gen_ai.usage.cache_read.input_tokens": 60,
        }),
    )
    .tells(json!({ "input_tokens": 70, "cache_read": 60 }));
}

#[test]
fn langsmith() {
    for (kind, expected, is_call) in [
        ("llm", "llm", true),
        ("embedding", "embedding", true),
        ("chain", "workflow", false),
        ("tool", "tool", false),
        ("retriever", "retriever", false),
        ("prompt", "prompt", false),
        ("parser", "other", false),
    ] {
        span("langsmith", "step", json!({ "langsmith.span.kind": kind, "gen_ai.operation.name": "chat" }))
            .tells(json!({ "kind": expected, "dialect": "langsmith", "is_call": is_call }));
    }
    let call = span(
        "langsmith",
        "ChatOpenAI",
        json!({
            "langsmith.span.kind": "llm", "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 50
        }),
    );
    each(
        &call,
        &[
            ("langsmith.metadata.session_id", json!("s-1"), "session_id", json!("s-1")),
            ("langsmith.metadata.thread_id", json!("t-1"), "session_id", json!("t-1")),
            ("langsmith.metadata.thread_id", json!("t-1"), "conversation_id", json!("t-1")),
            ("langsmith.metadata.conversation_id", json!("c-1"), "session_id", json!("c-1")),
            ("langsmith.trace.session_id", json!("project"), "session_id", json!(null)),
            ("langsmith.metadata.team", json!("blue"), "metadata", json!({ "team": "blue" })),
            ("langsmith.span.tags", json!("b, a"), "tags", json!(["a", "b"])),
            ("langsmith.request.streaming", json!("true"), "streaming", json!(true)),
            ("gen_ai.response.service_tier", json!("flex"), "service_tier", json!("flex")),
            ("gen_ai.usage.input_token_details", json!(r#"{"cache_read": 60}"#), "cache_read", json!(60)),
            (
                "gen_ai.usage.input_token_details",
                json!("{'cache_read': 60, 'x': None}"),
                "cache_read",
                json!(60),
            ),
            (
                "gen_ai.usage.input_token_details",
                json!(r#"{"cache_creation": 30}"#),
                "cache_creation",
                json!(30),
            ),
            ("gen_ai.usage.output_token_details", json!(r#"{"reasoning": 20}"#), "reasoning", json!(20)),
            (
                "gen_ai.prompt",
                json!(r#"{"messages": [[{"type": "human", "data": {"content": "Hi"}}]]}"#),
                "input",
                json!([["user", "Hi"]]),
            ),
            (
                "gen_ai.completion",
                json!(r#"{"generations": [[{"text": "Ho"}]]}"#),
                "output",
                json!([["assistant", "Ho"]]),
            ),
        ],
    );
}

#[test]
fn openlit() {
    let chat = |provider: &str| {
        span(
            "openlit.otel.tracing",
            "chat x",
            json!({
                "gen_ai.operation.name": "chat", "gen_ai.system": provider, "gen_ai.usage.input_tokens": 70,
                "gen_ai.usage.output_tokens": 50, "telemetry.sdk.name": "openlit",
            }),
        )
    };
    each(
        &chat("openai"),
        &[
            ("gen_ai.usage.cost", json!(0.000285), "cost_nanos", json!(285_000)),
            ("gen_ai.usage.cost", json!("0.000285"), "cost_nanos", json!(285_000)),
            ("gen_ai.usage.reasoning_tokens", json!(20), "reasoning", json!(20)),
            ("gen_ai.usage.completion_tokens_details.reasoning_tokens", json!(20), "reasoning", json!(20)),
            ("gen_ai.usage.prompt_tokens_details.cached_tokens", json!(60), "cache_read", json!(60)),
            (
                "gen_ai.usage.prompt_tokens_details.cache_creation_tokens",
                json!(30),
                "cache_creation",
                json!(30),
            ),
            ("gen_ai.server.time_to_first_token", json!(0.5), "first_token_millis", json!(500)),
            ("gen_ai.request.is_stream", json!(true), "streaming", json!(true)),
            ("gen_ai.content.prompt", json!("Hi"), "input", json!([["user", "Hi"]])),
            ("gen_ai.content.completion", json!("Ho"), "output", json!([["assistant", "Ho"]])),
        ],
    );
    chat("openai")
        .with("gen_ai.content.completion", json!("Ho"))
        .with("gen_ai.content.reasoning", json!("Hm"))
        .tells(json!({ "output": [["assistant", { "thinks": "Hm" }, "Ho"]] }));
    // Anthropic's own count leaves cached tokens out.
    let cached = ("gen_ai.usage.cache_read.input_tokens", json!(60));
    chat("anthropic").with(cached.0, cached.1.clone()).tells(json!({ "input_tokens": 130 }));
    chat("openai").with(cached.0, cached.1).tells(json!({ "input_tokens": 70 }));
    for (operation, kind) in
        [("image", "llm"), ("audio", "llm"), ("vectordb", "retriever"), ("execute_task", "workflow")]
    {
        chat("openai").with("gen_ai.operation.name", json!(operation)).tells(json!({ "kind": kind }));
    }
}

#[test]
fn litellm() {
    let request = span(
        "litellm",
        "litellm_request",
        json!({
            "gen_ai.operation.name": "acompletion", "llm.request.type": "acompletion", "gen_ai.system": "openai",
            "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 50, "gen_ai.usage.total_tokens": 150,
        }),
    );
    request.tells(json!({ "kind": "llm", "operation": "chat", "is_call": true, "dialect": "litellm" }));
    each(
        &request,
        &[
            ("gen_ai.cost.total_cost", json!(0.25), "cost_nanos", json!(250_000_000)),
            ("litellm.cost.total", json!(0.25), "cost_nanos", json!(250_000_000)),
            ("hidden_params", json!(r#"{"response_cost": 0.25}"#), "cost_nanos", json!(250_000_000)),
            (
                "hidden_params",
                json!("{'response_cost': 0.25, 'model_id': None}"),
                "cost_nanos",
                json!(250_000_000),
            ),
            ("llm.is_streaming", json!("True"), "streaming", json!(true)),
            ("llm.is_streaming", json!("False"), "streaming", json!(false)),
            ("litellm.request.streaming", json!(true), "streaming", json!(true)),
            ("gen_ai.response.time_to_first_chunk", json!(0.25), "first_token_millis", json!(250)),
            ("llm.user", json!("u-1"), "user_id", json!("u-1")),
            ("litellm.end_user.id", json!("u-1"), "user_id", json!("u-1")),
            ("metadata.user_api_key_end_user_id", json!("u-1"), "user_id", json!("u-1")),
            ("metadata.user_api_key_user_id", json!("u-1"), "user_id", json!("u-1")),
            ("gen_ai.response.id", json!("chatcmpl-1"), "response_id", json!("chatcmpl-1")),
            ("gen_ai.conversation.id", json!("c-1"), "session_id", json!("c-1")),
            ("litellm.metadata.team", json!("blue"), "metadata", json!({ "team": "blue" })),
            ("litellm.provider.error.code", json!("429"), "error_type", json!("429")),
            ("llm.request.functions.0.name", json!("add"), "tools", json!([["add", null, null]])),
            ("gen_ai.tool.0.name", json!("add"), "tools", json!([["add", null, null]])),
            ("litellm.cache_hit", json!(true), "is_call", json!(false)),
            ("litellm.cache_hit", json!("True"), "is_call", json!(false)),
        ],
    );
    for (name, kind) in [
        ("raw_gen_ai_request", "other"),
        ("Received Proxy Server Request", "workflow"),
        ("guardrail", "guardrail"),
    ] {
        let told = request.clone();
        Told { name: name.to_owned(), ..told }.tells(json!({ "kind": kind, "is_call": false }));
    }
    span("litellm", "pii", json!({ "litellm.guardrail.name": "pii", "litellm.guardrail.status": "success" }))
        .tells(json!({ "kind": "guardrail", "dialect": "litellm" }));
    span("", "health", json!({ "litellm.team.id": "t", "gen_ai.operation.name": "litellm.health" }))
        .tells(json!({ "kind": "other", "dialect": "litellm" }));
    for (function, kind) in [
        ("embedding", "embedding"),
        ("aembedding", "embedding"),
        ("arerank", "reranker"),
        ("aresponses", "llm"),
    ] {
        request.with("gen_ai.operation.name", json!(function)).tells(json!({ "kind": kind }));
    }
}
