//! Frameworks of agents: Google ADK, Strands, Microsoft's, Spring AI, Genkit.

use serde_json::{Value as Json, json};

use crate::{each, span};

#[test]
fn adk_schema_1() {
    let scope = "gcp.vertex.agent";
    span(scope, "invocation", json!({})).tells(json!({ "kind": "workflow", "dialect": "google_adk" }));
    span(
        scope,
        "invoke_agent guide",
        json!({ "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "guide" }),
    )
    .tells(json!({ "kind": "agent", "agent_name": "guide" }));
    span(scope, "call_llm", json!({
        "gen_ai.system": "gcp.vertex.agent", "gen_ai.request.model": "gemini-2.5-flash",
        "gcp.vertex.agent.invocation_id": "i-1", "gcp.vertex.agent.session_id": "s-1", "gcp.vertex.agent.event_id": "e-1",
        "gcp.vertex.agent.llm_request": r#"{"model": "gemini-2.5-flash", "config": {"system_instruction": "Be terse.",
            "tools": [{"function_declarations": [{"name": "add"}]}]},
            "contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}"#,
        "gcp.vertex.agent.llm_response": r#"{"content": {"role": "model", "parts": [{"text": "Hm", "thought": true},
            {"text": "Ho"}]}, "finish_reason": "STOP", "usage_metadata": {"prompt_token_count": 100,
            "candidates_token_count": 30, "thoughts_token_count": 20, "cached_content_token_count": 60}}"#,
    }))
    .tells(json!({
        "kind": "llm", "is_call": true, "framework": "google_adk", "provider": "gcp.gen_ai", "session_id": "s-1",
        "input_tokens": 100, "output_tokens": 50, "reasoning": 20, "cache_read": 60, "system": ["Be terse."],
        "input": [["user", "Hi"]], "output": [["stopped stop", "assistant", { "thinks": "Hm" }, "Ho"]],
        "tools": [["add", null, null]],
    }));
    // It asks any provider.
    span(
        scope,
        "call_llm",
        json!({ "gen_ai.system": "gcp.vertex.agent", "gen_ai.request.model": "openai/gpt-4o" }),
    )
    .tells(json!({ "provider": "openai", "framework": "google_adk" }));
    span(scope, "execute_tool add", json!({
        "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "add", "gen_ai.tool.type": "FunctionTool",
        "gen_ai.tool.call.id": "<not specified>", "gcp.vertex.agent.tool_call_args": r#"{"a": 1}"#,
        "gcp.vertex.agent.tool_response": r#"{"sum": 2}"#, "gcp.vertex.agent.llm_request": "{}",
    }))
    .tells(json!({
        "kind": "tool", "tool_name": "add", "tool_call_id": null, "arguments": { "a": 1 }, "result": { "sum": 2 }
    }));
    span(scope, "execute_tool (merged tools)", json!({ "gen_ai.operation.name": "execute_tool" }))
        .tells(json!({ "kind": "workflow" }));
    span("", "step", json!({ "gcp.vertex.agent.invocation_id": "i-1" }))
        .tells(json!({ "dialect": "google_adk" }));
}

#[test]
fn adk_schema_2() {
    let scope = "gcp.vertex.agent";
    span(scope, "invoke_workflow guide", json!({ "gen_ai.operation.name": "invoke_workflow" }))
        .tells(json!({ "kind": "workflow", "is_call": false }));
    span(scope, "generate_content gemini-2.5-flash", json!({
        "gen_ai.operation.name": "generate_content", "gen_ai.request.model": "gemini-2.5-flash",
        "gen_ai.provider.name": "gcp.vertex_ai", "gen_ai.conversation.id": "c-1", "user.id": "u-1",
        "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 50,
        "gen_ai.usage.cache_read.input_tokens": 60, "gen_ai.usage.reasoning.output_tokens": 20,
        "gen_ai.response.finish_reasons": ["max_tokens"],
    }))
    .tells(json!({
        "kind": "llm", "provider": "gcp.vertex_ai", "session_id": "c-1", "user_id": "u-1", "input_tokens": 100,
        "output_tokens": 50, "cache_read": 60, "reasoning": 20, "finish_reasons": ["length"],
    }));
    let elided = json!({ "content": "<elided>" });
    span(scope, "call_llm", json!({ "gen_ai.request.model": "gemini-2.5-flash" }))
        .log("gen_ai.user.message", 1, json!({}), elided.clone())
        .log("gen_ai.choice", 2, json!({}), elided)
        .tells(json!({ "input": null, "output": null }));
}

