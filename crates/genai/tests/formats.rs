//! Content in formats of which no recording is at hand, as their libraries write it.

use llm_observatory_core::attributes::{Attribute, Value};
use llm_observatory_core::llm::{LlmContent, MediaSource, Message, Part};
use llm_observatory_core::time::UnixNanos;
use llm_observatory_core::trace::SpanKind;
use llm_observatory_genai::{Event, LogObservation, Observation, Scope, SpanObservation};

fn content(scope: &str, attributes: &[Attribute<'_>], events: &[Event<'_>]) -> LlmContent {
    llm_observatory_genai::content(&Observation::Span(SpanObservation {
        scope: Scope { name: scope, version: "" },
        name: "span",
        kind: SpanKind::INTERNAL,
        status: None,
        status_message: "",
        start_time: UnixNanos(1),
        end_time: UnixNanos(2),
        attributes,
        buffer: None,
        events,
    }))
}

/// An event of the span.
fn event<'a>(name: &'a str, attributes: &'a [Attribute<'a>]) -> Event<'a> {
    Event { name, time: UnixNanos(2), attributes, body: None }
}

/// A log record that belongs to the span.
fn log<'a>(name: &'a str, time: u64, attributes: &'a [Attribute<'a>], body: &'a Value<'a>) -> Event<'a> {
    Event { name, time: UnixNanos(time), attributes, body: Some(body) }
}

fn map(fields: Vec<(&'static str, Value<'static>)>) -> Value<'static> {
    Value::Map(fields.into_iter().map(|(key, value)| Attribute::new(key, value)).collect())
}

fn said(role: &str, text: &str) -> Message {
    Message { role: role.to_owned(), parts: vec![Part::Text(text.to_owned())], ..Message::default() }
}

fn stopped(message: Message, reason: &str) -> Message {
    Message { finish_reason: Some(reason.to_owned()), ..message }
}

fn call(id: &str, arguments: &str) -> Part {
    Part::ToolCall {
        id: Some(id.to_owned()),
        name: "get_weather".to_owned(),
        arguments: arguments.to_owned(),
    }
}

fn result(id: &str, json: &str) -> Part {
    Part::ToolResult { id: Some(id.to_owned()), result: json.to_owned() }
}

