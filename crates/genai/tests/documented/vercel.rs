//! Vercel AI SDK: keys `ai.*` of versions 3 to 6, and keys of OpenTelemetry of version 7.

use serde_json::{Value as Json, json};

use crate::{Told, each, span};

fn call(more: Json) -> Told {
    let mut told =
        span("ai", "ai.generateText.doGenerate", json!({ "ai.operationId": "ai.generateText.doGenerate" }));
    for (key, value) in more.as_object().unwrap() {
        told = told.with(key, value.clone());
    }
    told
}

#[test]
fn operations_are_kinds() {
    for (operation, kind, is_call) in [
        ("ai.generateText", "workflow", false),
        ("ai.streamText", "workflow", false),
        ("ai.generateObject", "workflow", false),
        ("ai.streamObject", "workflow", false),
        ("ai.embed", "workflow", false),
        ("ai.embedMany", "workflow", false),
        ("ai.rerank", "workflow", false),
        ("ai.generateText.doGenerate", "llm", true),
        ("ai.streamText.doStream", "llm", true),
        ("ai.generateObject.doGenerate", "llm", true),
        ("ai.streamObject.doStream", "llm", true),
        ("ai.embed.doEmbed", "embedding", true),
        ("ai.embedMany.doEmbed", "embedding", true),
        ("ai.rerank.doRerank", "reranker", true),
        ("ai.toolCall", "tool", false),
    ] {
        let usage = json!({ "ai.operationId": operation, "ai.usage.promptTokens": 5 });
        let expected = json!({ "kind": kind, "dialect": "vercel_ai", "is_call": is_call });
        span("ai", operation, usage.clone()).tells(expected.clone());
        // Other tracers rename the span, or hand it on in a scope of their own.
        span("", "renamed", usage).tells(expected.clone());
        span(
            "ai",
            operation,
            json!({ "operation.name": format!("{operation} my-function"), "ai.model.id": "m" }),
        )
        .tells(expected);
    }
}

