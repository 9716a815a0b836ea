//! What it costs to read a span: of another library, and of LLM instrumentations. The same for log records. Figures are in ARCHITECTURE.md.
//!
//! `cargo bench -p llm-observatory-genai`.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use llm_observatory_core::attributes::{Attribute, Value};
use llm_observatory_core::time::UnixNanos;
use llm_observatory_core::trace::SpanKind;
use llm_observatory_genai::{LogObservation, Observation, Scope, SpanObservation, log_call, read};

fn observation<'a>(scope: &'a str, name: &'a str, attributes: &'a [Attribute<'a>]) -> Observation<'a> {
    Observation::Span(SpanObservation {
        scope: Scope { name: scope, version: "1.0.0" },
        name,
        kind: SpanKind::CLIENT,
        status: None,
        status_message: "",
        start_time: UnixNanos(1_700_000_000_000_000_000),
        end_time: UnixNanos(1_700_000_001_000_000_000),
        attributes,
        buffer: None,
        events: &[],
    })
}

fn http() -> Vec<Attribute<'static>> {
    vec![
        Attribute::new("http.request.method", "POST"),
        Attribute::new("http.response.status_code", 200),
        Attribute::new("http.route", "/v1/orders/{id}"),
        Attribute::new("url.full", "https://shop.example/v1/orders/17"),
        Attribute::new("server.address", "shop.example"),
        Attribute::new("server.port", 443),
        Attribute::new("network.protocol.version", "1.1"),
        Attribute::new("user_agent.original", "curl/8.5"),
        Attribute::new("db.system.name", "postgresql"),
        Attribute::new("db.query.text", "SELECT * FROM orders WHERE id = $1"),
    ]
}

fn otel() -> Vec<Attribute<'static>> {
    vec![
        Attribute::new("gen_ai.operation.name", "chat"),
        Attribute::new("gen_ai.provider.name", "openai"),
        Attribute::new("gen_ai.request.model", "gpt-4o"),
        Attribute::new("gen_ai.request.temperature", 0.2),
        Attribute::new("gen_ai.request.max_tokens", 500),
        Attribute::new("gen_ai.response.id", "chatcmpl-0123456789"),
        Attribute::new("gen_ai.response.model", "gpt-4o-2024-08-06"),
        Attribute::new("gen_ai.response.finish_reasons", vec![Value::from("stop")]),
        Attribute::new("gen_ai.usage.input_tokens", 812),
        Attribute::new("gen_ai.usage.output_tokens", 93),
        Attribute::new("gen_ai.usage.cache_read.input_tokens", 512),
        Attribute::new("gen_ai.conversation.id", "conv-17"),
        Attribute::new("gen_ai.input.messages", "[{\"role\":\"user\",\"parts\":[]}]"),
        Attribute::new("server.address", "api.openai.com"),
        Attribute::new("server.port", 443),
    ]
}

fn openinference() -> Vec<Attribute<'static>> {
    let mut attributes = vec![
        Attribute::new("openinference.span.kind", "LLM"),
        Attribute::new("llm.provider", "openai"),
        Attribute::new("llm.system", "openai"),
        Attribute::new("llm.model_name", "gpt-4o-2024-08-06"),
        Attribute::new("llm.invocation_parameters", r#"{"model": "gpt-4o", "temperature": 0.2}"#),
        Attribute::new("llm.token_count.prompt", 812),
        Attribute::new("llm.token_count.completion", 93),
        Attribute::new("llm.token_count.total", 905),
        Attribute::new("llm.token_count.prompt_details.cache_read", 512),
        Attribute::new("input.value", "{}"),
        Attribute::new("output.value", "{}"),
        Attribute::new("session.id", "s-17"),
        Attribute::new("user.id", "u-17"),
    ];
    for number in 0..8 {
        attributes.push(Attribute::new(format!("llm.input_messages.{number}.message.role"), "user"));
        attributes.push(Attribute::new(format!("llm.input_messages.{number}.message.content"), "hello"));
    }
    attributes
}

fn reading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read");
    let spans = [
        ("http", "opentelemetry.instrumentation.requests", http()),
        ("otel_genai", "opentelemetry.instrumentation.openai_v2", otel()),
        ("openinference", "openinference.instrumentation.openai", openinference()),
    ];
    for (name, scope, attributes) in &spans {
        let observation = observation(scope, "chat gpt-4o", attributes);
        group.bench_function(*name, |bencher| bencher.iter(|| read(black_box(&observation))));
    }
    group.finish();
}

fn claude_code() -> Vec<Attribute<'static>> {
    vec![
        Attribute::new("event.name", "api_request"),
        Attribute::new("session.id", "8dfdfbc0-598d-4ca4-b466-714e665cc14e"),
        Attribute::new("prompt.id", "5fec5d7a-585b-4c3b-b441-14971f9a577d"),
        Attribute::new("model", "claude-haiku-4-5-20251001"),
        Attribute::new("input_tokens", 355),
        Attribute::new("output_tokens", 135),
        Attribute::new("cache_read_tokens", 0),
        Attribute::new("cost_usd", 0.00103),
        Attribute::new("duration_ms", 68),
    ]
}

fn logs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("log_call");
    let (http, claude_code) = (http(), claude_code());
    let cases = [
        ("http", "shop", &http, Value::from("order 17 was paid")),
        ("claude_code", "com.anthropic.claude_code.events", &claude_code, "claude_code.api_request".into()),
    ];
    for (name, scope, attributes, body) in &cases {
        let log = LogObservation {
            scope: Scope { name: scope, version: "1.0.0" },
            event_name: "",
            attributes,
            body,
            is_in_span: false,
        };
        group.bench_function(*name, |bencher| bencher.iter(|| log_call(black_box(&log))));
    }
    group.finish();
}

criterion_group!(benches, reading, logs);
criterion_main!(benches);
