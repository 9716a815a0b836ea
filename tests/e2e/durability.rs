//! Acknowledged records outlive every end of the daemon, and requests that are sent twice are stored once.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use harness::connection::{connect, try_connect};
use harness::daemon::Options;
use harness::telemetry::{gauge, now, point, span, spans, trace_id};
use harness::{Daemon, TestDatabase, eventually};
use opentelemetry_proto::tonic::trace::v1::Span;
use tokio::task::JoinSet;
use tonic::Code;

use crate::client::{Exporter, Reader};
use crate::database::{count, lock, number, span_ids, wait_for_a_blocked_writer};

const CONNECTIONS: u64 = 4;
const REQUEST_SPANS: u64 = 50;

/// Senders that go on until the daemon stops answering.
struct Load {
    senders: JoinSet<()>,
    acknowledged: Arc<Mutex<BTreeSet<Vec<u8>>>>,
}

impl Load {
    async fn on(daemon: &Daemon) -> Self {
        let mut load = Self { senders: JoinSet::new(), acknowledged: Arc::default() };
        for connection in 0..CONNECTIONS {
            let exporter = Exporter::to(daemon).await;
            let acknowledged = load.acknowledged.clone();
            load.senders.spawn(async move {
                for request in 0.. {
                    let first = (request * CONNECTIONS + connection) * REQUEST_SPANS + 1;
                    let sent: Vec<_> =
                        (first..first + REQUEST_SPANS).map(|id| span(u128::from(first), id)).collect();
                    let ids: Vec<_> = sent.iter().map(|span| span.span_id.clone()).collect();
                    match exporter.spans(spans("shop", sent)).await {
                        Ok(partial) => assert_eq!(partial, None),
                        Err(_) => return,
                    }
                    acknowledged.lock().unwrap().extend(ids);
                }
            });
        }
        load
    }

    /// Waits until the daemon has acknowledged 2,000 spans.
    async fn is_rolling(&self) {
        eventually("the daemon acknowledges spans", async || match self.acknowledged.lock().unwrap().len() {
            few @ ..2_000 => Err(format!("{few} spans so far")),
            _ => Ok(()),
        })
        .await;
    }

    /// The ids of all spans that were acknowledged.
    async fn end(self) -> BTreeSet<Vec<u8>> {
        self.senders.join_all().await;
        Arc::into_inner(self.acknowledged).unwrap().into_inner().unwrap()
    }
}

