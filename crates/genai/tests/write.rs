//! An LLM span as attributes, and back.

#![expect(clippy::unwrap_used, reason = "a test: what fails here should panic, in helpers too")]

use llm_observatory_core::attributes::{Attribute, Value};
use llm_observatory_core::ids::{ProjectId, SpanId, TraceId};
use llm_observatory_core::llm::{
    Dialect, LlmContent, LlmKind, LlmReading, LlmSpan, MediaSource, Message, Nanodollars, Parameters, Part,
    TokenUsage, ToolDefinition,
};
use llm_observatory_core::text::Text;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_core::trace::{SpanKind, StatusCode};
use llm_observatory_genai::{Observation, Scope, SpanObservation, attributes, content, read, remaining};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

/// A text that says something: not empty, no placeholder, no NUL.
fn said() -> BoxedStrategy<String> {
    prop_oneof![
        "[a-z]{1,8}",
        "[^\u{0}]{1,30}",
        select(vec![
            "{\"a\": 1}",
            "[1, 2]",
            "[{\"type\":\"text\",\"text\":\"hi\"}]",
            "null",
            "\"quoted\"",
            "a\u{1}\n\\b"
        ])
        .prop_map(str::to_owned),
    ]
    .prop_filter("is a placeholder", |text| {
        !["[REDACTED]", "<REDACTED>", "__REDACTED__", "<elided>", "N/A"].contains(&&**text)
    })
    .boxed()
}

fn text() -> impl Strategy<Value = Text> {
    said().prop_map(Text::from)
}

/// A list or a map as somebody wrote it.
fn nest() -> BoxedStrategy<String> {
    let json = said().prop_map(serde_json::Value::from).prop_recursive(3, 10, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(serde_json::Value::from),
            btree_map(said(), inner, 0..3).prop_map(|map| map.into_iter().collect()),
        ]
    });
    let written = (json, any::<bool>()).prop_map(
        |(json, pretty)| {
            if pretty { format!("{json:#}") } else { json.to_string() }
        },
    );
    let written = written.prop_filter("is a string", |json| json.starts_with(['{', '[']));
    let deep = (1..200usize).prop_map(|depth| "[".repeat(depth) + &"]".repeat(depth));
    prop_oneof![4 => written, 1 => deep.prop_filter("goes beyond the limit", |json| json.len() < 240)].boxed()
}

/// A result as JSON: a text that holds a list or map would be read as that one.
fn result() -> impl Strategy<Value = String> {
    let quoted = said().prop_filter_map("holds JSON", |text| {
        let holds_json = text.trim_start().starts_with(['{', '[']);
        (!holds_json).then(|| {
            serde_json::to_string(&text).unwrap().replace("\\b", "\\u0008").replace("\\f", "\\u000c")
        })
    });
    prop_oneof![nest(), quoted, Just("1.50".to_owned()), Just("null".to_owned()), Just("\"\"".to_owned())]
}

fn media() -> impl Strategy<Value = Part> {
    let source = prop_oneof![
        said().prop_map(MediaSource::Inline),
        said().prop_map(|text| MediaSource::Uri(format!("https://x/{text}"))),
        said().prop_map(MediaSource::File),
    ];
    (said(), of(said()), source).prop_map(|(modality, mime_type, source)| Part::Media {
        modality,
        mime_type,
        source,
    })
}