#[test]
fn strands() {
    let scope = "strands.telemetry.tracer";
    let chat = span(
        scope,
        "chat",
        json!({
            "gen_ai.operation.name": "chat", "gen_ai.system": "strands-agents",
            "gen_ai.request.model": "us.anthropic.claude-sonnet-4-20250514-v1:0",
            "gen_ai.usage.prompt_tokens": 140, "gen_ai.usage.input_tokens": 140, "gen_ai.usage.completion_tokens": 5,
            "gen_ai.usage.output_tokens": 5, "gen_ai.usage.total_tokens": 145,
        }),
    );
    chat.tells(json!({
        "dialect": "strands", "framework": "strands-agents", "provider": "aws.bedrock", "is_call": true,
        "input_tokens": 140, "output_tokens": 5,
    }));
    each(
        &chat,
        &[
            ("gen_ai.usage.cache_read.input_tokens", json!(60), "cache_read", json!(60)),
            ("gen_ai.usage.cache_read_input_tokens", json!(60), "cache_read", json!(60)),
            ("gen_ai.usage.cache_creation.input_tokens", json!(30), "cache_creation", json!(30)),
            ("gen_ai.usage.cache_write_input_tokens", json!(30), "cache_creation", json!(30)),
            ("gen_ai.server.time_to_first_token", json!(250), "first_token_millis", json!(250)),
            ("session.id", json!("s-1"), "session_id", json!("s-1")),
        ],
    );
    // Before the middle of 2026 it was Bedrock's own count.
    chat.with("gen_ai.usage.cache_read_input_tokens", json!(60))
        .with("gen_ai.usage.input_tokens", json!(80))
        .tells(json!({ "input_tokens": 140 }));
    for (name, operation, kind) in [
        ("invoke_agent guide", "invoke_agent", "agent"),
        ("execute_event_loop_cycle", "execute_event_loop_cycle", "workflow"),
    ] {
        span(scope, name, json!({ "gen_ai.operation.name": operation }))
            .tells(json!({ "kind": kind, "is_call": false }));
    }
    let blocks = |text: &str| json!([{ "text": text }]).to_string();
    chat.clone()
        .event("gen_ai.user.message", 1, json!({ "content": blocks("Hi") }))
        .event("gen_ai.choice", 9, json!({ "message": blocks("Ho"), "finish_reason": "end_turn" }))
        .tells(json!({
            "input": [["user", "Hi"]], "output": [["stopped stop", "assistant", "Ho"]], "finish_reasons": ["stop"]
        }));
    let details = json!({
        "gen_ai.input.messages": r#"[{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}]"#,
        "gen_ai.output.messages": r#"[{"role": "assistant", "parts": [{"type": "text", "content": "Ho"}], "finish_reason": "end_turn"}]"#,
    });
    chat.clone()
        .event("gen_ai.client.inference.operation.details", 9, details)
        .tells(json!({ "input": [["user", "Hi"]], "output": [["stopped stop", "assistant", "Ho"]] }));
    chat.event("gen_ai.user.message", 1, json!({ "content": "[REDACTED]" })).tells(json!({ "input": null }));
    span(
        scope,
        "execute_tool add",
        json!({
            "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "add", "gen_ai.tool.call.id": "c1",
            "gen_ai.tool.status": "error",
        }),
    )
    .event("gen_ai.tool.message", 1, json!({ "role": "tool", "content": r#"{"a": 1}"#, "id": "c1" }))
    .event("gen_ai.choice", 2, json!({ "message": blocks("two"), "id": "c1" }))
    .tells(
        json!({ "tool_call_id": "c1", "error_type": "tool_error", "arguments": { "a": 1 }, "result": "two" }),
    );
}

#[test]
fn agent_framework() {
    let told = |name: &str, attributes: Json| span("agent_framework", name, attributes);
    told("chat gpt-4o", json!({
        "gen_ai.operation.name": "chat", "gen_ai.system": "openai", "gen_ai.response.finish_reasons": "[\"stop\"]",
        "gen_ai.usage.input_tokens": 7,
    }))
    .tells(json!({ "dialect": "agent_framework", "is_call": true, "finish_reasons": ["stop"], "input_tokens": 7 }));
    told(
        "invoke_agent guide",
        json!({
            "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "guide", "gen_ai.agent.id": "a-1",
            "gen_ai.system": "microsoft.agent_framework", "gen_ai.usage.input_tokens": 7,
        }),
    )
    .tells(json!({ "kind": "agent", "is_call": false, "agent_id": "a-1", "framework": "agent_framework" }));
    for name in ["workflow.build", "workflow.run", "executor.process", "edge_group.process", "message.send"] {
        told(name, json!({})).tells(json!({ "kind": "workflow" }));
    }
    told("chat x", json!({
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic", "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.cache_read.input_tokens": 6,
    }))
    .tells(json!({ "input_tokens": 16 }));
}

#[test]
fn semantic_kernel() {
    let scope = "semantic_kernel.utils.telemetry.model_diagnostics.decorators";
    let chat = span(
        scope,
        "chat.completions gpt-4o",
        json!({
            "gen_ai.operation.name": "chat.completions", "gen_ai.system": "openai", "gen_ai.request.model": "gpt-4o",
            "gen_ai.response.finish_reason": "FinishReason.STOP,FinishReason.LENGTH",
        }),
    );
    chat.tells(json!({
        "kind": "llm", "operation": "chat", "dialect": "semantic_kernel", "finish_reasons": ["stop", "length"]
    }));
    each(
        &chat,
        &[
            (
                "error.type",
                json!("<class 'openai.BadRequestError'>"),
                "error_type",
                json!("openai.BadRequestError"),
            ),
            (
                "sk.available_functions",
                json!("a-b,c"),
                "tools",
                json!([["a-b", null, null], ["c", null, null]]),
            ),
        ],
    );
    for (operation, expected) in [
        ("chat.streaming_completions", "chat"),
        ("text.completions", "text_completion"),
        ("text.streaming_completions", "text_completion"),
    ] {
        chat.with("gen_ai.operation.name", json!(operation))
            .tells(json!({ "kind": "llm", "operation": expected }));
    }
    let named = |name: &str| json!({ "event.name": name });
    chat.log("", 1, named("gen_ai.user.message"), json!(r#"{"role": "user", "content": "Hi"}"#))
        .log(
            "",
            2,
            named("gen_ai.choice"),
            json!(r#"{"message": {"role": "assistant", "content": "Ho"}, "index": 0}"#),
        )
        .tells(json!({ "input": [["user", "Hi"]], "output": [["assistant", "Ho"]] }));
}

#[test]
fn spring_ai() {
    let chat = span(
        "org.springframework.boot",
        "chat gpt-4o",
        json!({
            "gen_ai.operation.name": "chat", "gen_ai.system": "openai", "gen_ai.request.model": "gpt-4o",
            "gen_ai.usage.input_tokens": "100", "gen_ai.usage.output_tokens": "50", "gen_ai.usage.total_tokens": "150",
        }),
    );
    chat.tells(json!({ "dialect": "spring_ai", "input_tokens": 100, "output_tokens": 50 }));
    each(
        &chat,
        &[
            ("gen_ai.request.temperature", json!("0.7"), "temperature", json!(0.7)),
            ("gen_ai.request.max_tokens", json!("99"), "max_tokens", json!(99)),
            ("gen_ai.request.stop_sequences", json!("[\"END\"]"), "stop", json!(["END"])),
            ("gen_ai.request.stream", json!("true"), "streaming", json!(true)),
            ("gen_ai.response.finish_reasons", json!("[\"STOP\"]"), "finish_reasons", json!(["stop"])),
            ("gen_ai.response.model", json!("none"), "response_model", json!(null)),
            ("gen_ai.usage.cache_read.input_tokens", json!("60"), "cache_read", json!(60)),
            ("gen_ai.usage.cache_creation.input_tokens", json!("30"), "cache_creation", json!(30)),
            ("gen_ai.system", json!("bedrock_converse"), "provider", json!("aws.bedrock")),
            ("gen_ai.system", json!("google_genai"), "provider", json!("gcp.gemini")),
            ("gen_ai.system", json!("vertex_ai"), "provider", json!("gcp.vertex_ai")),
            ("gen_ai.system", json!("spring_ai"), "framework", json!("spring_ai")),
            ("spring.ai.model.request.tool.names", json!("[\"add\"]"), "tools", json!([["add", null, null]])),
            ("spring.ai.chat.client.conversation.id", json!("c-1"), "conversation_id", json!("c-1")),
        ],
    );
    // Anthropic's own count leaves cached tokens out.
    chat.with("gen_ai.system", json!("anthropic"))
        .with("gen_ai.usage.cache_read.input_tokens", json!("60"))
        .tells(json!({ "input_tokens": 160 }));
    for (kind, expected) in [
        ("advisor", "workflow"),
        ("chat_client", "workflow"),
        ("tool_call", "tool"),
        ("vector_store", "retriever"),
    ] {
        span("", "step", json!({ "spring.ai.kind": kind, "gen_ai.operation.name": "framework" }))
            .tells(json!({ "kind": expected, "dialect": "spring_ai", "is_call": false }));
    }
    span("", "tool_call add", json!({
        "spring.ai.kind": "tool_call", "spring.ai.tool.definition.name": "add", "spring.ai.tool.call.id": "c1",
        "spring.ai.tool.call.arguments": r#"{"a": 1}"#, "spring.ai.tool.call.result": "two",
    }))
    .tells(json!({ "tool_name": "add", "tool_call_id": "c1", "arguments": { "a": 1 }, "result": "two" }));
    span(
        "",
        "chat_client",
        json!({ "spring.ai.kind": "chat_client", "spring.ai.chat.client.stream": "true" }),
    )
    .tells(json!({ "streaming": true }));
    span(
        "",
        "search",
        json!({
            "spring.ai.kind": "vector_store", "db.vector.query.content": "Where?",
            "db.vector.query.response.documents": r#"["There."]"#,
        }),
    )
    .tells(json!({ "input": [["user", "Where?"]], "documents": ["There."] }));
}

#[test]
fn genkit() {
    span("genkit-tracer", "googleai/gemini-2.5-flash", json!({
        "genkit:type": "action", "genkit:metadata:subtype": "model", "genkit:name": "googleai/gemini-2.5-flash",
        "genkit:sessionId": "s-1",
        "genkit:input": r#"{"messages": [{"role": "system", "content": [{"text": "Be terse."}]},
            {"role": "user", "content": [{"text": "Hi"}]}], "config": {"maxOutputTokens": 99},
            "tools": [{"name": "add", "description": "Adds.", "inputSchema": {"type": "object"}}]}"#,
        "genkit:output": r#"{"message": {"role": "model", "content": [{"reasoning": "Hm"},
            {"toolRequest": {"name": "add", "ref": "c1", "input": {"a": 1}}}]}, "finishReason": "stop",
            "usage": {"inputTokens": 100, "outputTokens": 30, "thoughtsTokens": 20, "totalTokens": 150}}"#,
    }))
    .tells(json!({
        "kind": "llm", "dialect": "genkit", "is_call": true, "provider": "gcp.gemini", "session_id": "s-1",
        "request_model": "gemini-2.5-flash", "input_tokens": 100, "output_tokens": 50, "reasoning": 20,
        "max_tokens": 99, "finish_reasons": ["stop"], "input": [["system", "Be terse."], ["user", "Hi"]],
        "output": [["stopped stop", "assistant", { "thinks": "Hm" }, { "calls": "add", "id": "c1", "with": { "a": 1 } }]],
        "tools": [["add", "Adds.", { "type": "object" }]],
    }));
    span("genkit-tracer", "add", json!({
        "genkit:metadata:subtype": "tool", "genkit:name": "add", "genkit:input": r#"{"a": 1}"#, "genkit:output": "2"
    }))
    .tells(json!({ "kind": "tool", "tool_name": "add", "arguments": { "a": 1 }, "result": 2 }));
}
