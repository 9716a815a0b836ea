//! The operations that a trace's spans are about, by the semantic conventions for HTTP, databases, code and generative AI.

use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use rand::Rng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use crate::conversation::word;
use crate::span::{Attributes, Event, SERVICES, SpanId};
use crate::trace::Trace;

const MODELS: [(&str, &str, &str, &str); 4] = [
    ("openai", "gpt-4o", "gpt-4o-2024-08-06", "api.openai.com"),
    ("openai", "gpt-4o-mini", "gpt-4o-mini-2024-07-18", "api.openai.com"),
    ("anthropic", "claude-sonnet-4-5", "claude-sonnet-4-5-20250929", "api.anthropic.com"),
    (
        "aws.bedrock",
        "amazon.nova-pro-v1:0",
        "amazon.nova-pro-v1:0",
        "bedrock-runtime.eu-west-1.amazonaws.com",
    ),
];
const ROUTES: [&str; 5] = [
    "/v1/chat",
    "/v1/tickets/{id}",
    "/v1/search",
    "/v1/invoices/{id}/lines",
    "/v1/conversations/{id}/messages",
];
const TABLES: [&str; 5] = ["tickets", "customers", "invoices", "documents", "conversations"];
const STEPS: [&str; 4] = ["plan", "rank", "render", "validate"];

macro_rules! attributes {
    ($($key:literal: $value:expr),* $(,)?) => { vec![$(($key, json!($value))),*] };
}

