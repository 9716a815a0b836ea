//! LLM spans that no instrumentation should send: they are stored whole and have a clear reading, and nobody gets an error.

use std::time::Instant;

use harness::daemon::Options;
use harness::otlp::normalise;
use harness::telemetry::{attribute, span, text, trace_id};
use harness::{Daemon, TestDatabase, eventually};
use llm_observatory_proto::v1::llm_part::Part;
use llm_observatory_proto::v1::llm_service_client::LlmServiceClient;
use llm_observatory_proto::v1::{
    ExplainCostRequest, ExplainCostResponse, GetLlmSpanRequest, GetLlmSpanResponse, ListLlmSpansRequest,
};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use tokio_postgres::Client;
use tonic::transport::Channel;

use crate::client::{Exporter, Reader, connect};
use crate::database::{count, number};

/// Larger than any answer here.
const LARGE: usize = 128 * 1024 * 1024;

struct World {
    exporter: Exporter,
    reader: Reader,
    llm: LlmServiceClient<Channel>,
    client: Client,
    daemon: Daemon,
    _database: TestDatabase,
}

impl World {
    async fn new() -> Self {
        let database = TestDatabase::new().await;
        let daemon = Options::on(database.url()).start();
        let llm = LlmServiceClient::new(connect(daemon.query()).await);
        Self {
            exporter: Exporter::to(&daemon).await,
            reader: Reader::of(&daemon).await.large(),
            llm: llm.max_decoding_message_size(LARGE),
            client: database.client().await,
            daemon,
            _database: database,
        }
    }

    /// Sends spans of one trace, and asserts that they come back as they were sent.
    async fn send(&self, spans: Vec<Span>) {
        let id = spans[0].trace_id.clone();
        let request = harness::telemetry::spans("shop", spans);
        let sent = normalise::spans(&request.resource_spans);
        let partial = self.exporter.spans(request).await.unwrap();
        assert!(
            partial.is_none_or(|partial| partial.rejected_spans == 0 && partial.error_message.is_empty())
        );
        let received = self.reader.trace(&id).await.unwrap().concat();
        assert!(sent == normalise::spans(&received), "the trace is not what was sent");
    }

    async fn llm_span(&self, trace: u128, span: u64) -> GetLlmSpanResponse {
        let request = GetLlmSpanRequest {
            trace_id: hex::encode(trace_id(trace)),
            span_id: hex::encode(span.to_be_bytes()),
            max_value_bytes: 0,
        };
        self.llm.clone().get_llm_span(request).await.unwrap().into_inner()
    }

    async fn cost(&self, trace: u128, span: u64) -> ExplainCostResponse {
        let (trace_id, span_id) = (hex::encode(trace_id(trace)), hex::encode(span.to_be_bytes()));
        self.llm.clone().explain_cost(ExplainCostRequest { trace_id, span_id }).await.unwrap().into_inner()
    }

    /// Sends one span with these attributes, and asks for it in every way that there is.
    async fn read(&self, trace: u128, attributes: Vec<KeyValue>) -> GetLlmSpanResponse {
        self.send(vec![Span { attributes, ..span(trace, 1) }]).await;
        self.cost(trace, 1).await;
        let of_trace =
            ListLlmSpansRequest { trace_id: hex::encode(trace_id(trace)), ..ListLlmSpansRequest::default() };
        let listed = self.llm.clone().list_llm_spans(of_trace).await.unwrap().into_inner().spans;
        let answer = self.llm_span(trace, 1).await;
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0].reading, answer.span.as_ref().unwrap().reading);
        answer
    }
}

/// A call to a model whose price is known, and what else is told of it.
fn call(others: Vec<KeyValue>) -> Vec<KeyValue> {
    let mut attributes = vec![
        text("gen_ai.operation.name", "chat"),
        text("gen_ai.provider.name", "openai"),
        text("gen_ai.request.model", "gpt-4o-mini"),
    ];
    attributes.extend(others);
    attributes
}

fn int(key: &str, value: i64) -> KeyValue {
    attribute(key, Value::IntValue(value))
}

fn double(key: &str, value: f64) -> KeyValue {
    attribute(key, Value::DoubleValue(value))
}

fn texts<'a>(parts: impl IntoIterator<Item = &'a llm_observatory_proto::v1::LlmPart>) -> Vec<&'a str> {
    let text = |part: &'a llm_observatory_proto::v1::LlmPart| match &part.part {
        Some(Part::Text(text)) => Some(&**text),
        _ => None,
    };
    parts.into_iter().filter_map(text).collect()
}

