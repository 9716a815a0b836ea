//! Observations for tests of dialects.

use llm_observatory_core::attributes::{Attribute, Value};
use llm_observatory_core::llm::LlmReading;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_core::trace::{SpanKind, StatusCode};
use proptest::prelude::*;

use crate::observation::{Event, LogObservation, Observation, Scope, SpanObservation};

/// Start of every span here; each takes two seconds.
pub(crate) const START: u64 = 1_700_000_000_000_000_000;

/// The reading of a span.
pub(crate) fn span(scope: &str, name: &str, attributes: &[Attribute<'_>]) -> Option<LlmReading> {
    with_events(scope, name, None, attributes, &[])
}

/// The reading of a span that failed.
pub(crate) fn failed(
    scope: &str,
    name: &str,
    message: &str,
    attributes: &[Attribute<'_>],
) -> Option<LlmReading> {
    crate::read(&Observation::Span(SpanObservation {
        scope: Scope { name: scope, version: "" },
        status_message: message,
        ..observed(name, Some(StatusCode::ERROR), attributes, &[])
    }))
}

/// The reading of a span with events.
pub(crate) fn with_events(
    scope: &str,
    name: &str,
    status: Option<StatusCode>,
    attributes: &[Attribute<'_>],
    events: &[Event<'_>],
) -> Option<LlmReading> {
    crate::read(&Observation::Span(SpanObservation {
        scope: Scope { name: scope, version: "" },
        ..observed(name, status, attributes, events)
    }))
}

/// The reading of a log record.
pub(crate) fn log(
    scope: &str,
    event_name: &str,
    attributes: &[Attribute<'_>],
    body: &Value<'_>,
) -> Option<LlmReading> {
    crate::read(&Observation::Log(LogObservation {
        scope: Scope { name: scope, version: "" },
        event_name,
        attributes,
        body,
        is_in_span: false,
    }))
}

/// An event so many milliseconds after the start of the span.
pub(crate) fn event<'a>(name: &'a str, millis: u64, attributes: &'a [Attribute<'a>]) -> Event<'a> {
    Event { name, time: UnixNanos(START + millis * 1_000_000), attributes, body: None }
}

fn observed<'a>(
    name: &'a str,
    status: Option<StatusCode>,
    attributes: &'a [Attribute<'a>],
    events: &'a [Event<'a>],
) -> SpanObservation<'a> {
    SpanObservation {
        scope: Scope::default(),
        name,
        kind: SpanKind::CLIENT,
        status,
        status_message: "",
        start_time: UnixNanos(START),
        end_time: UnixNanos(START + 2_000_000_000),
        attributes,
        buffer: None,
        events,
    }
}

/// Values that clients should not send, and some that they do.
fn any_value() -> impl Strategy<Value = Value<'static>> {
    let texts = prop::sample::select(vec![
        "",
        "\"",
        "\"\"",
        "{",
        "[",
        "{}",
        "[]",
        "{'",
        "{'a': \"",
        "[null]",
        r#"{"input": -1}"#,
        r#"{"input": 1e99}"#,
        "NaN",
        "-0",
        "1e400",
        "99999999999999999999",
        "FinishReason.",
        "<class '",
        "<class ''>",
        "2026-11-25T17:30:00.\u{e4}Z",
        "+",
        "$",
        "generation",
        "LLM",
        "chat",
        "openai",
        "anthropic.",
        "api_request",
        "a/b",
        "us.",
        "auto",
        "True",
        r#"{"usage": {"input_tokens": 9223372036854775807}}"#,
        r#"{"anthropic": {"usage": []}}"#,
    ]);
    let leaf = prop_oneof![
        Just(Value::Empty),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        any::<f64>().prop_map(Value::Double),
        prop::sample::select(vec![f64::NAN, f64::INFINITY, -0.0, 9.3e18, f64::MAX]).prop_map(Value::Double),
        texts.prop_map(Value::from),
        "\\PC{0,30}".prop_map(Value::from),
        prop::collection::vec(any::<u8>(), 0..9).prop_map(|bytes| Value::Bytes(bytes.into())),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        let map = prop::collection::vec((any_key(), inner.clone()), 0..6).prop_map(|entries| {
            let entry = |(key, value): (String, _)| Attribute { key: key.into(), value };
            Value::Map(entries.into_iter().map(entry).collect())
        });
        prop_oneof![prop::collection::vec(inner, 0..6).prop_map(Value::Array), map]
    })
}

fn any_key() -> impl Strategy<Value = String> {
    let inner =
        ["usage", "input", "input_tokens", "output", "total", "name", "model", "finish_reason", "cache_read"];
    let open = [
        "langsmith.metadata.x",
        "llm.input_messages.0.",
        "mlflow.traceTag.t",
        "mlflow.traceTag.",
        "ai.prompt",
    ];
    prop_oneof![
        8 => prop::sample::select(crate::slots::all_keys()).prop_map(str::to_owned),
        2 => prop::sample::select(inner.to_vec()).prop_map(str::to_owned),
        2 => prop::sample::select(open.to_vec()).prop_map(str::to_owned),
        1 => "\\PC{0,20}",
    ]
}

