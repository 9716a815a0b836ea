//! Two dialects in one span: which of them a field is taken from.

use serde_json::{Value as Json, json};

use crate::span;

/// For each field its keys, the weightiest first. Each key in turn stands beside all that follow it.
#[track_caller]
fn order(field: &str, base: &Json, keys: &[(&str, Json, Json)]) {
    for first in 0..keys.len() {
        let mut told = span("", "step", base.clone());
        for (key, value, _) in &keys[first..] {
            told = told.with(key, value.clone());
        }
        told.tells(json!({ field: keys[first].2 }));
    }
}

/// The same for keys that hold texts: each holds its place.
#[track_caller]
fn texts(field: &str, base: &Json, keys: &[&str]) {
    let rows: Vec<_> = keys
        .iter()
        .enumerate()
        .map(|(place, key)| (*key, json!(format!("t{place}")), json!(format!("t{place}"))))
        .collect();
    order(field, base, &rows);
}

/// The same for keys that hold numbers.
#[track_caller]
fn numbers(field: &str, base: &Json, keys: &[&str]) {
    let rows: Vec<_> = (1..).zip(keys).map(|(place, key)| (*key, json!(place), json!(place))).collect();
    order(field, base, &rows);
}

fn chat() -> Json {
    json!({ "gen_ai.operation.name": "chat" })
}

