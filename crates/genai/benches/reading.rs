//! What it costs to read a span: of another library, and of LLM instrumentations. Figures are in ARCHITECTURE.md.
//!
//! `cargo bench -p llm-observatory-genai`.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use llm_observatory_core::attributes::{Attribute, Value};
use llm_observatory_core::time::UnixNanos;
use llm_observatory_core::trace::SpanKind;
use llm_observatory_genai::{Observation, Scope, SpanObservation, read};

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

criterion_group!(benches, reading);
criterion_main!(benches);
