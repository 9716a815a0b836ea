//! Nothing that a client sends makes the content fail, or costs more than its bytes.

use llm_observatory_core::attributes::{Attribute, Value};
use llm_observatory_core::llm::{LlmContent, Part};
use llm_observatory_core::time::UnixNanos;
use llm_observatory_core::trace::SpanKind;
use llm_observatory_genai::{Event, LogObservation, Observation, Scope, SpanObservation};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Keys that some format reads.
const KEYS: &[&str] = &[
    "ai.documents",
    "ai.operationId",
    "ai.prompt",
    "ai.prompt.messages",
    "ai.prompt.tools",
    "ai.ranking",
    "ai.response.files",
    "ai.response.object",
    "ai.response.reasoning",
    "ai.response.text",
    "ai.response.toolCalls",
    "ai.toolCall.args",
    "ai.toolCall.result",
    "ai.value",
    "ai.values",
    "all_messages_events",
    "content",
    "embedding.embeddings.0.embedding.text",
    "event.name",
    "events",
    "final_result",
    "finish_reason",
    "gcp.vertex.agent.llm_request",
    "gcp.vertex.agent.llm_response",
    "gcp.vertex.agent.tool_call_args",
    "gen_ai.agent.tools",
    "gen_ai.completion",
    "gen_ai.completion.0.content",
    "gen_ai.completion.0.tool_calls.0.name",
    "gen_ai.event.content",
    "gen_ai.input.messages",
    "gen_ai.operation.name",
    "gen_ai.output.messages",
    "gen_ai.prompt",
    "gen_ai.prompt.0.content",
    "gen_ai.prompt.0.role",
    "gen_ai.prompt.18446744073709551616.role",
    "gen_ai.prompt.4000000000.content",
    "gen_ai.request.model",
    "gen_ai.retrieval.documents",
    "gen_ai.system_instructions",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
    "gen_ai.tool.definitions",
    "input.value",
    "langfuse.observation.input",
    "langfuse.observation.output",
    "llm.choices.0.completion.text",
    "llm.input_messages.0.message.content",
    "llm.input_messages.0.message.contents.0.message_content.text",
    "llm.input_messages.0.message.role",
    "llm.input_messages.1.message.tool_calls.0.tool_call.function.name",
    "llm.invocation_parameters",
    "llm.output_messages.0.message.content",
    "llm.prompts.0.prompt.text",
    "llm.request.functions.0.name",
    "llm.tools.0.tool.json_schema",
    "llm_observatory.dialect",
    "llm_observatory.kind",
    "message",
    "mlflow.spanInputs",
    "mlflow.spanOutputs",
    "openinference.span.kind",
    "output.value",
    "pydantic_ai.all_messages",
    "request_data",
    "response_data",
    "retrieval.documents.0.document.content",
    "retrieval.documents.0.document.metadata",
    "role",
    "tool.parameters",
    "tool_calls",
    "traceloop.entity.input",
    "traceloop.entity.output",
    "user_prompt",
];

/// Names of fields in the documents of all providers.
const FIELDS: &[&str] = &[
    "additional_kwargs",
    "args",
    "arguments",
    "candidates",
    "choices",
    "config",
    "content",
    "contents",
    "data",
    "delta",
    "document",
    "event.name",
    "file",
    "file_id",
    "finish_reason",
    "function",
    "functionCall",
    "functionDeclarations",
    "functionResponse",
    "function_call",
    "generations",
    "id",
    "image",
    "image_url",
    "images",
    "inlineData",
    "input",
    "inputSchema",
    "inputs",
    "json",
    "kind",
    "kwargs",
    "lc",
    "message",
    "messages",
    "name",
    "output",
    "outputs",
    "parameters",
    "parts",
    "prompt",
    "reasoning",
    "reasoningContent",
    "response",
    "result",
    "role",
    "source",
    "summary",
    "system",
    "text",
    "thinking",
    "tool_calls",
    "toolResult",
    "toolSpec",
    "toolUse",
    "tools",
    "type",
    "url",
    "value",
];