#[test]
fn kinds() {
    let key = |key, value: &str, kind: &str| (key, json!(value), json!(kind));
    order(
        "kind",
        &json!({ "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 1 }),
        &[
            key("langfuse.observation.type", "evaluator", "evaluator"),
            key("openinference.span.kind", "RETRIEVER", "retriever"),
            key("mlflow.spanType", "\"AGENT\"", "agent"),
            key("langsmith.span.kind", "prompt", "prompt"),
        ],
    );
    order(
        "kind",
        &json!({ "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 1 }),
        &[
            key("traceloop.span.kind", "task", "workflow"),
            key("litellm.guardrail.name", "pii", "guardrail"),
            key("gen_ai.operation.name", "embeddings", "embedding"),
            key("lmnr.span.type", "EVALUATOR", "evaluator"),
            key("llm.request.type", "rerank", "reranker"),
            key("mcp.method.name", "tools/call", "tool"),
            key("gen_ai.retrieval.query.text", "Where?", "retriever"),
        ],
    );
    // A tracer's word decides the kind, and the SDK's own what is a call.
    span(
        "ai",
        "ai.generateText",
        json!({ "ai.operationId": "ai.generateText", "openinference.span.kind": "LLM" }),
    )
    .tells(json!({ "kind": "llm", "is_call": false, "dialect": "vercel_ai" }));
    span("ai", "ai.toolCall", json!({ "ai.operationId": "ai.toolCall", "openinference.span.kind": "CHAIN" }))
        .tells(json!({ "kind": "workflow" }));
}

#[test]
fn models_and_providers() {
    texts(
        "request_model",
        &chat(),
        &[
            "gen_ai.request.model",
            "llm.request.model_name",
            "ai.model.id",
            "llm.model_name",
            "embedding.model_name",
            "model",
        ],
    );
    texts(
        "response_model",
        &chat(),
        &[
            "gen_ai.response.model",
            "llm.response.model_name",
            "ai.response.model",
            "langfuse.observation.model.name",
        ],
    );
    let provider = |key, name: &str| (key, json!(name), json!(name));
    order(
        "provider",
        &chat(),
        &[
            provider("gen_ai.provider.name", "openai"),
            provider("llm.provider", "anthropic"),
            provider("mlflow.llm.provider", "cohere"),
            provider("gen_ai.system", "groq"),
            provider("ai.model.provider", "deepseek"),
            provider("llm.system", "perplexity"),
            ("gen_ai.request.model", json!("gpt-4o"), json!("openai")),
        ],
    );
}

#[test]
fn tokens() {
    numbers(
        "input_tokens",
        &chat(),
        &[
            "gen_ai.usage.input_tokens",
            "gen_ai.usage.prompt_tokens",
            "llm.token_count.prompt",
            "ai.usage.inputTokens",
            "ai.usage.promptTokens",
            "ai.usage.tokens",
        ],
    );
    numbers(
        "output_tokens",
        &chat(),
        &[
            "gen_ai.usage.output_tokens",
            "gen_ai.usage.completion_tokens",
            "llm.token_count.completion",
            "ai.usage.outputTokens",
            "ai.usage.completionTokens",
        ],
    );
    numbers(
        "cache_read",
        &chat(),
        &[
            "gen_ai.usage.cache_read.input_tokens",
            "gen_ai.usage.cache_read_input_tokens",
            "llm.token_count.prompt_details.cache_read",
            "llm.token_count.prompt_details.cache_input",
            "ai.usage.inputTokenDetails.cacheReadTokens",
            "ai.usage.cachedInputTokens",
            "gen_ai.usage.details.cache_read_tokens",
            "gen_ai.usage.prompt_tokens_details.cached_tokens",
        ],
    );
    numbers(
        "cache_creation",
        &chat(),
        &[
            "gen_ai.usage.cache_write.input_tokens",
            "gen_ai.usage.cache_creation.input_tokens",
            "gen_ai.usage.cache_creation_input_tokens",
            "gen_ai.usage.cache_write_input_tokens",
            "llm.token_count.prompt_details.cache_write",
            "ai.usage.inputTokenDetails.cacheWriteTokens",
            "gen_ai.usage.details.cache_write_tokens",
            "gen_ai.usage.prompt_tokens_details.cache_creation_tokens",
        ],
    );
    numbers(
        "reasoning",
        &chat(),
        &[
            "gen_ai.usage.reasoning.output_tokens",
            "llm.token_count.completion_details.reasoning",
            "ai.usage.outputTokenDetails.reasoningTokens",
            "ai.usage.reasoningTokens",
            "gen_ai.usage.reasoning_tokens",
            "llm.usage.reasoning_tokens",
            "gen_ai.usage.completion_tokens_details.reasoning_tokens",
            "gen_ai.usage.details.reasoning_tokens",
        ],
    );
    // Parts that add up win over the whole that stands beside them.
    span(
        "ai",
        "ai.generateText.doGenerate",
        json!({
            "ai.operationId": "ai.generateText.doGenerate", "gen_ai.usage.input_tokens": 9,
            "ai.usage.inputTokenDetails.noCacheTokens": 10, "ai.usage.inputTokenDetails.cacheReadTokens": 60,
        }),
    )
    .tells(json!({ "input_tokens": 70 }));
}

#[test]
fn costs() {
    let dollars = |place: usize| json!(place * 1_000_000_000);
    let rows: Vec<_> = (1..)
        .zip([
            "llm.cost.total",
            "gen_ai.usage.cost",
            "litellm.cost.total",
            "gen_ai.cost.total_cost",
            "operation.cost",
            "cost_usd",
        ])
        .map(|(place, key)| (key, json!(place), dollars(place)))
        .collect();
    order("cost_nanos", &chat(), &rows);
    span("", "x", json!({ "langfuse.observation.cost_details": r#"{"total": 2}"#, "llm.cost.total": 3 }))
        .tells(json!({ "cost_nanos": 2_000_000_000 }));
}

#[test]
fn how_it_ended() {
    let reason = |key, value: Json, told: &str| (key, value, json!([told]));
    order(
        "finish_reasons",
        &chat(),
        &[
            reason("gen_ai.response.finish_reasons", json!(["a"]), "a"),
            reason("ai.response.finishReason", json!("b"), "b"),
            reason("llm.finish_reason", json!("c"), "c"),
            reason("gen_ai.response.finish_reason", json!("d"), "d"),
            reason("llm.response.finish_reason", json!("e"), "e"),
            reason("llm.response.stop_reason", json!("f"), "f"),
        ],
    );
    let messages = json!(r#"[{"role": "assistant", "parts": [], "finish_reason": "g"}]"#);
    span("", "x", chat())
        .with("gen_ai.output.messages", messages.clone())
        .tells(json!({ "finish_reasons": ["g"] }));
    span("", "x", chat())
        .with("gen_ai.output.messages", messages)
        .with("llm.finish_reason", json!("c"))
        .tells(json!({ "finish_reasons": ["c"] }));
    let millis = |key, value: Json, millis: f64| (key, value, json!(millis));
    order(
        "first_token_millis",
        &chat(),
        &[
            millis("gen_ai.response.time_to_first_chunk", json!(0.1), 100.0),
            millis("gen_ai.client.operation.time_to_first_chunk", json!(0.2), 200.0),
            millis("gen_ai.server.time_to_first_token", json!(0.3), 300.0),
            millis("ai.response.msToFirstChunk", json!(400), 400.0),
            millis("langfuse.observation.completion_start_time", json!("2023-11-14T22:13:20.5Z"), 500.0),
        ],
    );
}

#[test]
fn people_and_tools() {
    texts(
        "session_id",
        &chat(),
        &[
            "langfuse.session.id",
            "session.id",
            "traceloop.association.properties.session_id",
            "ai.telemetry.metadata.sessionId",
            "mlflow.trace.session",
            "langsmith.metadata.session_id",
            "langsmith.metadata.thread_id",
            "langsmith.metadata.conversation_id",
            "gcp.vertex.agent.session_id",
            "gen_ai.conversation.id",
        ],
    );
    texts(
        "conversation_id",
        &chat(),
        &["gen_ai.conversation.id", "spring.ai.chat.client.conversation.id", "langsmith.metadata.thread_id"],
    );
    texts(
        "user_id",
        &chat(),
        &[
            "langfuse.user.id",
            "user.id",
            "traceloop.association.properties.user_id",
            "ai.telemetry.metadata.userId",
            "mlflow.trace.user",
            "litellm.end_user.id",
            "metadata.user_api_key_end_user_id",
            "enduser.id",
            "gen_ai.user",
            "llm.user",
        ],
    );
    let tool = json!({ "gen_ai.operation.name": "execute_tool" });
    texts(
        "tool_name",
        &tool,
        &[
            "gen_ai.tool.name",
            "tool.name",
            "ai.toolCall.name",
            "spring.ai.tool.definition.name",
            "traceloop.entity.name",
        ],
    );
    texts(
        "tool_call_id",
        &tool,
        &["gen_ai.tool.call.id", "ai.toolCall.id", "tool.id", "spring.ai.tool.call.id"],
    );
    texts(
        "prompt_name",
        &chat(),
        &["gen_ai.prompt.name", "langfuse.observation.prompt.name", "traceloop.prompt.key", "prompt.id"],
    );
    texts(
        "prompt_version",
        &chat(),
        &[
            "gen_ai.prompt.version",
            "langfuse.observation.prompt.version",
            "traceloop.prompt.version",
            "llm.prompt_template.version",
        ],
    );
    let said = |key, text: &str| (key, json!(text), json!(text));
    order(
        "arguments",
        &tool,
        &[
            said("gen_ai.tool.call.arguments", "a"),
            said("ai.toolCall.args", "b"),
            said("tool_arguments", "c"),
            said("gcp.vertex.agent.tool_call_args", "d"),
            said("spring.ai.tool.call.arguments", "e"),
            said("traceloop.entity.input", "f"),
            said("input.value", "g"),
        ],
    );
    order(
        "result",
        &tool,
        &[
            said("gen_ai.tool.call.result", "a"),
            said("ai.toolCall.result", "b"),
            said("tool_response", "c"),
            said("gcp.vertex.agent.tool_response", "d"),
            said("spring.ai.tool.call.result", "e"),
            said("traceloop.entity.output", "f"),
            said("output.value", "g"),
        ],
    );
}

#[test]
fn what_was_said() {
    let user = |key, value: &str, text: &str| (key, json!(value), json!([["user", text]]));
    order(
        "input",
        &chat(),
        &[
            user("langfuse.observation.input", "a", "a"),
            user(
                "gen_ai.input.messages",
                r#"[{"role": "user", "parts": [{"type": "text", "content": "b"}]}]"#,
                "b",
            ),
            user("llm.input_messages.0.message.content", "c", "c"),
            user("gen_ai.prompt.0.content", "d", "d"),
            user("ai.prompt.messages", r#"[{"role": "user", "content": "e"}]"#, "e"),
            user("ai.prompt", r#"{"prompt": "f"}"#, "f"),
            user("mlflow.spanInputs", r#"{"messages": [{"role": "user", "content": "g"}]}"#, "g"),
            user("gen_ai.prompt", "h", "h"),
            user("request_data", r#"{"messages": [{"role": "user", "content": "i"}]}"#, "i"),
            user("llm.prompts.0.prompt.text", "j", "j"),
            user("traceloop.entity.input", "k", "k"),
            user("input.value", "l", "l"),
        ],
    );
    let answer = |key, value: &str, text: &str| (key, json!(value), json!([["assistant", text]]));
    order(
        "output",
        &chat(),
        &[
            answer("langfuse.observation.output", "a", "a"),
            answer(
                "gen_ai.output.messages",
                r#"[{"role": "assistant", "parts": [{"type": "text", "content": "b"}]}]"#,
                "b",
            ),
            answer("llm.output_messages.0.message.content", "c", "c"),
            answer("gen_ai.completion.0.content", "d", "d"),
            answer("ai.response.text", "e", "e"),
            answer("final_result", "f", "f"),
            answer("mlflow.spanOutputs", "\"g\"", "g"),
            answer("gen_ai.completion", "h", "h"),
            answer("response_data", r#"{"message": {"role": "assistant", "content": "i"}}"#, "i"),
            answer("llm.choices.0.completion.text", "j", "j"),
            answer("traceloop.entity.output", "k", "k"),
            answer("output.value", "l", "l"),
        ],
    );
    // Messages of events stand between those of OpenTelemetry and of the others.
    span("", "x", json!({ "llm.input_messages.0.message.content": "c" }))
        .event("gen_ai.user.message", 1, json!({ "content": "event" }))
        .tells(json!({ "input": [["user", "event"]] }));
    span(
        "",
        "x",
        json!({ "ai.prompt": r#"{"system": "b", "prompt": "x"}"#, "gen_ai.system_instructions": "a" }),
    )
    .tells(json!({ "system": ["a"] }));
}

#[test]
fn placeholders_are_passed_over() {
    span("", "x", json!({
        "gen_ai.operation.name": "chat", "langfuse.session.id": "", "session.id": "N/A", "gen_ai.conversation.id": "c-1",
        "gen_ai.input.messages": "[REDACTED]", "input.value": "Hi",
    }))
    .tells(json!({ "session_id": "c-1", "input": [["user", "Hi"]] }));
}

#[test]
fn tags_and_metadata_are_unions() {
    span(
        "",
        "x",
        json!({
            "gen_ai.operation.name": "chat", "langfuse.trace.tags": ["a"], "tag.tags": ["b"],
            "ai.telemetry.metadata.tags": ["c"], "langsmith.span.tags": "d, e", "logfire.tags": ["f"],
            "mlflow.traceTag.team": "blue", "metadata": r#"{"m": 1}"#, "langfuse.observation.metadata.n": "2",
            "langfuse.trace.metadata.o": "3", "ai.telemetry.metadata.p": "4", "langsmith.metadata.q": "5",
            "traceloop.association.properties.r": "6", "litellm.metadata.s": "7",
        }),
    )
    .tells(json!({
        "tags": ["a", "b", "c", "d", "e", "f", "team:blue"],
        "metadata": { "m": 1, "n": "2", "o": "3", "p": "4", "q": "5", "r": "6", "s": "7" },
    }));
}