#[test]
fn strands_tells_bedrock_blocks_in_events() {
    let user = [Attribute::new("content", r#"[{"text": "What is the weather?"}]"#)];
    let asks = [Attribute::new(
        "content",
        r#"[{"toolUse": {"toolUseId": "t1", "name": "get_weather", "input": {"city": "Paris"}}}]"#,
    )];
    let told = [Attribute::new(
        "content",
        r#"[{"toolResult": {"toolUseId": "t1", "status": "success", "content": [{"text": "sunny"}]}}]"#,
    )];
    let choice = [
        Attribute::new("finish_reason", "end_turn"),
        Attribute::new("message", r#"[{"text": "It is sunny."}]"#),
    ];
    let events = [
        event("gen_ai.user.message", &user),
        event("gen_ai.assistant.message", &asks),
        event("gen_ai.tool.message", &told),
        event("gen_ai.choice", &choice),
    ];
    let attributes =
        [Attribute::new("gen_ai.operation.name", "chat"), Attribute::new("gen_ai.system", "strands-agents")];
    let content = content("strands.telemetry.tracer", &attributes, &events);
    assert_eq!(content.input[0], said("user", "What is the weather?"));
    assert_eq!(content.input[1].parts, [call("t1", r#"{"city": "Paris"}"#)]);
    assert_eq!(
        (&*content.input[2].role, &*content.input[2].parts),
        ("tool", &[result("t1", "\"sunny\"")][..])
    );
    assert_eq!(content.output, [stopped(said("assistant", "It is sunny."), "stop")]);
}

#[test]
fn strands_tells_a_tool_in_events() {
    let asked = [
        Attribute::new("role", "tool"),
        Attribute::new("content", r#"{"city": "Paris"}"#),
        Attribute::new("id", "t1"),
    ];
    let told = [Attribute::new("message", r#"[{"text": "sunny"}]"#), Attribute::new("id", "t1")];
    let events = [event("gen_ai.tool.message", &asked), event("gen_ai.choice", &told)];
    let attributes = [
        Attribute::new("gen_ai.operation.name", "execute_tool"),
        Attribute::new("gen_ai.system", "strands-agents"),
        Attribute::new("gen_ai.tool.name", "get_weather"),
    ];
    let content = content("strands.telemetry.tracer", &attributes, &events);
    assert_eq!(content.tool_arguments.as_deref(), Some(r#"{"city": "Paris"}"#));
    assert_eq!(content.tool_result.as_deref(), Some("\"sunny\""));
    assert!(content.input.is_empty() && content.output.is_empty());
}

#[test]
fn semantic_kernel_logs_json_texts() {
    let names = ["gen_ai.system.message", "gen_ai.user.message", "gen_ai.choice"]
        .map(|name| [Attribute::new("event.name", name)]);
    let bodies = [
        r#"{"role": "system", "content": "Be terse."}"#,
        r#"{"role": "user", "content": "Hi"}"#,
        r#"{"message": {"role": "assistant", "content": "Ho"}, "finish_reason": "FinishReason.STOP", "index": 0}"#,
    ]
    .map(Value::from);
    let events = [
        log("", 1, &names[0], &bodies[0]),
        log("", 2, &names[1], &bodies[1]),
        log("", 3, &names[2], &bodies[2]),
        log("", 3, &names[2], &bodies[2]),
    ];
    let attributes = [Attribute::new("gen_ai.operation.name", "chat.completions")];
    let content = content("semantic_kernel.connectors", &attributes, &events);
    assert_eq!(content.input, [said("system", "Be terse."), said("user", "Hi")]);
    assert_eq!(
        content.output,
        [stopped(said("assistant", "Ho"), "stop")],
        "a record that came twice is told once"
    );
}

#[test]
fn adk_logs_structured_messages_and_elides_them() {
    let body = |text: &'static str| {
        map(vec![(
            "content",
            map(vec![("role", "user".into()), ("parts", vec![map(vec![("text", text.into())])].into())]),
        )])
    };
    let (shown, elided) = (body("Hi"), map(vec![("content", "<elided>".into())]));
    let attributes = [Attribute::new("gen_ai.operation.name", "generate_content")];
    let read = |body| content("gcp.vertex.agent", &attributes, &[log("gen_ai.user.message", 1, &[], body)]);
    assert_eq!(read(&shown).input, [said("user", "Hi")]);
    assert_eq!(read(&elided).input, []);
}

#[test]
fn adk_writes_requests_of_google_as_json() {
    let request = r#"{"model":"gemini-2.5-flash","config":{"system_instruction":"Be terse.","tools":[{"function_declarations":[{"name":"get_weather","description":"now"}]}]},"contents":[{"parts":[{"text":"Hi"}],"role":"user"},{"parts":[{"function_call":{"id":"c1","args":{"city":"Paris"},"name":"get_weather"}}],"role":"model"},{"parts":[{"function_response":{"id":"c1","name":"get_weather","response":{"sky":"clear"}}}],"role":"user"}]}"#;
    let response = r#"{"content":{"parts":[{"text":"Ho"}],"role":"model"},"finish_reason":"STOP","usage_metadata":{"total_token_count":7}}"#;
    let attributes = [
        Attribute::new("gen_ai.system", "gcp.vertex.agent"),
        Attribute::new("gcp.vertex.agent.llm_request", request),
        Attribute::new("gcp.vertex.agent.llm_response", response),
    ];
    let content = content("gcp.vertex.agent", &attributes, &[]);
    assert_eq!(content.system_instructions, [Part::Text("Be terse.".to_owned())]);
    assert_eq!(content.tools[0].name, "get_weather");
    assert_eq!(content.input[0], said("user", "Hi"));
    assert_eq!(content.input[1].parts, [call("c1", r#"{"city":"Paris"}"#)]);
    assert_eq!(content.input[2].parts, [result("c1", r#"{"sky":"clear"}"#)]);
    assert_eq!(content.output, [stopped(said("assistant", "Ho"), "stop")]);
}

#[test]
fn adk_tells_nothing_where_capture_is_off() {
    let attributes = [
        Attribute::new("gen_ai.operation.name", "execute_tool"),
        Attribute::new("gen_ai.tool.name", "get_weather"),
        Attribute::new("gcp.vertex.agent.llm_request", "{}"),
        Attribute::new("gcp.vertex.agent.llm_response", "{}"),
        Attribute::new("gcp.vertex.agent.tool_call_args", "{}"),
        Attribute::new("gcp.vertex.agent.tool_response", "<not serializable>"),
    ];
    assert_eq!(content("gcp.vertex.agent", &attributes, &[]), LlmContent::default());
}

#[test]
fn conventions_of_1_28_log_structured_messages() {
    let calls = vec![map(vec![
        ("id", "c1".into()),
        ("type", "function".into()),
        ("function", map(vec![("name", "get_weather".into()), ("arguments", r#"{"city":"Paris"}"#.into())])),
    ])];
    let bodies = [
        map(vec![("content", "Hi".into())]),
        map(vec![("tool_calls", calls.clone().into())]),
        map(vec![("id", "c1".into()), ("content", "sunny".into())]),
        map(vec![
            ("index", 0.into()),
            ("finish_reason", "tool_calls".into()),
            ("message", map(vec![("role", "assistant".into()), ("tool_calls", calls.into())])),
        ]),
    ];
    let names = ["gen_ai.user.message", "gen_ai.assistant.message", "gen_ai.tool.message", "gen_ai.choice"];
    let events: Vec<_> = names.iter().zip(&bodies).map(|(name, body)| log(name, 1, &[], body)).collect();
    let content = content(
        "opentelemetry.instrumentation.openai_v2",
        &[Attribute::new("gen_ai.system", "openai")],
        &events,
    );
    assert_eq!(content.input[0], said("user", "Hi"));
    assert_eq!(content.input[1].parts, [call("c1", r#"{"city":"Paris"}"#)]);
    assert_eq!(
        (&*content.input[2].role, &*content.input[2].parts),
        ("tool", &[result("c1", "\"sunny\"")][..])
    );
    assert_eq!(content.output[0].parts, [call("c1", r#"{"city":"Paris"}"#)]);
    assert_eq!(content.output[0].finish_reason.as_deref(), Some("tool_call"));
}

#[test]
fn conventions_of_1_26_have_one_event_for_each_side() {
    let prompt = [Attribute::new("gen_ai.prompt", r#"[{"role":"user","content":"Hi"}]"#)];
    let completion = [Attribute::new("gen_ai.completion", r#"[{"role":"assistant","content":"Ho"}]"#)];
    let events = [event("gen_ai.content.prompt", &prompt), event("gen_ai.content.completion", &completion)];
    let content = content("", &[Attribute::new("gen_ai.system", "openai")], &events);
    assert_eq!((content.input, content.output), (vec![said("user", "Hi")], vec![said("assistant", "Ho")]));
}

#[test]
fn details_may_come_as_a_structured_event() {
    let message = |role: &'static str, text: &'static str| {
        let part = map(vec![("type", "text".into()), ("content", text.into())]);
        map(vec![("role", role.into()), ("parts", vec![part].into())])
    };
    let details = [
        Attribute::new("gen_ai.input.messages", vec![message("user", "Hi")]),
        Attribute::new("gen_ai.output.messages", vec![message("assistant", "Ho")]),
        Attribute::new(
            "gen_ai.system_instructions",
            vec![map(vec![("type", "text".into()), ("content", "Be terse.".into())])],
        ),
    ];
    let name = "gen_ai.client.inference.operation.details";
    let attributes = [Attribute::new("gen_ai.operation.name", "chat")];
    let found = content("", &attributes, &[log(name, 1, &details, &Value::Empty)]);
    assert_eq!((&*found.input, &*found.output), (&[said("user", "Hi")][..], &[said("assistant", "Ho")][..]));
    assert_eq!(found.system_instructions, [Part::Text("Be terse.".to_owned())]);
    let record = LogObservation {
        scope: Scope::default(),
        event_name: name,
        attributes: &details,
        body: &Value::Empty,
        is_in_span: false,
    };
    assert_eq!(llm_observatory_genai::content(&Observation::Log(record)).output, found.output);
}

#[test]
fn mlflow_encodes_everything_as_json() {
    let attributes = [
        Attribute::new("mlflow.spanType", "\"CHAT_MODEL\""),
        Attribute::new(
            "mlflow.spanInputs",
            r#"{"model":"gpt-4o","messages":[{"role":"user","content":"Hi"}]}"#,
        ),
        Attribute::new(
            "mlflow.spanOutputs",
            r#"{"choices":[{"finish_reason":"stop","message":{"role":"assistant","content":"Ho"}}]}"#,
        ),
        Attribute::new("mlflow.chat.tools", r#"[{"type":"function","function":{"name":"get_weather"}}]"#),
    ];
    let found = content("mlflow", &attributes, &[]);
    assert_eq!(
        (&*found.input, &*found.output),
        (&[said("user", "Hi")][..], &[stopped(said("assistant", "Ho"), "stop")][..])
    );
    assert_eq!(found.tools[0].name, "get_weather");
    let tool = [
        Attribute::new("mlflow.spanType", "\"TOOL\""),
        Attribute::new("mlflow.spanInputs", r#"{"city": "Paris"}"#),
        Attribute::new("mlflow.spanOutputs", "\"sunny\""),
    ];
    let found = content("mlflow", &tool, &[]);
    assert_eq!(
        (found.tool_arguments.as_deref(), found.tool_result.as_deref()),
        (Some(r#"{"city": "Paris"}"#), Some("\"sunny\""))
    );
    let retriever = [
        Attribute::new("mlflow.spanType", "\"RETRIEVER\""),
        Attribute::new("mlflow.spanInputs", "\"Where is Paris?\""),
        Attribute::new("mlflow.spanOutputs", r#"[{"page_content":"In France.","metadata":{}}]"#),
    ];
    let found = content("mlflow", &retriever, &[]);
    assert_eq!(found.input, [said("user", "Where is Paris?")]);
    assert_eq!(found.documents, [r#"{"page_content":"In France.","metadata":{}}"#]);
    assert_eq!(found.output, []);
}

#[test]
fn openinference_has_parts_documents_and_prompts_by_number() {
    let attributes = [
        Attribute::new("openinference.span.kind", "LLM"),
        Attribute::new("llm.input_messages.0.message.role", "user"),
        Attribute::new("llm.input_messages.0.message.contents.0.message_content.type", "text"),
        Attribute::new("llm.input_messages.0.message.contents.0.message_content.text", "What is it?"),
        Attribute::new("llm.input_messages.0.message.contents.1.message_content.type", "image"),
        Attribute::new(
            "llm.input_messages.0.message.contents.1.message_content.image.image.url",
            "data:image/png;base64,aGk=",
        ),
        Attribute::new("llm.output_messages.0.message.role", "assistant"),
        Attribute::new("llm.output_messages.0.message.content", "__REDACTED__"),
        Attribute::new("output.value", "__REDACTED__"),
    ];
    let found = content("openinference.instrumentation.openai", &attributes, &[]);
    let image = Part::Media {
        modality: "image".to_owned(),
        mime_type: Some("image/png".to_owned()),
        source: MediaSource::Inline("aGk=".to_owned()),
    };
    assert_eq!(found.input[0].parts, [Part::Text("What is it?".to_owned()), image]);
    assert_eq!(found.output, []);
    let attributes = [
        Attribute::new("openinference.span.kind", "RETRIEVER"),
        Attribute::new("input.value", "Where is Paris?"),
        Attribute::new("retrieval.documents.0.document.id", "d1"),
        Attribute::new("retrieval.documents.0.document.score", 0.5),
        Attribute::new("retrieval.documents.0.document.content", "In France."),
        Attribute::new("retrieval.documents.0.document.metadata", r#"{"page": 1}"#),
        Attribute::new("output.value", "a copy"),
    ];
    let found = content("openinference.instrumentation.langchain", &attributes, &[]);
    assert_eq!(found.documents, [r#"{"id":"d1","score":0.5,"content":"In France.","metadata":{"page": 1}}"#]);
    assert_eq!((found.input, found.output), (vec![said("user", "Where is Paris?")], vec![]));
}

#[test]
fn vercel_of_version_3_has_one_prompt() {
    let attributes = [
        Attribute::new("ai.operationId", "ai.generateText.doGenerate"),
        Attribute::new("ai.prompt", r#"{"system":"Be terse.","prompt":"Hi"}"#),
        Attribute::new("ai.response.text", "Ho"),
        Attribute::new("ai.response.finishReason", "tool-calls"),
        Attribute::new(
            "ai.response.toolCalls",
            r#"[{"toolCallType":"function","toolCallId":"c1","toolName":"get_weather","args":"{\"city\":\"Paris\"}"}]"#,
        ),
    ];
    let found = content("ai", &attributes, &[]);
    assert_eq!(found.system_instructions, [Part::Text("Be terse.".to_owned())]);
    assert_eq!(found.input, [said("user", "Hi")]);
    assert_eq!(found.output[0].parts, [Part::Text("Ho".to_owned()), call("c1", r#"{"city":"Paris"}"#)]);
    assert_eq!(found.output[0].finish_reason.as_deref(), Some("tool_call"));
}

#[test]
fn vercel_reranks_documents() {
    let ranking = [
        r#"{"originalIndex":1,"score":0.9,"document":"b"}"#,
        r#"{"originalIndex":0,"score":0.1,"document":"a"}"#,
    ];
    let attributes = [
        Attribute::new("ai.operationId", "ai.rerank"),
        Attribute::new("ai.documents", vec![Value::from("\"a\""), Value::from("\"b\"")]),
        Attribute::new("ai.ranking", ranking.map(Value::from).to_vec()),
    ];
    assert_eq!(content("ai", &attributes, &[]).documents, ranking);
}

#[test]
fn spring_and_mcp_tell_tools() {
    let spring = [
        Attribute::new("spring.ai.kind", "tool_call"),
        Attribute::new("spring.ai.tool.definition.name", "get_weather"),
        Attribute::new("spring.ai.tool.call.arguments", r#"{"city":"Paris"}"#),
        Attribute::new("spring.ai.tool.call.result", "sunny"),
    ];
    let found = content("org.springframework.boot", &spring, &[]);
    assert_eq!(
        (found.tool_arguments.as_deref(), found.tool_result.as_deref()),
        (Some(r#"{"city":"Paris"}"#), Some("\"sunny\""))
    );
    let structured = [
        Attribute::new("gen_ai.operation.name", "execute_tool"),
        Attribute::new("gen_ai.tool.call.arguments", map(vec![("city", "Paris".into())])),
        Attribute::new("gen_ai.tool.call.result", 21),
    ];
    let found = content("", &structured, &[]);
    assert_eq!(
        (found.tool_arguments.as_deref(), found.tool_result.as_deref()),
        (Some(r#"{"city":"Paris"}"#), Some("21"))
    );
}

#[test]
fn pydantic_ai_of_version_1_has_all_events_in_one_attribute() {
    let events = r#"[{"content":"Be terse.","role":"system","gen_ai.message.index":0,"event.name":"gen_ai.system.message"},
        {"content":"Hi","role":"user","gen_ai.message.index":1,"event.name":"gen_ai.user.message"},
        {"index":0,"message":{"role":"assistant","content":"Ho"},"event.name":"gen_ai.choice"}]"#;
    let attributes = [Attribute::new("gen_ai.operation.name", "chat"), Attribute::new("events", events)];
    let found = content("pydantic-ai", &attributes, &[]);
    assert_eq!(found.input, [said("system", "Be terse."), said("user", "Hi")]);
    assert_eq!(found.output, [said("assistant", "Ho")]);
}

#[test]
fn openlit_puts_blocks_of_anthropic_into_parts() {
    let messages = r#"[{"role":"user","parts":[{"type":"text","content":[{"type":"text","text":"Hi"}]}]}]"#;
    let found = content("openlit.anthropic", &[Attribute::new("gen_ai.input.messages", messages)], &[]);
    assert_eq!(found.input, [said("user", "Hi")]);
}
