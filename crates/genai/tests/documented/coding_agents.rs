//! Coding agents on a terminal: Claude Code, Gemini CLI, Codex.

use serde_json::{Value as Json, json};

use crate::{record, span};

const CLAUDE: &str = "com.anthropic.claude_code.events";

fn claude(event: &str, more: Json) -> crate::Told {
    let told = record(CLAUDE, "", more, json!(format!("claude_code.{event}")));
    told.with("event.name", json!(event)).with("session.id", json!("s-1")).with("prompt.id", json!("p-1"))
}

#[test]
fn claude_code_logs() {
    claude("api_request", json!({
        "model": "claude-sonnet-4-5", "cost_usd": 0.0125, "duration_ms": 900, "input_tokens": 10, "output_tokens": 5,
        "cache_read_tokens": 60, "cache_creation_tokens": 30, "effort": "high", "ttft_ms": 250,
    }))
    .tells(json!({
        "kind": "llm", "dialect": "claude_code", "is_call": true, "provider": "anthropic", "session_id": "s-1",
        "response_model": "claude-sonnet-4-5", "input_tokens": 100, "output_tokens": 5, "cache_read": 60,
        "cache_creation": 30, "cost_nanos": 12_500_000, "reasoning_effort": "high", "first_token_millis": 250,
        "prompt_name": null,
    }));
    let texts = json!({ "input_tokens": "10", "output_tokens": "5", "cost_usd": "0.0125", "model": "claude-sonnet-4-5" });
    claude("api_request", texts)
        .tells(json!({ "input_tokens": 10, "output_tokens": 5, "cost_nanos": 12_500_000 }));
    claude("api_error", json!({ "model": "claude-sonnet-4-5", "error": "slow down", "status_code": "429" }))
        .tells(json!({ "kind": "llm", "is_call": true, "error_type": "429" }));
    claude("tool_result", json!({ "tool_name": "Bash", "tool_use_id": "t-1", "success": "true" }))
        .tells(json!({ "kind": "tool", "tool_name": "Bash", "tool_call_id": "t-1", "is_call": false }));
    claude("user_prompt", json!({ "prompt": "Hi" }))
        .tells(json!({ "kind": null, "input": [["user", "Hi"]] }));
    claude("user_prompt", json!({ "prompt": "<REDACTED>" })).tells(json!({ "input": null }));
    claude("assistant_response", json!({ "response": "Ho" }))
        .tells(json!({ "output": [["assistant", "Ho"]] }));
    claude("tool_decision", json!({ "tool_name": "Bash" })).tells(json!({ "kind": null }));
}

#[test]
fn claude_code_spans() {
    let scope = "com.anthropic.claude_code.tracing";
    span(scope, "claude_code.interaction", json!({ "span.type": "interaction", "user_prompt": "Hi" }))
        .tells(json!({ "kind": "agent", "is_call": false, "input": [["user", "Hi"]] }));
    span(scope, "claude_code.llm_request", json!({
        "span.type": "llm_request", "model": "claude-sonnet-4-5", "input_tokens": 10, "output_tokens": 5,
        "cache_read_tokens": 60, "cache_creation_tokens": 30, "response.model_output": "Ho", "ttft_ms": 250,
    }))
    .tells(json!({
        "kind": "llm", "is_call": true, "provider": "anthropic", "request_model": "claude-sonnet-4-5",
        "input_tokens": 100, "cache_read": 60, "cache_creation": 30, "streaming": true, "output": [["assistant", "Ho"]],
    }));
    span(
        "",
        "claude_code.tool",
        json!({ "span.type": "tool", "tool_name": "Bash", "tool_input": r#"{"command": "ls"}"# }),
    )
    .tells(json!({ "kind": "tool", "tool_name": "Bash", "arguments": { "command": "ls" } }));
    span("", "claude_code.tool", json!({ "tool_input": "<REDACTED>" })).tells(json!({ "arguments": null }));
}

#[test]
fn gemini_cli() {
    let told = |event: &str, more: Json| {
        record("gemini-cli", "", more, json!("words")).with("event.name", json!(event))
    };
    told("gemini_cli.api_response", json!({
        "model": "gemini-2.5-pro", "input_token_count": 100, "output_token_count": 20, "cached_content_token_count": 60,
        "thoughts_token_count": 30, "tool_token_count": 5, "session.id": "s-1", "duration_ms": 900,
        "finish_reasons": ["STOP"],
    }))
    .tells(json!({
        "kind": "llm", "dialect": "gemini_cli", "is_call": true, "provider": "gcp.gen_ai", "request_model": "gemini-2.5-pro",
        "input_tokens": 105, "output_tokens": 50, "cache_read": 60, "reasoning": 30, "session_id": "s-1",
        "finish_reasons": ["stop"],
    }));
    told("gemini_cli.api_error", json!({ "model": "gemini-2.5-pro", "error_type": "429" }))
        .tells(json!({ "kind": "llm", "is_call": true, "error_type": "429" }));
    told("gemini_cli.tool_call", json!({ "function_name": "read", "success": true }))
        .tells(json!({ "kind": "tool", "tool_name": "read" }));
    told("gemini_cli.user_prompt", json!({ "prompt": "Hi" }))
        .tells(json!({ "kind": null, "input": [["user", "Hi"]] }));
    for (operation, kind, is_call) in [
        ("llm_call", "llm", false),
        ("tool_call", "tool", false),
        ("agent_call", "agent", false),
        ("user_prompt", "workflow", false),
    ] {
        span(
            "gemini-cli",
            operation,
            json!({ "gen_ai.operation.name": operation, "gen_ai.agent.name": "gemini-cli" }),
        )
        .tells(json!({ "kind": kind, "is_call": is_call, "dialect": "gemini_cli" }));
    }
}

#[test]
fn codex() {
    let told = |event: &str, more: Json| {
        let told =
            record("codex_otel", "event session.rs:1", more, json!(null)).with("event.name", json!(event));
        told.with("conversation.id", json!("c-1"))
    };
    told("codex.sse_event", json!({
        "event.kind": "response.completed", "model": "gpt-5-codex", "input_token_count": "100",
        "cached_token_count": "60", "output_token_count": "50", "reasoning_token_count": "20", "tool_token_count": "150",
    }))
    .tells(json!({
        "kind": "llm", "dialect": "codex", "is_call": true, "provider": "openai", "request_model": "gpt-5-codex",
        "input_tokens": 100, "cache_read": 60, "output_tokens": 50, "reasoning": 20, "session_id": "c-1",
    }));
    told("codex.api_request", json!({ "model": "gpt-5-codex", "http.response.status_code": 429 }))
        .tells(json!({ "kind": "llm", "is_call": true, "error_type": "429" }));
    told("codex.api_request", json!({ "model": "gpt-5-codex", "http.response.status_code": 200 }))
        .tells(json!({ "kind": null }));
    told("codex.tool_result", json!({ "tool_name": "shell", "call_id": "t-1" }))
        .tells(json!({ "kind": "tool", "tool_name": "shell", "tool_call_id": "t-1" }));
    told("codex.user_prompt", json!({ "prompt": "Hi" }))
        .tells(json!({ "kind": null, "input": [["user", "Hi"]] }));
    told("codex.tool_decision", json!({ "tool_name": "shell" })).tells(json!({ "kind": null }));
}