/// The process id of the PostgreSQL behind the daemon.
pub(crate) async fn postmaster(daemon: &Daemon) -> String {
    let query = "SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)";
    let client = connect(daemon.database()).await;
    client.query_one(query, &[]).await.unwrap().get(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_loses_nothing_that_was_acknowledged() {
    let mut daemon = Options::private().start();
    let server = postmaster(&daemon).await;
    let load = Load::on(&daemon).await;
    load.is_rolling().await;
    daemon.kill9();
    let acknowledged = load.end().await;

    daemon.restart();
    assert_eq!(postmaster(&daemon).await, server, "its PostgreSQL is found again");
    let client = connect(daemon.database()).await;
    let stored = span_ids(&client).await;
    let lost = acknowledged.difference(&stored).count();
    assert_eq!(lost, 0, "of {} acknowledged spans", acknowledged.len());
    // Each trace is one request, so it is there as a whole or not at all.
    let torn = format!("SELECT count(*) FROM traces WHERE span_count <> {REQUEST_SPANS}");
    assert_eq!(number(&client, &torn).await, 0);

    let exporter = Exporter::to(&daemon).await;
    exporter.spans(spans("shop", vec![span(u128::MAX, u64::MAX)])).await.unwrap();
    let reader = Reader::of(&daemon).await;
    assert_eq!(reader.trace(&trace_id(u128::MAX)).await.unwrap().len(), 1);
    assert!(daemon.terminate().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_under_load_answers_for_everything_that_it_stores() {
    let database = TestDatabase::new().await;
    let mut daemon = Options::on(database.url()).start();
    let load = Load::on(&daemon).await;
    load.is_rolling().await;
    let status = daemon.terminate();
    assert_eq!(status.code(), Some(0));
    let acknowledged = load.end().await;
    // Fewer would be a loss; more would be a request that was stored and not answered.
    let stored = span_ids(&database.client().await).await;
    assert_eq!(stored.len(), acknowledged.len());
    assert_eq!(stored, acknowledged);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_waits_for_requests_in_flight() {
    let database = TestDatabase::new().await;
    let patient = ("OBSERVATORY_INGEST__ANSWER_WITHIN_MS", "60000");
    let mut daemon = Options::on(database.url()).environment(patient.0, patient.1).start();
    let (holder, client) = (database.client().await, database.client().await);
    lock(&holder, "trace_spans").await;

    let exporter = Exporter::to(&daemon).await;
    let export = tokio::spawn(async move { exporter.spans(spans("shop", vec![span(1, 1)])).await });
    wait_for_a_blocked_writer(&client, "trace_spans").await;
    daemon.ask_to_stop();
    eventually("the daemon says that it stops", async || match daemon.log().contains("stopping") {
        true => Ok(()),
        false => Err("it does not yet"),
    })
    .await;
    holder.batch_execute("COMMIT").await.unwrap();
    assert_eq!(export.await.unwrap().unwrap(), None);
    assert_eq!(daemon.terminate().code(), Some(0));
    assert_eq!(count(&client, "trace_spans").await, 1);
}

#[tokio::test]
async fn a_client_that_leaves_cancels_nothing_that_is_being_written() {
    let database = TestDatabase::new().await;
    let daemon = Options::on(database.url()).start();
    let (holder, client) = (database.client().await, database.client().await);
    lock(&holder, "trace_spans").await;
    let leaving = Exporter::to(&daemon).await;
    let export = tokio::spawn(async move { leaving.spans(spans("shop", vec![span(1, 1)])).await });
    wait_for_a_blocked_writer(&client, "trace_spans").await;
    export.abort();
    assert!(export.await.unwrap_err().is_cancelled());
    holder.batch_execute("COMMIT").await.unwrap();
    eventually("the span is stored", async || match count(&client, "trace_spans").await {
        1 => Ok(()),
        other => Err(format!("{other} spans are")),
    })
    .await;
    // The writer goes on with the next one.
    let exporter = Exporter::to(&daemon).await;
    assert_eq!(exporter.spans(spans("shop", vec![span(1, 2)])).await.unwrap(), None);
    assert_eq!(count(&client, "trace_spans").await, 2);
}

#[tokio::test]
async fn what_is_sent_again_is_stored_once() {
    let database = TestDatabase::new().await;
    let daemon = Options::on(database.url()).start();
    let (exporter, client) = (Exporter::to(&daemon).await, database.client().await);
    let traces = spans("shop", (1..=10).map(|id| span(1, id)).collect());
    let points = gauge("queue.length", (1..=10).map(|n| point(now() + n, 1)).collect());
    for _ in 0..2 {
        assert_eq!(exporter.spans(traces.clone()).await.unwrap(), None);
        assert_eq!(exporter.points(points.clone()).await.unwrap(), None);
    }
    assert_eq!(count(&client, "trace_spans").await, 10);
    assert_eq!(count(&client, "metric_data_points").await, 10);
    let counted = "SELECT sum(span_count)::bigint FROM traces";
    assert_eq!(number(&client, counted).await, 10);

    // At the same time, and beside spans that are new.
    let mut senders = JoinSet::new();
    for n in 1..=8_u64 {
        let exporter = exporter.clone();
        let mut request = traces.clone();
        let fresh = &mut request.resource_spans[0].scope_spans[0].spans;
        fresh.extend([span(1, 100 + n), Span { start_time_unix_nano: now(), ..span(2, 200 + n) }]);
        senders.spawn(async move { exporter.spans(request).await });
    }
    for answer in senders.join_all().await {
        assert_eq!(answer.unwrap(), None);
    }
    assert_eq!(count(&client, "trace_spans").await, 10 + 2 * 8);
    assert_eq!(number(&client, counted).await, 10 + 2 * 8);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_private_postgresql_stops_with_the_daemon_and_keeps_its_data() {
    let mut daemon = Options::private().start();
    let exporter = Exporter::to(&daemon).await;
    exporter.spans(spans("shop", vec![span(1, 1)])).await.unwrap();
    let url = daemon.database().to_owned();
    assert_eq!(daemon.terminate().code(), Some(0));
    assert!(try_connect(&url).await.is_err(), "PostgreSQL runs on without its daemon");

    daemon.restart();
    let reader = Reader::of(&daemon).await;
    assert_eq!(reader.trace(&trace_id(1)).await.unwrap().len(), 1);
    let unknown = reader.trace(&trace_id(2)).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
}