fn any_attributes() -> impl Strategy<Value = Vec<Attribute<'static>>> {
    let attribute = (any_key(), any_value()).prop_map(|(key, value)| Attribute { key: key.into(), value });
    prop::collection::vec(attribute, 0..24)
}

const SCOPES: &[&str] = &[
    "",
    "ai",
    "gen_ai",
    "langfuse-sdk",
    "pydantic-ai",
    "logfire.openai",
    "gcp.vertex.agent",
    "strands.telemetry.tracer",
    "agent_framework",
    "semantic_kernel.x",
    "litellm",
    "langsmith",
    "openlit.x",
    "com.anthropic.claude_code.events",
    "codex_x",
    "openinference.instrumentation.bedrock",
    "@traceloop/instrumentation-anthropic",
    "opentelemetry.instrumentation.bedrock",
];

const NAMES: &[&str] = &[
    "",
    "chat",
    "call_llm",
    "execute_tool ",
    "claude_code.",
    "claude_code.tool",
    "gemini_cli.api_response",
    "codex.sse_event",
    "litellm_request",
    "gen_ai.choice",
    "exception",
    "gen_ai.client.inference.operation.details",
    "agent run",
    "\u{e4}",
];

/// What holds for every reading.
fn check(reading: &LlmReading) -> Result<(), TestCaseError> {
    let usage = reading.usage;
    let part = |count: Option<i64>| count.unwrap_or(0);
    if let Some(input) = usage.input {
        prop_assert!(part(usage.cache_read) + part(usage.cache_creation) <= input);
    }
    if let Some(output) = usage.output {
        prop_assert!(part(usage.reasoning) <= output);
    }
    prop_assert!(!reading.is_call || reading.kind.calls_a_model());
    prop_assert!(reading.time_to_first_token.is_none_or(|nanos| nanos >= 0));
    prop_assert!(reading.reported_cost.is_none_or(|cost| cost.0 >= 0));
    prop_assert!(reading.tags.is_sorted() && reading.metadata.is_sorted_by_key(|entry| entry.key.clone()));
    for text in [&reading.request_model, &reading.session_id, &reading.user_id, &reading.tool_name] {
        let fits = |text: &str| !text.is_empty() && text.len() <= 600;
        prop_assert!(text.as_deref().is_none_or(fits));
    }
    Ok(())
}

proptest! {
    #[test]
    fn whatever_is_sent_is_read_or_not(
        attributes in any_attributes(),
        of_event in any_attributes(),
        body in any_value(),
        scope in prop::sample::select(SCOPES),
        name in prop::sample::select(NAMES),
        event_name in prop::sample::select(NAMES),
        times in prop::array::uniform3(any::<u64>()),
        status in prop::option::of(0..4_i32),
    ) {
        let [start, end, time] = times.map(UnixNanos);
        let events = [Event { name: event_name, time, attributes: &of_event, body: Some(&body) }];
        let scope = Scope { name: scope, version: "" };
        let span = SpanObservation {
            scope,
            status: status.map(StatusCode),
            status_message: name,
            start_time: start,
            end_time: end,
            ..observed(name, None, &attributes, &events)
        };
        let log = LogObservation { scope, event_name, attributes: &attributes, body: &body, is_in_span: status.is_some() };
        for reading in [Observation::Span(span), Observation::Log(log)].iter().filter_map(crate::read) {
            check(&reading)?;
        }
        let _ = crate::is_llm_event(event_name, &attributes);
    }
}

#[test]
fn a_huge_prompt_and_thousands_of_tool_calls_cost_no_reading() {
    let mut attributes = vec![
        Attribute::new("gen_ai.operation.name", "chat"),
        Attribute::new("gen_ai.request.model", "gpt-4o"),
        Attribute::new("gen_ai.usage.input_tokens", 5),
        Attribute::new("gen_ai.input.messages", format!("[{}", "x".repeat(10_000_000))),
        Attribute::new("gen_ai.output.messages", "{".repeat(10_000_000)),
        Attribute::new("metadata", format!("{{\"a\": \"{}\"}}", "x".repeat(10_000_000))),
    ];
    for number in 0..5_000 {
        attributes.push(Attribute::new(format!("gen_ai.completion.0.tool_calls.{number}.name"), "add"));
    }
    let reading = span("", "chat gpt-4o", &attributes).unwrap();
    assert_eq!((reading.usage.input, reading.request_model.as_deref()), (Some(5), Some("gpt-4o")));
    assert_eq!(reading.metadata, []);
}
