//! Ingest: a request is committed before its answer arrives.

use harness::TestDatabase;
use harness::daemon::Options;
use harness::telemetry::{attribute, gauge, now, point, record, records, span, spans, text, trace_id};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::Event;
use tokio::task::JoinSet;
use tonic::codec::CompressionEncoding;

use crate::client::{Exporter, Reader};
use crate::database::{count, number};

#[tokio::test]
async fn what_was_answered_is_committed() {
    let database = TestDatabase::new().await;
    let daemon = Options::on(database.url()).start();
    let (exporter, client) = (Exporter::to(&daemon).await, database.client().await);

    let mut failed = span(1, 1);
    failed.events.push(Event { name: "exception".to_owned(), ..Event::default() });
    assert_eq!(exporter.spans(spans("shop", vec![failed])).await.unwrap(), None);
    assert_eq!(count(&client, "trace_spans").await, 1);
    assert_eq!(count(&client, "trace_events").await, 1);
    assert_eq!(number(&client, "SELECT span_count FROM traces WHERE root_name = 'span 1'").await, 1);

    let points = vec![point(now(), 1), point(now() + 1, 2)];
    assert_eq!(exporter.points(gauge("queue.length", points)).await.unwrap(), None);
    assert_eq!(count(&client, "metric_data_points").await, 2);

    let sent = records("shop", vec![record("first"), record("second"), record("third")]);
    assert_eq!(exporter.records(sent).await.unwrap(), None);
    assert_eq!(count(&client, "logs").await, 3);
}

#[tokio::test]
async fn gzip_and_zstd_are_taken() {
    let database = TestDatabase::new().await;
    let daemon = Options::on(database.url()).start();
    for (n, encoding) in [(1, CompressionEncoding::Gzip), (2, CompressionEncoding::Zstd)] {
        let exporter = Exporter::to(&daemon).await.compressing(encoding);
        let sent = (0..100).map(|id| span(u128::from(n), n * 1_000 + id)).collect();
        assert_eq!(exporter.spans(spans("shop", sent)).await.unwrap(), None);
        let points = gauge("queue.length", vec![point(n, 1)]);
        assert_eq!(exporter.points(points).await.unwrap(), None);
        let sent = records("shop", vec![record(&"again and ".repeat(1_000))]);
        assert_eq!(exporter.records(sent).await.unwrap(), None);
    }
    let client = database.client().await;
    assert_eq!(count(&client, "trace_spans").await, 200);
    assert_eq!(count(&client, "metric_data_points").await, 2);
    assert_eq!(count(&client, "logs WHERE length(body_text) = 10000").await, 2);
}

#[tokio::test]
async fn an_empty_request_is_accepted() {
    let database = TestDatabase::new().await;
    let daemon = Options::on(database.url()).start();
    let exporter = Exporter::to(&daemon).await;
    for request in [ExportTraceServiceRequest::default(), spans("shop", Vec::new())] {
        assert_eq!(exporter.spans(request).await.unwrap(), None);
    }
    let no_points = ExportMetricsServiceRequest::default();
    for request in [no_points, gauge("queue.length", Vec::new())] {
        assert_eq!(exporter.points(request).await.unwrap(), None);
    }
    for request in [ExportLogsServiceRequest::default(), records("shop", Vec::new())] {
        assert_eq!(exporter.records(request).await.unwrap(), None);
    }
}

const CONNECTIONS: u64 = 4;
const REQUESTS: u64 = 40;
const REQUEST_SPANS: u64 = 500;
const ALL: i64 = (REQUESTS * REQUEST_SPANS).cast_signed();

#[tokio::test]
async fn twenty_thousand_spans_are_there_with_the_last_answer() {
    let database = TestDatabase::new().await;
    let daemon = Options::on(database.url()).start();
    let client = database.client().await;
    let mut senders = JoinSet::new();
    for connection in 0..CONNECTIONS {
        let exporter = Exporter::to(&daemon).await;
        senders.spawn(async move {
            for request in (connection..REQUESTS).step_by(CONNECTIONS as usize) {
                let first = request * REQUEST_SPANS;
                let sent = (first..first + REQUEST_SPANS).map(realistic).collect();
                assert_eq!(exporter.spans(spans("shop", sent)).await.unwrap(), None);
            }
        });
    }
    senders.join_all().await;
    assert_eq!(count(&client, "trace_spans").await, ALL);
    let distinct = "SELECT count(DISTINCT (trace_id, span_id)) FROM trace_spans";
    assert_eq!(number(&client, distinct).await, ALL);
    assert_eq!(number(&client, "SELECT sum(span_count)::bigint FROM traces").await, ALL);
    let calls = "SELECT count(*) FROM llm_spans WHERE operation = 'chat' AND input_tokens = 812";
    assert_eq!(number(&client, calls).await, ALL / 4);
}

/// About 1 KB; ten of them are a trace, and every fourth is a call of a model.
fn realistic(n: u64) -> Span {
    let mut span = span(u128::from(n / 10) + 1, n + 1);
    if !n.is_multiple_of(10) {
        span.parent_span_id = (n / 10 * 10 + 1).to_be_bytes().to_vec();
    }
    span.attributes = vec![
        text("http.request.method", "POST"),
        text("url.full", "https://shop.example/api/v2/baskets/73/checkout"),
        text("code.function.name", "shop.checkout.confirm"),
        attribute("http.response.status_code", Value::IntValue(200)),
        text("note", &"lorem ipsum ".repeat(60)),
    ];
    if n.is_multiple_of(4) {
        span.attributes.extend([
            text("gen_ai.operation.name", "chat"),
            text("gen_ai.provider.name", "example"),
            text("gen_ai.request.model", "large-1"),
            attribute("gen_ai.usage.input_tokens", Value::IntValue(812)),
            attribute("gen_ai.usage.output_tokens", Value::IntValue(64)),
        ]);
    }
    span
}

#[tokio::test]
async fn the_two_halves_share_a_database() {
    let database = TestDatabase::new().await;
    let half = |role| Options::on(database.url()).argument("--role").argument(role);
    let (way_in, way_out) = (half("ingest").start(), half("query").start());
    let exporter = Exporter::to(&way_in).await;
    exporter.spans(spans("shop", vec![span(7, 1)])).await.unwrap();
    let reader = Reader::of(&way_out).await;
    let messages = reader.trace(&trace_id(7)).await.unwrap();
    assert_eq!(messages[0][0].scope_spans[0].spans[0].name, "span 1");
}
