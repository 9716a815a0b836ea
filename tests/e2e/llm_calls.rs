//! LLM calls as two instrumentations export them, for the tests of what is asked about them.

use harness::telemetry::{SECOND, attribute, now, span, text};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::span::Event;
use opentelemetry_proto::tonic::trace::v1::{Span, Status};

/// Ids of the spans.
pub(crate) const CHAT: u64 = 1;
pub(crate) const AGENT: u64 = 2;
pub(crate) const CLAUDE: u64 = 3;
pub(crate) const TOOL: u64 = 4;
pub(crate) const UNKNOWN: u64 = 5;
pub(crate) const SILENT: u64 = 6;
pub(crate) const PLAIN: u64 = 7;

fn count(key: &str, count: i64) -> KeyValue {
    attribute(key, Value::IntValue(count))
}

fn list(key: &str, texts: &[&str]) -> KeyValue {
    let value = |text: &&str| AnyValue { value: Some(Value::StringValue((*text).to_owned())) };
    attribute(key, Value::ArrayValue(ArrayValue { values: texts.iter().map(value).collect() }))
}

/// A span so many seconds after the first one, that took so many milliseconds.
fn at(trace: u128, id: u64, begin: u64, seconds: u64, lasts: u64, attributes: Vec<KeyValue>) -> Span {
    let start = begin + seconds * SECOND;
    Span {
        start_time_unix_nano: start,
        end_time_unix_nano: start + lasts * SECOND / 1_000,
        attributes,
        ..span(trace, id)
    }
}

/// The spans of three traces that began five minutes ago: those of OpenTelemetry's conventions first.
pub(crate) fn spans() -> (Vec<Span>, Vec<Span>) {
    let begin = now() / 1_000 * 1_000 - 300 * SECOND;
    (opentelemetry(begin), openinference(begin))
}

/// A call of GPT-4o, one of a model that nobody knows, one that told no tokens, and a span that is no LLM span.
fn opentelemetry(begin: u64) -> Vec<Span> {
    let asked = r#"[{"role":"user","parts":[{"type":"text","content":"Name a colour."}]}]"#;
    let answered =
        r#"[{"role":"assistant","parts":[{"type":"text","content":"Blue."}],"finish_reason":"stop"}]"#;
    let call = |model: &str| {
        vec![
            text("gen_ai.operation.name", "chat"),
            text("gen_ai.provider.name", "openai"),
            text("gen_ai.request.model", model),
        ]
    };
    let mut chat = call("gpt-4o");
    chat.extend([
        text("gen_ai.response.model", "gpt-4o-2024-08-06"),
        count("gen_ai.usage.input_tokens", 1_000),
        count("gen_ai.usage.output_tokens", 100),
        count("gen_ai.usage.cache_read.input_tokens", 400),
        list("gen_ai.response.finish_reasons", &["stop"]),
        attribute("gen_ai.request.temperature", Value::DoubleValue(0.5)),
        text("gen_ai.input.messages", asked),
        text("gen_ai.output.messages", answered),
        text("gen_ai.conversation.id", "talk-1"),
        text("team", "colours"),
    ]);
    let event = Event { name: "first.token".to_owned(), time_unix_nano: begin, ..Event::default() };
    let mut unknown = call("orca-77");
    unknown.extend([count("gen_ai.usage.input_tokens", 10), count("gen_ai.usage.output_tokens", 5)]);
    vec![
        Span { events: vec![event], ..at(1, CHAT, begin, 0, 800, chat) },
        at(3, UNKNOWN, begin, 40, 50, unknown),
        at(3, SILENT, begin, 50, 60, call("gpt-4o")),
        at(3, PLAIN, begin, 60, 70, vec![text("http.route", "/ask")]),
    ]
}

/// An agent that calls Claude, which calls a tool that fails.
fn openinference(begin: u64) -> Vec<Span> {
    let agent = vec![
        text("openinference.span.kind", "AGENT"),
        text("agent.name", "forecaster"),
        text("input.value", "Will it rain?"),
    ];
    let claude = vec![
        text("openinference.span.kind", "LLM"),
        text("llm.provider", "anthropic"),
        text("llm.system", "anthropic"),
        text("llm.model_name", "claude-sonnet-4-5"),
        count("llm.token_count.prompt", 2_000),
        count("llm.token_count.completion", 300),
        text("llm.input_messages.0.message.role", "user"),
        text("llm.input_messages.0.message.content", "Will it rain?"),
        text("llm.output_messages.0.message.role", "assistant"),
        text("llm.output_messages.0.message.tool_calls.0.tool_call.id", "call_9"),
        text("llm.output_messages.0.message.tool_calls.0.tool_call.function.name", "get_weather"),
        text(
            "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments",
            r#"{"city":"Paris"}"#,
        ),
        text("session.id", "s-1"),
        text("user.id", "ada"),
        list("tag.tags", &["weather", "beta"]),
        text("metadata", r#"{"ticket":"T-5"}"#),
        text("llm.prompt_template.template", "Will it {what}?"),
    ];
    let tool = vec![
        text("openinference.span.kind", "TOOL"),
        text("tool.name", "get_weather"),
        text("input.value", r#"{"city":"Paris"}"#),
        text("output.value", r#"{"error":"no such city"}"#),
    ];
    let child = |span: Span| Span { parent_span_id: AGENT.to_be_bytes().to_vec(), ..span };
    let failed = Some(Status { code: 2, message: "no such city".to_owned() });
    vec![
        at(2, AGENT, begin, 10, 9_000, agent),
        child(at(2, CLAUDE, begin, 20, 2_500, claude)),
        Span { status: failed, ..child(at(2, TOOL, begin, 30, 5, tool)) },
    ]
}