#[tokio::test]
async fn an_unknown_model_has_no_cost_and_a_reason() {
    let world = World::new().await;
    let tokens = || vec![int("gen_ai.usage.input_tokens", 10), int("gen_ai.usage.output_tokens", 5)];
    for (trace, model) in
        (1..).zip(["my-own-model-7b", "", "gpt-4o-mini ", "💸", "../../etc/passwd", "'; DROP TABLE logs;--"])
    {
        let mut attributes = vec![text("gen_ai.operation.name", "chat"), text("gen_ai.request.model", model)];
        attributes.extend(tokens());
        let billing = world.read(trace, attributes).await.span.unwrap().billing.unwrap();
        assert!(billing.billable && !billing.usage_missing, "{model}");
        let cost = world.cost(trace, 1).await;
        // A name with a space behind it may be known or not; but what is stored is what is explained.
        assert_eq!(billing.cost.is_some(), cost.stored.is_some(), "{model}");
        assert!(cost.is_current && (billing.cost.is_some() || !cost.explanation.is_empty()), "{model}");
    }
    let cost = world.cost(1, 1).await;
    assert_eq!((cost.stored, cost.current, &*cost.reason), (None, None, "no_price"));
    assert!(cost.explanation.contains("my-own-model-7b"), "{}", cost.explanation);
}

#[tokio::test]
async fn counts_of_any_type_and_size_are_read_or_null() {
    let world = World::new().await;
    let array = attribute("gen_ai.usage.input_tokens", Value::ArrayValue(ArrayValue::default()));
    // What is told, the count that is read, and why there is no cost; any reason will do where it is empty.
    let cases = [
        (text("gen_ai.usage.input_tokens", "1000"), Some(1000), None),
        (double("gen_ai.usage.input_tokens", 1000.0), Some(1000), None),
        (int("gen_ai.usage.input_tokens", 0), Some(0), None),
        (text("gen_ai.usage.input_tokens", "many"), None, Some("no_usage")),
        (text("gen_ai.usage.input_tokens", ""), None, Some("no_usage")),
        (double("gen_ai.usage.input_tokens", f64::NAN), None, Some("no_usage")),
        (double("gen_ai.usage.input_tokens", f64::INFINITY), None, Some("no_usage")),
        (double("gen_ai.usage.input_tokens", 1e300), None, Some("no_usage")),
        (array, None, Some("no_usage")),
        (attribute("gen_ai.usage.input_tokens", Value::BoolValue(true)), None, Some("no_usage")),
        (int("gen_ai.usage.input_tokens", i64::MAX), None, Some("no_usage")),
        (int("gen_ai.usage.input_tokens", -5), None, Some("")),
        (int("gen_ai.usage.input_tokens", i64::MIN), None, Some("")),
    ];
    for (trace, (told, expected, reason)) in (1..).zip(cases) {
        let shown = format!("{told:?}");
        let span = world.read(trace, call(vec![told])).await.span.unwrap();
        let (usage, billing) = (span.reading.unwrap().usage.unwrap_or_default(), span.billing.unwrap());
        // Below zero may be shown as it was told: it is never counted, see the cost.
        assert!(usage.input == expected || usage.input.is_some_and(|count| count < 0), "{shown}: {usage:?}");
        assert_eq!(billing.usage_missing, usage.input.is_none(), "{shown}");
        let cost = world.cost(trace, 1).await;
        match reason {
            None => assert!(billing.cost.is_some(), "{shown}: {}", cost.explanation),
            Some(reason) => {
                assert!(billing.cost.is_none(), "{shown}: {:?}", billing.cost);
                assert!(reason.is_empty() || cost.reason == reason, "{shown}: {}", cost.reason);
                assert!(!cost.explanation.is_empty(), "{shown}");
            }
        }
    }
}