fn part() -> impl Strategy<Value = Part> {
    prop_oneof![
        said().prop_map(Part::Text),
        said().prop_map(Part::Reasoning),
        (of(said()), said(), prop_oneof![said(), nest(), Just(String::new())])
            .prop_map(|(id, name, arguments)| Part::ToolCall { id, name, arguments }),
        (of(said()), prop_oneof![result().boxed(), Just(String::new()).boxed()])
            .prop_map(|(id, result)| Part::ToolResult { id, result }),
        media(),
        nest().prop_map(Part::Other),
        Just(Part::Other(r#"{"type":"text","text":"taken for a text"}"#.to_owned())),
    ]
}

fn message() -> impl Strategy<Value = Message> {
    let role = select(vec!["", "system", "user", "assistant", "tool", "developer", "critic"]);
    (role, of(said()), vec(part(), 1..4), of(said())).prop_map(|(role, name, parts, finish_reason)| Message {
        role: role.to_owned(),
        name,
        parts,
        finish_reason,
    })
}

fn tool() -> impl Strategy<Value = ToolDefinition> {
    (said(), of(said()), of(prop_oneof![nest(), said()]))
        .prop_map(|(name, description, parameters)| ToolDefinition { name, description, parameters })
}

fn llm_content() -> impl Strategy<Value = LlmContent> {
    (
        vec(part(), 0..3),
        vec(message(), 0..4),
        vec(message(), 0..3),
        vec(tool(), 0..3),
        of(prop_oneof![nest(), said()]),
        of(result()),
        vec(result(), 0..3),
    )
        .prop_map(
            |(system_instructions, input, output, tools, tool_arguments, tool_result, documents)| {
                LlmContent {
                    system_instructions,
                    input,
                    output,
                    tools,
                    tool_arguments,
                    tool_result,
                    documents,
                }
            },
        )
}

fn count() -> impl Strategy<Value = Option<i64>> {
    of(any::<i64>())
}

fn number() -> impl Strategy<Value = Option<f64>> {
    of(any::<f64>().prop_filter("is no number", |number| !number.is_nan()))
}

fn usage() -> impl Strategy<Value = TokenUsage> {
    let counts = (count(), count(), count(), count(), count(), count(), count(), count(), count(), count());
    counts.prop_map(|counts| TokenUsage {
        input: counts.0,
        output: counts.1,
        cache_read: counts.2,
        cache_creation: counts.3,
        cache_creation_1h: counts.4,
        reasoning: counts.5,
        input_audio: counts.6,
        output_audio: counts.7,
        input_image: counts.8,
        output_image: counts.9,
    })
}

fn parameters() -> impl Strategy<Value = Parameters> {
    let numbers = (number(), number(), number(), number(), number());
    (numbers, (count(), count(), count()), vec(text(), 0..3), of(text())).prop_map(
        |(numbers, counts, stop, reasoning_effort)| Parameters {
            temperature: numbers.0,
            top_p: numbers.1,
            top_k: numbers.2,
            frequency_penalty: numbers.3,
            presence_penalty: numbers.4,
            max_tokens: counts.0,
            seed: counts.1,
            choice_count: counts.2,
            stop,
            reasoning_effort,
        },
    )
}

fn value() -> impl Strategy<Value = Value<'static>> {
    let leaf = prop_oneof![
        Just(Value::Empty),
        any::<String>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9f64).prop_map(Value::from),
        vec(any::<u8>(), 0..9).prop_map(|bytes| Value::Bytes(bytes.into())),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let pair = ("[a-z]{1,4}", inner.clone()).prop_map(|(key, value)| Attribute::new(key, value));
        prop_oneof![vec(inner, 0..4).prop_map(Value::Array), vec(pair, 0..4).prop_map(Value::Map)]
    })
}

/// Attributes beside the reading; those of another dialect stay what they are.
fn others() -> impl Strategy<Value = Vec<Attribute<'static>>> {
    let keys = prop_oneof![
        "[a-z.]{1,12}".boxed(),
        select(vec![
            "langfuse.observation.input",
            "llm.input_messages.0.message.content",
            "gen_ai.prompt.0.content",
            "gen_ai.usage.prompt_tokens",
            "llm.token_count.prompt",
            "openinference.span.kind",
            "input.value",
        ])
        .prop_map(str::to_owned)
        .boxed(),
    ];
    let pairs = btree_map(keys, value(), 0..4);
    pairs.prop_map(|pairs| pairs.into_iter().map(|(key, value)| Attribute::new(key, value)).collect())
}

fn reading() -> impl Strategy<Value = LlmReading> {
    let texts = || vec(of(text()), 17);
    let lists = (vec(text(), 0..3), btree_set(text(), 0..3), others());
    let few = (count(), of(any::<bool>()), of(0..1i64 << 51), any::<bool>());
    let base = (select(LlmKind::ALL), select(Dialect::ALL));
    (base, texts(), usage(), parameters(), lists, few).prop_map(
        |((kind, dialect), texts, usage, parameters, (finish_reasons, tags, metadata), few)| {
            let mut texts = texts.into_iter();
            let mut text = || texts.next().flatten();
            LlmReading {
                is_call: few.3,
                operation: text(),
                provider: text(),
                framework: text(),
                request_model: text(),
                response_model: text(),
                response_id: text(),
                service_tier: text(),
                usage,
                reported_cost: few.0.map(Nanodollars),
                finish_reasons,
                parameters,
                streaming: few.1,
                time_to_first_token: few.2,
                session_id: text(),
                conversation_id: text(),
                user_id: text(),
                tool_name: text(),
                tool_call_id: text(),
                agent_name: text(),
                agent_id: text(),
                prompt_name: text(),
                prompt_version: text(),
                error_type: text(),
                tags: tags.into_iter().collect(),
                metadata,
                ..LlmReading::new(kind, dialect)
            }
        },
    )
}