impl Trace<'_> {
    pub(crate) fn server(&mut self, service: usize, parent: Option<SpanId>) -> SpanId {
        let rng = &mut *self.rng;
        let route = pick(rng, &ROUTES);
        let path = route.replace("{id}", &rng.random_range(1..1_000_000).to_string());
        let attributes = attributes! {
            "http.request.method": "POST",
            "http.response.status_code": 200,
            "http.route": route,
            "url.path": path,
            "url.scheme": "https",
            "server.address": format!("{}.internal.example.com", SERVICES[service]),
            "server.port": 8443,
            "client.address": format!("10.12.{}.{}", rng.random::<u8>(), rng.random::<u8>()),
            "network.protocol.version": "1.1",
            "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/129.0.0.0",
            "user.id": format!("user-{:07}", rng.random_range(0..50_000)),
            "session.id": format!("{:032x}", rng.random::<u128>()),
        };
        let what = ("opentelemetry.instrumentation.asgi", SpanKind::Server, format!("POST {route}"));
        self.push((service, parent), what, 100_000..1_000_000, attributes).span_id
    }

    pub(crate) fn http(&mut self, service: usize, parent: SpanId, host: &str) -> SpanId {
        let rng = &mut *self.rng;
        let path = format!("{}/{}", pick(rng, &TABLES), rng.random::<u32>());
        let attributes = attributes! {
            "http.request.method": "POST",
            "http.response.status_code": 200,
            "url.full": format!("https://{host}/v1/{path}?lang=en&page={}", rng.random_range(1..9)),
            "server.address": host,
            "server.port": 443,
            "network.peer.address": format!("10.40.{}.{}", rng.random::<u8>(), rng.random::<u8>()),
            "network.peer.port": 443,
            "network.protocol.name": "http",
            "network.protocol.version": "2",
            "http.request.body.size": rng.random_range(80..9_000),
            "http.response.body.size": rng.random_range(80..90_000),
        };
        let what = ("opentelemetry.instrumentation.httpx", SpanKind::Client, "POST".to_owned());
        self.push((service, Some(parent)), what, 2_000_000..80_000_000, attributes).span_id
    }

    pub(crate) fn query(&mut self, service: usize, parent: SpanId) {
        let rng = &mut *self.rng;
        let table = pick(rng, &TABLES);
        let columns: Vec<_> =
            (0..rng.random_range(2..9)).map(|n| format!("t.{}_{n}", TABLES[n % 5])).collect();
        let text = format!(
            "SELECT t.id, {} FROM {table} AS t JOIN customers AS c ON c.id = t.customer_id \
             WHERE t.tenant_id = $1 AND t.created_at >= $2 ORDER BY t.created_at DESC LIMIT {}",
            columns.join(", "),
            rng.random_range(10..500)
        );
        let attributes = attributes! {
            "db.system.name": "postgresql",
            "db.namespace": "app|public",
            "db.operation.name": "SELECT",
            "db.collection.name": table,
            "db.query.summary": format!("SELECT {table} customers"),
            "db.query.text": text,
            "db.response.returned_rows": rng.random_range(0..500),
            "server.address": "pg-primary.internal.example.com",
            "server.port": 5432,
            "network.peer.address": "10.20.0.17",
        };
        let what = ("opentelemetry.instrumentation.psycopg", SpanKind::Client, format!("SELECT {table}"));
        self.push((service, Some(parent)), what, 300_000..30_000_000, attributes);
    }

    pub(crate) fn cache(&mut self, service: usize, parent: SpanId) {
        let rng = &mut *self.rng;
        let key = format!("session:{:016x}:profile", rng.random::<u64>());
        let attributes = attributes! {
            "db.system.name": "redis",
            "db.namespace": "0",
            "db.operation.name": "HGETALL",
            "db.query.text": format!("HGETALL {key}"),
            "db.redis.args_length": 2,
            "cache.key": key,
            "cache.hit": rng.random_ratio(7, 10),
            "server.address": "redis-0.redis.internal.example.com",
            "server.port": 6379,
            "network.peer.address": "10.20.0.31",
        };
        let what = ("opentelemetry.instrumentation.redis", SpanKind::Client, "HGETALL".to_owned());
        self.push((service, Some(parent)), what, 100_000..2_000_000, attributes);
    }

    pub(crate) fn step(&mut self, service: usize, parent: SpanId) {
        let rng = &mut *self.rng;
        let step = pick(rng, &STEPS);
        let attributes = attributes! {
            "code.function.name": format!("app.workflow.{step}.run"),
            "code.file.path": format!("/srv/app/workflow/{step}.py"),
            "code.line.number": rng.random_range(10..400),
            "thread.id": rng.random_range(1..64),
            "thread.name": "asyncio_0",
            "workflow.step": step,
            "workflow.score": rng.random::<f64>(),
            "workflow.retry": false,
            "workflow.candidates": [word(rng), word(rng), word(rng)],
            "app.tenant": format!("tenant-{:04}", rng.random_range(0..400)),
        };
        let what = ("app.workflow", SpanKind::Internal, format!("workflow {step}"));
        let span = self.push((service, Some(parent)), what, 200_000..9_000_000, attributes);
        let (time, attributes) = (span.start, attributes! { "workflow.step": step });
        span.events.push(Event { time, name: "step.started", attributes });
    }

    /// A model's answer to the conversation so far.
    pub(crate) fn chat(&mut self, service: usize, parent: SpanId) {
        let rng = &mut *self.rng;
        let (provider, model, answered_by, host) = pick(rng, &MODELS);
        let turn = self.conversation.turn(rng);
        let mut attributes: Attributes = attributes! {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": provider,
            "gen_ai.request.model": model,
            "gen_ai.request.temperature": 0.2,
            "gen_ai.response.model": answered_by,
            "gen_ai.response.id": format!("chatcmpl-{:024x}", rng.random::<u128>() >> 32),
            "gen_ai.response.finish_reasons": ["stop"],
            // Four bytes a token is what English text comes to.
            "gen_ai.usage.input_tokens": turn.input.len() / 4,
            "gen_ai.usage.output_tokens": turn.output.len() / 4,
            "gen_ai.conversation.id": self.conversation.id,
            "server.address": host,
        };
        attributes.push(("gen_ai.input.messages", Value::String(turn.input)));
        attributes.push(("gen_ai.output.messages", Value::String(turn.output)));
        let streamed = rng.random_ratio(1, 5);
        let what = ("opentelemetry.instrumentation.genai", SpanKind::Client, format!("chat {model}"));
        let span = self.push((service, Some(parent)), what, 300_000_000..900_000_000, attributes);
        if streamed {
            let time = span.start + (span.end - span.start) / 4;
            let attributes = attributes! { "gen_ai.response.chunk.index": 0 };
            span.events.push(Event { time, name: "gen_ai.first_token", attributes });
        }
    }
}

fn pick<T: Copy, const N: usize>(rng: &mut StdRng, from: &[T; N]) -> T {
    from[rng.random_range(0..N)]
}
