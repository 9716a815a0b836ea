//! Answers that leave something out: values that are cut, records that are too large, spans that are expired.

use std::collections::BTreeSet;

use harness::TestDatabase;
use harness::daemon::Options;
use harness::telemetry::{SECOND, now, record, records, span, spans, text, trace_id};
use llm_observatory_proto::v1::{GetTraceRequest, ListLogsRequest, ListTracesRequest};
use opentelemetry_proto::tonic::common::v1::AnyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::client::{BEGINNING, Exporter, Reader};
use crate::query::world;

/// The value of the first attribute of each span, as text.
fn first_values(messages: &[Vec<ResourceSpans>]) -> Vec<String> {
    let spans =
        messages.iter().flatten().flat_map(|resource| &resource.scope_spans).flat_map(|scope| &scope.spans);
    spans
        .map(|span| match &span.attributes[0].value {
            Some(AnyValue { value: Some(Value::StringValue(text)) }) => text.clone(),
            other => panic!("no text: {other:?}"),
        })
        .collect()
}

#[tokio::test]
async fn values_longer_than_the_client_asks_for_are_cut() {
    const LONG: usize = 5 * 1024 * 1024;
    let (_database, _daemon, exporter, reader) = world().await;
    let long = "\u{20ac}".repeat(LONG / 3);
    let of = |n: u64, value: &str| Span { attributes: vec![text("prompt", value)], ..span(1, n) };
    exporter.spans(spans("shop", vec![of(1, &long), of(2, "short")])).await.unwrap();
    exporter.records(records("shop", vec![record(&long), record("short")])).await.unwrap();

    // By default a client takes no message of more than 4 MiB.
    let status = reader.trace(&trace_id(1)).await.unwrap_err();
    assert!(matches!(status.code(), Code::ResourceExhausted | Code::OutOfRange), "{status}");
    let whole = reader.clone().large().trace(&trace_id(1)).await.unwrap();
    assert_eq!(first_values(&whole), [long.as_str(), "short"]);

    let cut = format!("{}<cut: {} bytes>", "\u{20ac}".repeat(333), long.len());
    let request = GetTraceRequest { trace_id: hex::encode(trace_id(1)), max_value_bytes: 1_000 };
    let messages = reader.trace_of(request).await.unwrap();
    assert_eq!(first_values(&messages), [cut.as_str(), "short"]);

    let request = ListLogsRequest { max_value_bytes: 1_000, ..ListLogsRequest::default() };
    let page = reader.logs.clone().list_logs(request).await.unwrap().into_inner();
    assert_eq!(page.next_page_token, "", "what is cut leaves room for more on the page");
    let records = &page.data.unwrap().resource_logs[0].scope_logs[0].log_records;
    let bodies: BTreeSet<_> = records
        .iter()
        .map(|record| match &record.body {
            Some(AnyValue { value: Some(Value::StringValue(text)) }) => text.as_str(),
            other => panic!("no text: {other:?}"),
        })
        .collect();
    assert_eq!(bodies, BTreeSet::from([cut.as_str(), "short"]));
}

#[tokio::test]
async fn a_record_that_no_answer_may_hold_is_named() {
    let database = TestDatabase::new().await;
    let daemon =
        Options::on(database.url()).environment("OBSERVATORY_QUERY__MAX_RECORD_BYTES", "2048").start();
    let (exporter, reader) = (Exporter::to(&daemon).await, Reader::of(&daemon).await);
    let large = Span { attributes: vec![text("prompt", &"x".repeat(4_096))], ..span(1, 0xabc) };
    exporter.spans(spans("shop", vec![large])).await.unwrap();
    let status = reader.trace(&trace_id(1)).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
    for said in ["span 0000000000000abc", "query.max_record_bytes", "max_value_bytes"] {
        assert!(status.message().contains(said), "{said} is not in {status}");
    }
    let request = GetTraceRequest { trace_id: hex::encode(trace_id(1)), max_value_bytes: 1_000 };
    assert_eq!(reader.trace_of(request).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_trace_whose_spans_were_dropped_is_expired() {
    let (database, _daemon, exporter, reader) = world().await;
    let day = 86_400 * SECOND;
    let start = now() - 40 * day;
    let old = Span { start_time_unix_nano: start, ..span(1, 1) };
    exporter.spans(spans("shop", vec![old, span(2, 2)])).await.unwrap();
    assert_eq!(reader.trace(&trace_id(1)).await.unwrap().len(), 1);

    // An operator who keeps summaries for longer than spans does this.
    let client = database.client().await;
    let partition =
        "SELECT tableoid::regclass::text FROM trace_spans WHERE start_time < now() - interval '39 days'";
    let partition: String = client.query_one(partition, &[]).await.unwrap().get(0);
    client.batch_execute(&format!("DROP TABLE {partition}")).await.unwrap();

    let request = ListTracesRequest { start_time: BEGINNING, ..ListTracesRequest::default() };
    assert_eq!(reader.traces(request).await.unwrap().traces.len(), 2, "its summary is still listed");
    let expired = reader.trace(&trace_id(1)).await.unwrap_err();
    assert_eq!(expired.code(), Code::NotFound, "{expired}");
    assert!(expired.message().contains("are expired"), "{expired}");
    let told = expired.get_details_error_info().unwrap();
    assert_eq!(told.reason, "SPANS_EXPIRED", "the ErrorInfo tells it to programs");
    let unknown = reader.trace(&trace_id(3)).await.unwrap_err();
    assert!(unknown.message().contains("no span of trace") && unknown.details().is_empty(), "{unknown}");
    assert_eq!(reader.trace(&trace_id(2)).await.unwrap().len(), 1);
}