#[test]
fn every_attribute_of_a_call() {
    each(
        &call(json!({})),
        &[
            ("ai.model.id", json!("gpt-4o"), "request_model", json!("gpt-4o")),
            ("ai.model.provider", json!("openai.chat"), "provider", json!("openai")),
            ("ai.model.provider", json!("openai.responses"), "provider", json!("openai")),
            ("ai.model.provider", json!("anthropic.messages"), "provider", json!("anthropic")),
            ("ai.model.provider", json!("amazon-bedrock"), "provider", json!("aws.bedrock")),
            ("ai.model.provider", json!("google.generative-ai"), "provider", json!("gcp.gemini")),
            ("ai.model.provider", json!("google.vertex.chat"), "provider", json!("gcp.vertex_ai")),
            ("ai.model.provider", json!("azure-openai.chat"), "provider", json!("azure.ai.openai")),
            ("ai.model.provider", json!("groq.chat"), "provider", json!("groq")),
            ("ai.model.provider", json!("xai.chat"), "provider", json!("x_ai")),
            ("gen_ai.system", json!("openai.chat"), "provider", json!("openai")),
            ("ai.response.model", json!("gpt-4o-2024-08-06"), "response_model", json!("gpt-4o-2024-08-06")),
            ("ai.response.id", json!("r-1"), "response_id", json!("r-1")),
            ("ai.response.finishReason", json!("tool-calls"), "finish_reasons", json!(["tool_call"])),
            (
                "ai.response.finishReason",
                json!("content-filter"),
                "finish_reasons",
                json!(["content_filter"]),
            ),
            ("ai.settings.temperature", json!(0.5), "temperature", json!(0.5)),
            ("ai.settings.maxTokens", json!(99), "max_tokens", json!(99)),
            ("ai.settings.maxOutputTokens", json!(99), "max_tokens", json!(99)),
            ("ai.settings.topP", json!(0.9), "top_p", json!(0.9)),
            ("ai.settings.topK", json!(40), "top_k", json!(40)),
            ("ai.settings.seed", json!(7), "seed", json!(7)),
            ("ai.settings.frequencyPenalty", json!(0.1), "frequency_penalty", json!(0.1)),
            ("ai.settings.presencePenalty", json!(0.2), "presence_penalty", json!(0.2)),
            ("ai.settings.stopSequences", json!(["END"]), "stop", json!(["END"])),
            ("ai.usage.promptTokens", json!(100), "input_tokens", json!(100)),
            ("ai.usage.completionTokens", json!(50), "output_tokens", json!(50)),
            ("ai.usage.inputTokens", json!(100), "input_tokens", json!(100)),
            ("ai.usage.outputTokens", json!(50), "output_tokens", json!(50)),
            ("ai.usage.reasoningTokens", json!(20), "reasoning", json!(20)),
            ("ai.usage.cachedInputTokens", json!(60), "cache_read", json!(60)),
            ("ai.usage.tokens", json!(7), "input_tokens", json!(7)),
            ("ai.response.msToFirstChunk", json!(250.5), "first_token_millis", json!(250.5)),
            ("ai.stream.msToFirstChunk", json!(250), "first_token_millis", json!(250)),
            ("ai.telemetry.functionId", json!("guide"), "agent_name", json!("guide")),
            ("ai.telemetry.metadata.userId", json!("u-1"), "user_id", json!("u-1")),
            ("ai.telemetry.metadata.sessionId", json!("s-1"), "session_id", json!("s-1")),
            ("ai.telemetry.metadata.tags", json!(["b", "a"]), "tags", json!(["a", "b"])),
            ("ai.telemetry.metadata.plan", json!("pro"), "metadata", json!({ "plan": "pro" })),
            ("ai.settings.context.plan", json!("pro"), "metadata", json!({ "plan": "pro" })),
            ("ai.settings.runtimeContext.plan", json!("pro"), "metadata", json!({ "plan": "pro" })),
            ("ai.settings.runtimeContext.userId", json!("u-1"), "user_id", json!("u-1")),
            ("ai.settings.runtimeContext.sessionId", json!("s-1"), "session_id", json!("s-1")),
        ],
    );
    call(json!({ "ai.telemetry.metadata.langfusePrompt": r#"{"name": "greet", "version": 3}"# }))
        .tells(json!({ "prompt_name": "greet", "prompt_version": "3", "metadata": null }));
    call(json!({})).event("ai.stream.firstChunk", 250, json!({})).tells(json!({ "first_token_millis": 250 }));
}

#[test]
fn tokens_of_every_version() {
    // Version 5 passes on what Anthropic counts, without cached tokens.
    call(json!({
        "ai.model.provider": "anthropic.messages", "ai.usage.inputTokens": 10, "ai.usage.outputTokens": 5,
        "ai.usage.cachedInputTokens": 60,
        "ai.response.providerMetadata": r#"{"anthropic": {"usage": {"input_tokens": 10, "cache_read_input_tokens": 60,
            "cache_creation_input_tokens": 30, "cache_creation": {"ephemeral_5m_input_tokens": 10,
            "ephemeral_1h_input_tokens": 20}}}}"#,
    }))
    .tells(json!({ "input_tokens": 100, "cache_read": 60, "cache_creation": 30, "cache_creation_1h": 20 }));
    // Version 6 tells the parts.
    call(json!({
        "ai.model.provider": "anthropic.messages", "ai.usage.inputTokens": 100, "ai.usage.outputTokens": 50,
        "ai.usage.inputTokenDetails.noCacheTokens": 10, "ai.usage.inputTokenDetails.cacheReadTokens": 60,
        "ai.usage.inputTokenDetails.cacheWriteTokens": 30, "ai.usage.outputTokenDetails.textTokens": 30,
        "ai.usage.outputTokenDetails.reasoningTokens": 20,
    }))
    .tells(json!({
        "input_tokens": 100, "cache_read": 60, "cache_creation": 30, "output_tokens": 50, "reasoning": 20
    }));
    call(json!({
        "ai.model.provider": "openai.chat", "ai.usage.promptTokens": 100, "ai.usage.completionTokens": 50,
        "ai.response.providerMetadata": r#"{"openai": {"cachedPromptTokens": 60, "reasoningTokens": 20}}"#,
    }))
    .tells(json!({ "input_tokens": 100, "output_tokens": 50, "cache_read": 60, "reasoning": 20 }));
    call(json!({ "ai.usage.promptTokens": 1, "gen_ai.usage.prompt_tokens": 1, "gen_ai.usage.input_tokens": 2 }))
        .tells(json!({ "input_tokens": 2 }));
}