/// Texts that some format gives a meaning.
const WORDS: &[&str] = &[
    "",
    "AIMessage",
    "[REDACTED]",
    "agent",
    "assistant",
    "blob",
    "chat",
    "execute_tool",
    "file",
    "function",
    "function_call",
    "function_call_output",
    "gen_ai.choice",
    "gen_ai.user.message",
    "human",
    "image",
    "image_url",
    "llm",
    "message",
    "otel_genai",
    "reasoning",
    "retrieval",
    "text",
    "tool",
    "tool_call",
    "tool_result",
    "tool_use",
    "user",
    "data:;base64,",
    "[{\"type\":\"text\",\"text\":\"x\"}]",
    "{\"role\":\"user\",\"content\":\"x\"}",
    "{\"a\":",
    "\\u12",
    "é",
];

fn word() -> impl Strategy<Value = String> {
    prop_oneof![3 => select(WORDS).prop_map(str::to_owned), 1 => any::<String>()]
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        4 => word().prop_map(serde_json::Value::from),
        1 => any::<i64>().prop_map(serde_json::Value::from),
        1 => any::<bool>().prop_map(serde_json::Value::from),
        1 => Just(serde_json::Value::Null),
    ];
    leaf.prop_recursive(6, 60, 5, |inner| {
        let field = (select(FIELDS).prop_map(str::to_owned), inner.clone());
        prop_oneof![
            vec(inner, 0..5).prop_map(serde_json::Value::from),
            vec(field, 0..6).prop_map(|fields| serde_json::Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn structured(json: &serde_json::Value) -> Value<'static> {
    match json {
        serde_json::Value::Null => Value::Empty,
        serde_json::Value::Bool(truth) => Value::from(*truth),
        serde_json::Value::Number(number) => Value::from(number.as_i64().unwrap_or_default()),
        serde_json::Value::String(text) => Value::from(text.clone()),
        serde_json::Value::Array(items) => Value::Array(items.iter().map(structured).collect()),
        serde_json::Value::Object(fields) => Value::Map(
            fields.iter().map(|(key, value)| Attribute::new(key.clone(), structured(value))).collect(),
        ),
    }
}

/// A document as a text, cut off, structured, or a bare word.
fn value() -> impl Strategy<Value = Value<'static>> {
    (json(), 0..5, any::<prop::sample::Index>(), word()).prop_map(|(json, form, cut, word)| match form {
        0 => structured(&json),
        1 => Value::from(json.to_string().chars().take(cut.index(100)).collect::<String>()),
        2 => Value::from(serde_json::Value::from(json.to_string()).to_string()),
        3 => Value::from(word),
        _ => Value::from(json.to_string()),
    })
}

fn attributes(most: usize) -> impl Strategy<Value = Vec<Attribute<'static>>> {
    let one = (select(KEYS), value()).prop_map(|(key, value)| Attribute::new(key, value));
    vec(one, 0..most)
}

fn read<'a>(attributes: &'a [Attribute<'a>], events: &'a [Event<'a>]) -> LlmContent {
    llm_observatory_genai::content(&Observation::Span(SpanObservation {
        scope: Scope::default(),
        name: "chat",
        kind: SpanKind::CLIENT,
        status: None,
        status_message: "",
        start_time: UnixNanos(1),
        end_time: UnixNanos(2),
        attributes,
        buffer: None,
        events,
    }))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_attributes_have_a_content(
        span in attributes(8),
        event in attributes(4),
        body in value(),
        name in select(vec!["gen_ai.choice", "gen_ai.user.message", "gen_ai.tool.message", "",
            "gen_ai.client.inference.operation.details", "gen_ai.content.prompt", "db.query.result"]),
    ) {
        let time = UnixNanos(3);
        let own = Event { name, time, attributes: &event, body: None };
        let log = Event { name, time, attributes: &event, body: Some(&body) };
        let found = read(&span, &[own, log, log]);
        let alone = LogObservation { scope: Scope::default(), event_name: name, attributes: &event, body: &body, is_in_span: false };
        let _ = llm_observatory_genai::content(&Observation::Log(alone));
        // What is told is said: no empty messages, no empty texts.
        for message in found.input.iter().chain(&found.output) {
            prop_assert!(!message.parts.is_empty());
            for part in &message.parts {
                let is_empty = matches!(part, Part::Text(text) | Part::Reasoning(text) if text.is_empty());
                prop_assert!(!is_empty);
            }
        }
    }
}

#[test]
fn malformed_json_is_shown_as_it_is() {
    for key in [
        "gen_ai.input.messages",
        "ai.prompt",
        "mlflow.spanInputs",
        "input.value",
        "langfuse.observation.input",
    ] {
        let broken = r#"[{"role":"user","content":"hi"}"#;
        let content = read(&[Attribute::new(key, broken)], &[]).input;
        assert_eq!(content.len(), 1, "{key}");
        assert_eq!(content[0].parts, [Part::Text(broken.to_owned())], "{key}");
    }
}

#[test]
fn indexes_may_be_huge_and_sparse() {
    let attributes = [
        Attribute::new("gen_ai.prompt.4000000000.content", "second"),
        Attribute::new("gen_ai.prompt.4000000000.role", "user"),
        Attribute::new("gen_ai.prompt.7.content", "first"),
        Attribute::new("gen_ai.prompt.99999999999999999999999999.content", "no index"),
    ];
    let input = read(&attributes, &[]).input;
    let texts: Vec<_> = input.iter().map(|message| &message.parts[..]).collect();
    assert_eq!(texts, [[Part::Text("first".to_owned())], [Part::Text("second".to_owned())]]);
}

#[test]
fn a_prompt_of_10_mb_and_5000_calls_of_tools_are_read() {
    let prompt = "All work and no \\\"play\\\" makes Jack a dull boy.\\n".repeat(220_000);
    let call = |n: usize| {
        format!(r#"{{"id":"c{n}","type":"function","function":{{"name":"f","arguments":"{{\"n\":{n}}}"}}}}"#)
    };
    let calls: Vec<_> = (0..5000).map(call).collect();
    let messages = format!(
        r#"[{{"role":"user","content":"{prompt}"}},{{"role":"assistant","tool_calls":[{}]}}]"#,
        calls.join(",")
    );
    let input = read(&[Attribute::new("gen_ai.input.messages", &*messages)], &[]).input;
    assert!(matches!(&input[0].parts[..], [Part::Text(text)] if text.len() > 9_000_000));
    assert_eq!(input[1].parts.len(), 5000);

    let mut attributes = Vec::new();
    for n in (0..5000).rev() {
        let key = |field| format!("gen_ai.completion.0.tool_calls.{n}.{field}");
        attributes.push(Attribute::new(key("id"), format!("c{n}")));
        attributes.push(Attribute::new(key("name"), "f"));
        attributes.push(Attribute::new(key("arguments"), format!("{{\"n\":{n}}}")));
    }
    let output = read(&attributes, &[]).output;
    assert_eq!(output[0].parts.len(), 5000);
    let second =
        Part::ToolCall { id: Some("c1".to_owned()), name: "f".to_owned(), arguments: "{\"n\":1}".to_owned() };
    assert_eq!(output[0].parts[1], second);
}

#[test]
fn what_goes_beyond_the_limits_is_cut_or_shown_as_text() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    assert_eq!(
        read(&[Attribute::new("gen_ai.input.messages", &*deep)], &[]).input[0].parts,
        [Part::Text(deep.clone())]
    );
    let many = format!("[{}]", vec![r#"{"role":"user","content":"x"}"#; 150_000].join(","));
    assert_eq!(read(&[Attribute::new("gen_ai.input.messages", &*many)], &[]).input.len(), 100_000);
}
