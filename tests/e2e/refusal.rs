//! Requests that the daemon refuses for now: the answer says so, and when to try again.

use harness::daemon::Options;
use harness::retry::delay_asked_by;
use harness::telemetry::{gauge, now, point, record, records, span, spans};
use harness::{Postgres, TestDatabase, eventually};
use llm_observatory_proto::v1::ListTracesRequest;
use prost::Message as _;
use tonic::{Code, Status};

use crate::client::{Exporter, Reader};
use crate::database::{count, lock, wait_for_a_blocked_writer};

/// Checks that the refusal makes clients try again, and that its details repeat its code and message.
fn assert_refused_for_now(status: &Status, code: Code) {
    assert_eq!(status.code(), code, "{status}");
    assert!(delay_asked_by(status).is_some(), "some client would drop its data: {status:?}");
    let details = tonic_types::Status::decode(status.details()).unwrap();
    assert_eq!((details.code, details.message.as_str()), (code as i32, status.message()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_away_is_waited_for() {
    let mut postgres = Postgres::start();
    let daemon = Options::on(postgres.url("postgres")).start();
    let (exporter, reader) = (Exporter::to(&daemon).await, Reader::of(&daemon).await);
    exporter.spans(spans("shop", vec![span(1, 1)])).await.unwrap();

    postgres.stop();
    // The first one reaches a writer whose connection breaks; the next ones find none that is connected.
    for id in 2..=4 {
        let status = exporter.spans(spans("shop", vec![span(1, id)])).await.unwrap_err();
        assert_refused_for_now(&status, Code::Unavailable);
    }
    let status = exporter.points(gauge("load", vec![point(now(), 1)])).await.unwrap_err();
    assert_refused_for_now(&status, Code::Unavailable);
    let status = exporter.records(records("shop", vec![record("hello")])).await.unwrap_err();
    assert_refused_for_now(&status, Code::Unavailable);
    let status = reader.traces(ListTracesRequest::default()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status}");

    // A request without spans needs no database.
    exporter.spans(spans("shop", vec![])).await.unwrap();

    postgres.resume();
    eventually("the daemon takes spans again", async || {
        exporter.spans(spans("shop", vec![span(1, 5)])).await
    })
    .await;
    eventually("the daemon answers again", async || reader.traces(ListTracesRequest::default()).await).await;
    // None of the refused spans was stored.
    let client = postgres.connect().await;
    assert_eq!(count(&client, "trace_spans").await, 2);
}

#[tokio::test]
async fn a_database_that_is_too_slow_is_not_waited_for() {
    let database = TestDatabase::new().await;
    let daemon = Options::on(database.url())
        .environment("OBSERVATORY_INGEST__PATIENCE_MS", "50")
        .environment("OBSERVATORY_INGEST__ANSWER_WITHIN_MS", "100")
        .start();
    let exporter = Exporter::to(&daemon).await;
    let (holder, client) = (database.client().await, database.client().await);
    lock(&holder, "trace_spans").await;
    let sent = spans("shop", vec![span(1, 1)]);
    let status = exporter.spans(sent.clone()).await.unwrap_err();
    assert_refused_for_now(&status, Code::Unavailable);
    holder.batch_execute("COMMIT").await.unwrap();
    // Its client sends it again, and it is stored once, even if the first attempt was stored late.
    eventually("the daemon takes the span", async || exporter.spans(sent.clone()).await).await;
    assert_eq!(count(&client, "trace_spans").await, 1);
}

#[tokio::test]
async fn a_full_budget_refuses_with_retry_info() {
    let database = TestDatabase::new().await;
    let daemon = Options::on(database.url())
        .environment("OBSERVATORY_INGEST__BUDGET_BYTES", "1024")
        .environment("OBSERVATORY_INGEST__PATIENCE_MS", "50")
        .environment("OBSERVATORY_INGEST__ANSWER_WITHIN_MS", "60000")
        .start();
    let exporter = Exporter::to(&daemon).await;
    let (holder, client) = (database.client().await, database.client().await);
    lock(&holder, "trace_spans").await;
    let first = tokio::spawn({
        let exporter = exporter.clone();
        async move { exporter.spans(spans("shop", vec![span(1, 1)])).await }
    });
    wait_for_a_blocked_writer(&client, "trace_spans").await;

    let status = exporter.spans(spans("shop", vec![span(1, 2)])).await.unwrap_err();
    assert_refused_for_now(&status, Code::ResourceExhausted);
    assert!(status.message().contains("ingest.budget_bytes"), "{status}");
    // Each signal has a budget of its own.
    let points = gauge("load", vec![point(now(), 1)]);
    assert_eq!(exporter.points(points).await.unwrap(), None);

    holder.batch_execute("COMMIT").await.unwrap();
    assert_eq!(first.await.unwrap().unwrap(), None);
    assert_eq!(exporter.spans(spans("shop", vec![span(1, 3)])).await.unwrap(), None);
    assert_eq!(count(&client, "trace_spans").await, 2);
}

#[tokio::test]
async fn a_dropped_partition_is_made_again() {
    let database = TestDatabase::new().await;
    let daemon = Options::on(database.url()).start();
    let (exporter, client) = (Exporter::to(&daemon).await, database.client().await);
    assert_eq!(exporter.spans(spans("shop", vec![span(1, 1)])).await.unwrap(), None);
    let query = "SELECT to_char(start_time AT TIME ZONE 'UTC', 'YYYYMMDD') FROM trace_spans";
    let day: String = client.query_one(query, &[]).await.unwrap().get(0);
    client.batch_execute(&format!("DROP TABLE trace_spans_{day}")).await.unwrap();

    assert_eq!(exporter.spans(spans("shop", vec![span(1, 2)])).await.unwrap(), None);
    assert_eq!(count(&client, "trace_spans").await, 1);
}