#[test]
fn what_was_said() {
    call(json!({
        "ai.prompt.messages": r#"[{"role": "system", "content": "Be terse."},
            {"role": "user", "content": [{"type": "text", "text": "Add."}]},
            {"role": "assistant", "content": [{"type": "tool-call", "toolCallId": "c1", "toolName": "add", "input": {"a": 1}}]},
            {"role": "tool", "content": [{"type": "tool-result", "toolCallId": "c1", "toolName": "add",
                "output": {"type": "json", "value": {"sum": 2}}}]}]"#,
        "ai.prompt.tools": [r#"{"type": "function", "name": "add", "description": "Adds.", "inputSchema": {"type": "object"}}"#],
        "ai.response.text": "2", "ai.response.reasoning": "Hm", "ai.response.finishReason": "stop",
    }))
    .tells(json!({
        "input": [
            ["system", "Be terse."],
            ["user", "Add."],
            ["assistant", { "calls": "add", "id": "c1", "with": { "a": 1 } }],
            ["tool", { "result": { "sum": 2 }, "id": "c1" }],
        ],
        "output": [["stopped stop", "assistant", { "thinks": "Hm" }, "2"]],
        "tools": [["add", "Adds.", { "type": "object" }]],
    }));
    span(
        "ai",
        "ai.generateText",
        json!({
            "ai.operationId": "ai.generateText", "ai.prompt": r#"{"system": "Be terse.", "prompt": "Hi"}"#,
            "ai.response.text": "Ho",
        }),
    )
    .tells(json!({ "system": ["Be terse."], "input": [["user", "Hi"]], "output": [["assistant", "Ho"]] }));
    call(json!({ "ai.response.toolCalls": r#"[{"toolCallId": "c1", "toolName": "add", "input": "{\"a\": 1}"}]"# }))
        .tells(json!({ "output": [["assistant", { "calls": "add", "id": "c1", "with": { "a": 1 } }]] }));
    call(json!({ "ai.response.object": r#"{"sum": 2}"# }))
        .tells(json!({ "output": [["assistant", "{\"sum\": 2}"]] }));
    span("ai", "ai.embedMany.doEmbed", json!({
        "ai.operationId": "ai.embedMany.doEmbed", "ai.values": ["\"a\"", "\"b\""], "ai.embeddings": ["[0.5]", "[0.25]"],
        "ai.usage.tokens": 7,
    }))
    .tells(json!({ "input": [["user", "a", "b"]], "output": null, "input_tokens": 7 }));
    span("ai", "ai.toolCall", json!({
        "ai.operationId": "ai.toolCall", "ai.toolCall.name": "add", "ai.toolCall.id": "c1",
        "ai.toolCall.args": r#"{"a": 1}"#, "ai.toolCall.result": r#"{"sum": 2}"#,
    }))
    .tells(json!({
        "kind": "tool", "tool_name": "add", "tool_call_id": "c1", "arguments": { "a": 1 }, "result": { "sum": 2 }
    }));
}

#[test]
fn version_7() {
    let told = |operation: &str, more: Json| {
        let told = span("gen_ai", operation, more).with("gen_ai.operation.name", json!(operation));
        told.with("gen_ai.usage.input_tokens", json!(100))
    };
    for (operation, kind, is_call) in [
        ("invoke_agent", "agent", false),
        ("agent_step", "workflow", false),
        ("chat", "llm", true),
        ("execute_tool", "tool", false),
        ("embeddings", "embedding", true),
        ("rerank", "reranker", true),
    ] {
        told(operation, json!({})).tells(
            json!({ "kind": kind, "is_call": is_call, "dialect": "vercel_ai_otel", "input_tokens": 100 }),
        );
    }
    told(
        "chat",
        json!({
            "gen_ai.provider.name": "anthropic", "gen_ai.agent.name": "guide",
            "gen_ai.client.operation.time_to_first_chunk": 0.25, "gen_ai.client.operation.duration": 1.5,
            "gen_ai.usage.cache_read.input_tokens": 60, "gen_ai.usage.cache_creation.input_tokens": 30,
            "ai.settings.context.userId": "u-1", "ai.settings.context.sessionId": "s-1",
        }),
    )
    .tells(json!({
        "provider": "anthropic", "agent_name": "guide", "first_token_millis": 250, "streaming": true,
        "cache_read": 60, "cache_creation": 30, "user_id": "u-1", "session_id": "s-1",
    }));
}
