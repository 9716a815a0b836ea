//! Values of the wrong type under every documented key: whatever is sent, it is read or not, and nothing panics.

use serde_json::{Value as Json, json};

use crate::span;

const KEYS: &[&str] = &[
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.request.stop_sequences",
    "gen_ai.response.finish_reasons",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.definitions",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
    "gen_ai.retrieval.documents",
    "gen_ai.prompt",
    "gen_ai.completion",
    "gen_ai.prompt.0.content",
    "gen_ai.prompt.0.tool_calls.0.arguments",
    "gen_ai.response.time_to_first_chunk",
    "openinference.span.kind",
    "llm.invocation_parameters",
    "llm.input_messages.0.message.content",
    "llm.input_messages.0.message.contents.0.message_content.text",
    "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments",
    "llm.tools.0.tool.json_schema",
    "llm.function_call",
    "llm.cost.total",
    "metadata",
    "tag.tags",
    "input.value",
    "output.value",
    "retrieval.documents.0.document.metadata",
    "traceloop.span.kind",
    "traceloop.entity.input",
    "ai.operationId",
    "ai.prompt",
    "ai.prompt.messages",
    "ai.prompt.tools",
    "ai.response.toolCalls",
    "ai.response.reasoning",
    "ai.response.providerMetadata",
    "ai.values",
    "ai.telemetry.metadata.langfusePrompt",
    "langfuse.observation.type",
    "langfuse.observation.usage_details",
    "langfuse.observation.cost_details",
    "langfuse.observation.input",
    "langfuse.observation.completion_start_time",
    "mlflow.spanType",
    "mlflow.spanInputs",
    "mlflow.chat.tokenUsage",
    "mlflow.linkedPrompts",
    "pydantic_ai.all_messages",
    "request_data",
    "response_data",
    "langsmith.span.kind",
    "gen_ai.usage.input_token_details",
    "hidden_params",
    "litellm.cache_hit",
    "gcp.vertex.agent.llm_request",
    "gcp.vertex.agent.llm_response",
    "spring.ai.kind",
    "genkit:metadata:subtype",
    "genkit:input",
    "genkit:output",
    "lmnr.span.type",
    "mcp.method.name",
    "sk.available_functions",
];

fn oddities() -> Vec<Json> {
    let deep = "[".repeat(2_000) + &"]".repeat(2_000);
    vec![
        json!(null),
        json!(true),
        json!(-1),
        json!(i64::MIN),
        json!(1e308),
        json!(""),
        json!(" "),
        json!("\u{0}"),
        json!("{"),
        json!("["),
        json!("{}"),
        json!("[]"),
        json!("[null]"),
        json!("null"),
        json!("\"\""),
        json!("'"),
        json!(deep),
        json!([[[[]]]]),
        json!({ "a": { "b": [null, {}] } }),
        json!(["\u{fffd}", 1, null]),
        json!(r#"{"role": [], "content": {"parts": 5}}"#),
        json!(r#"[{"role": 5, "parts": {"type": []}}]"#),
        json!(r#"{"usage": {"inputTokens": -5, "outputTokens": "x"}, "message": []}"#),
        json!("a".repeat(100_000)),
    ]
}

#[test]
fn any_value_under_any_key() {
    for scope in ["", "ai", "langfuse-sdk", "litellm", "genkit-tracer", "pydantic-ai"] {
        for key in KEYS {
            for odd in oddities() {
                let told = span(
                    scope,
                    "step",
                    json!({ "gen_ai.operation.name": "chat", "openinference.span.kind": "TOOL" }),
                );
                told.with(key, odd.clone()).shown();
                let event = span(scope, "step", json!({ "gen_ai.operation.name": "chat" }));
                event
                    .clone()
                    .event("gen_ai.choice", 1, json!({ "message": odd, "finish_reason": odd }))
                    .shown();
                event.log("gen_ai.user.message", 1, json!({ *key: odd }), odd).shown();
            }
        }
    }
}

#[test]
fn numbers_that_are_none() {
    use llm_observatory_core::attributes::Attribute;
    use llm_observatory_core::time::UnixNanos;
    use llm_observatory_core::trace::SpanKind;
    use llm_observatory_genai::{Observation, Scope, SpanObservation, read};
    for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let attributes = [
            Attribute::new("gen_ai.operation.name", "chat"),
            Attribute::new("gen_ai.usage.input_tokens", odd),
            Attribute::new("gen_ai.request.temperature", odd),
            Attribute::new("gen_ai.response.time_to_first_chunk", odd),
            Attribute::new("gen_ai.usage.cost", odd),
        ];
        let reading = read(&Observation::Span(SpanObservation {
            scope: Scope::default(),
            name: "chat",
            kind: SpanKind::CLIENT,
            status: None,
            status_message: "",
            start_time: UnixNanos(1),
            end_time: UnixNanos(2),
            attributes: &attributes,
            buffer: None,
            events: &[],
        }))
        .unwrap();
        assert_eq!((reading.usage.input, reading.parameters.temperature), (None, None));
        assert_eq!((reading.time_to_first_token, reading.reported_cost), (None, None));
    }
}