fn span(reading: LlmReading, content: LlmContent, attributes: Vec<Attribute<'static>>) -> LlmSpan {
    LlmSpan {
        project_id: ProjectId::DEFAULT,
        trace_id: TraceId::from_wire(&[1; 16]).unwrap(),
        span_id: SpanId::from_wire(&[2; 8]).unwrap(),
        parent_span_id: None,
        name: Text::from("chat gpt-4o"),
        service_name: Text::from("shop"),
        start_time: UnixNanos(1),
        end_time: UnixNanos(2),
        status_code: StatusCode::UNSET,
        status_message: Text::EMPTY,
        reading,
        content,
        attributes,
    }
}

fn observation<'a>(attributes: &'a [Attribute<'a>]) -> Observation<'a> {
    Observation::Span(SpanObservation {
        scope: Scope::default(),
        name: "chat gpt-4o",
        kind: SpanKind::CLIENT,
        status: None,
        status_message: "",
        start_time: UnixNanos(1),
        end_time: UnixNanos(2),
        attributes,
        buffer: None,
        events: &[],
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(reading in reading(), content in llm_content(), others in others()) {
        let span = span(reading, content, others);
        let attributes = attributes(&span);
        let observation = observation(&attributes);
        prop_assert_eq!(read(&observation), Some(span.reading.clone()));
        prop_assert_eq!(llm_observatory_genai::content(&observation), span.content.clone());
        prop_assert_eq!(remaining(&attributes), span.attributes);
    }
}

#[test]
fn a_span_is_written_in_the_words_of_opentelemetry() {
    let reading = LlmReading {
        request_model: Some("gpt-4o".into()),
        usage: TokenUsage { input: Some(7), ..TokenUsage::default() },
        ..LlmReading::new(LlmKind::Llm, Dialect::OpenInference)
    };
    let call = Part::ToolCall { id: None, name: "f".to_owned(), arguments: "{\"a\": 1}".to_owned() };
    let parts = vec![Part::Text("hi".to_owned()), call];
    let content = LlmContent {
        input: vec![Message { role: "user".to_owned(), parts, ..Message::default() }],
        ..LlmContent::default()
    };
    let span = span(
        reading,
        content,
        vec![Attribute::new("gen_ai.request.model", "mine wins"), Attribute::new("x", 1)],
    );
    let messages = r#"[{"role":"user","parts":[{"type":"text","content":"hi"},{"type":"tool_call","name":"f","arguments":{"a": 1}}]}]"#;
    assert_eq!(
        attributes(&span),
        [
            Attribute::new("llm_observatory.kind", "llm"),
            Attribute::new("llm_observatory.dialect", "openinference"),
            Attribute::new("llm_observatory.is_call", true),
            Attribute::new("gen_ai.request.model", "gpt-4o"),
            Attribute::new("gen_ai.usage.input_tokens", 7),
            Attribute::new("gen_ai.input.messages", messages),
            Attribute::new("x", 1),
        ]
    );
}

#[test]
fn a_span_of_another_dialect_is_written_once_and_stays_as_it_is() {
    let foreign = [
        Attribute::new("openinference.span.kind", "LLM"),
        Attribute::new("gen_ai.request.model", "gpt-4o"),
        Attribute::new("llm.input_messages.0.message.role", "user"),
        Attribute::new("llm.input_messages.0.message.content", "hi"),
    ];
    let observed = observation(&foreign);
    let first = span(read(&observed).unwrap(), content(&observed), remaining(&foreign));
    assert_eq!(first.content.input[0].parts, [Part::Text("hi".to_owned())]);
    let written = attributes(&first);
    let observed = observation(&written);
    let second = span(read(&observed).unwrap(), content(&observed), remaining(&written));
    assert_eq!(second, first);
}