#[tokio::test]
async fn messages_that_are_no_json_are_shown_as_they_are() {
    let world = World::new().await;
    let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    let broken = [
        r#"[{"role":"user","parts":[{"type":"text","content":"hi"}]"#,
        r#"{"role":"user""#,
        "not JSON at all \u{0} \u{fffd}",
        &deep,
    ];
    for (trace, broken) in (1..).zip(broken) {
        let answer = world.read(trace, call(vec![text("gen_ai.input.messages", broken)])).await;
        let content = answer.content.unwrap();
        assert_eq!(texts(content.input.iter().flat_map(|message| &message.parts)), [broken]);
    }
    // JSON, but not what a message should be.
    for (trace, strange) in
        (100..).zip(["null", "17", "[]", "[[]]", "[null]", r#"[{"parts":7}]"#, r#"[{"role":{}}]"#])
    {
        world.read(trace, call(vec![text("gen_ai.input.messages", strange)])).await;
    }
}

#[tokio::test]
async fn a_prompt_of_10_mb_comes_back_whole() {
    let world = World::new().await;
    let prompt = "All work and no play makes Jack a dull boy.\n".repeat(240_000);
    let messages = format!(
        r#"[{{"role":"user","parts":[{{"type":"text","content":{}}}]}}]"#,
        serde_json::Value::from(&*prompt)
    );
    assert!(messages.len() > 10_000_000);
    let answer = world.read(1, call(vec![text("gen_ai.input.messages", &messages)])).await;
    let content = answer.content.unwrap();
    assert!(texts(content.input.iter().flat_map(|message| &message.parts)) == [prompt]);

    let mut request = GetLlmSpanRequest {
        trace_id: hex::encode(trace_id(1)),
        span_id: hex::encode(1_u64.to_be_bytes()),
        max_value_bytes: 10,
    };
    let cut = world.llm.clone().get_llm_span(request.clone()).await.unwrap().into_inner().content.unwrap();
    let shown = texts(cut.input.iter().flat_map(|message| &message.parts)).concat();
    assert_eq!(shown, "All work a<cut: 10560000 bytes>");
    // A client that takes no more than it does by default gets an answer that it can read, too.
    request.max_value_bytes = 1_000;
    LlmServiceClient::new(connect(world.daemon.query()).await).get_llm_span(request).await.unwrap();
}

#[tokio::test]
async fn five_thousand_tool_calls_are_all_there() {
    const CALLS: usize = 5_000;
    let world = World::new().await;
    let indexed = (0..CALLS).rev().flat_map(|n| {
        let key = |field| format!("gen_ai.completion.0.tool_calls.{n}.{field}");
        let arguments = format!("{{\"n\":{n}}}");
        [text(&key("id"), &format!("c{n}")), text(&key("name"), "f"), text(&key("arguments"), &arguments)]
    });
    let parts: Vec<_> = (0..CALLS)
        .map(|n| format!(r#"{{"type":"tool_call","id":"c{n}","name":"f","arguments":{{"n":{n}}}}}"#))
        .collect();
    let messages = format!(r#"[{{"role":"assistant","parts":[{}]}}]"#, parts.join(","));
    let ways = [call(indexed.collect()), call(vec![text("gen_ai.output.messages", &messages)])];
    for (trace, attributes) in (1..).zip(ways) {
        let content = world.read(trace, attributes).await.content.unwrap();
        let parts = content.output.iter().flat_map(|message| &message.parts);
        let ids: Vec<_> = parts
            .filter_map(|part| match &part.part {
                Some(Part::ToolCall(call)) => call.id.clone(),
                _ => None,
            })
            .collect();
        assert_eq!(ids, (0..CALLS).map(|n| format!("c{n}")).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn ten_thousand_tags_and_twenty_thousand_attributes_are_kept() {
    let world = World::new().await;
    let tag = |n: usize| AnyValue { value: Some(Value::StringValue(format!("tag {n:05}"))) };
    let tags = ArrayValue { values: (0..10_000).rev().map(tag).collect() };
    let attributes = vec![
        text("openinference.span.kind", "LLM"),
        text("llm.model_name", "gpt-4o-mini"),
        attribute("tag.tags", Value::ArrayValue(tags)),
    ];
    let reading = world.read(1, attributes).await.span.unwrap().reading.unwrap();
    // Of so many the reading has some; GetTrace gave all of them back.
    assert!(reading.tags.is_sorted() && reading.tags.len() >= 10, "{} tags", reading.tags.len());
    assert!(reading.tags.iter().all(|tag| tag.starts_with("tag ")));

    let others = (0..20_000).map(|n| text(&format!("custom.{n}"), "x")).collect();
    let answer = world.read(2, call(others)).await;
    assert_eq!(answer.attributes.len(), 20_000, "those that no dialect gives a meaning");
    assert_eq!(answer.span.unwrap().reading.unwrap().request_model, "gpt-4o-mini");
}

#[tokio::test]
async fn parents_in_a_circle_are_billed_once() {
    let world = World::new().await;
    let tokens = call(vec![int("gen_ai.usage.input_tokens", 7)]);
    let below = |id: u64, parent: u64| Span {
        parent_span_id: parent.to_be_bytes().to_vec(),
        attributes: tokens.clone(),
        ..span(1, id)
    };
    world.send(vec![below(1, 3), below(2, 1), below(3, 2)]).await;
    // Its own parent, and a circle that arrives span by span.
    world.send(vec![Span { trace_id: trace_id(2), ..below(1, 1) }]).await;
    for (id, parent) in [(1, 3), (2, 1), (3, 2)] {
        let late = Span { trace_id: trace_id(3), ..below(id, parent) };
        let request: ExportTraceServiceRequest = harness::telemetry::spans("shop", vec![late]);
        world.exporter.spans(request).await.unwrap();
    }
    let billable = "SELECT count(*) FROM trace_llm_spans WHERE billable AND trace_id = ";
    for trace in 1..=3_u128 {
        let query = format!("{billable}'{}'", uuid::Uuid::from_u128(trace));
        eventually("one call of the circle is billable", async || {
            match number(&world.client, &query).await {
                1 => Ok(()),
                others => Err(format!("{others} of trace {trace} are")),
            }
        })
        .await;
    }
    for id in 1..=3 {
        world.llm_span(1, id).await;
        world.cost(3, id).await;
    }
}

#[tokio::test]
async fn a_deep_trace_is_stored_in_linear_time() {
    const DEPTH: u64 = 20_000;
    let world = World::new().await;
    let attributes = call(vec![int("gen_ai.usage.input_tokens", 7)]);
    let spans = (1..=DEPTH).map(|id| Span {
        parent_span_id: if id == 1 { Vec::new() } else { (id - 1).to_be_bytes().to_vec() },
        attributes: attributes.clone(),
        ..span(1, id)
    });
    let begin = Instant::now();
    let request = harness::telemetry::spans("shop", spans.collect());
    world.exporter.spans(request).await.unwrap();
    println!("{DEPTH} calls inside each other: {:?}", begin.elapsed());
    let billable = "SELECT count(*) FROM trace_llm_spans WHERE billable";
    eventually("the innermost call is billable", async || match number(&world.client, billable).await {
        1 => Ok(()),
        others => Err(format!("{others} are")),
    })
    .await;
    assert!(world.llm_span(1, DEPTH).await.span.unwrap().billing.unwrap().billable);
}

#[tokio::test]
async fn one_odd_span_does_not_harm_its_neighbours() {
    let world = World::new().await;
    let odd = call(vec![
        text("gen_ai.response.id", "\u{0}"),
        text("gen_ai.conversation.id", &"s".repeat(100_000)),
        text("user.id", "a\u{0}b"),
        text("gen_ai.tool.name", "\u{1f980}\u{202e}"),
        double("gen_ai.request.temperature", f64::NAN),
        double("gen_ai.request.top_p", f64::NEG_INFINITY),
        int("gen_ai.request.max_tokens", i64::MIN),
        int("gen_ai.request.seed", i64::MAX),
    ]);
    let spans = vec![
        Span { attributes: odd, ..span(1, 1) },
        Span { attributes: call(vec![int("gen_ai.usage.input_tokens", 1_000_000)]), ..span(1, 2) },
        // It ended before it began, and in the far future.
        Span { attributes: call(Vec::new()), end_time_unix_nano: 1, ..span(1, 3) },
        Span {
            attributes: call(Vec::new()),
            start_time_unix_nano: u64::MAX,
            end_time_unix_nano: u64::MAX,
            ..span(1, 4)
        },
    ];
    world.send(spans).await;
    for id in 1..=4 {
        world.llm_span(1, id).await;
        world.cost(1, id).await;
    }
    let cost = world.llm_span(1, 2).await.span.unwrap().billing.unwrap().cost.unwrap();
    assert_eq!((cost.nanos, &*cost.currency), (150_000_000, "USD"), "a million tokens");
    assert_eq!(count(&world.client, "ingest_rejections").await, 0);
    assert!(!world.daemon.log().contains("panicked"));
}
