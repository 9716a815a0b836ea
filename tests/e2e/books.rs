//! The daemon's books: received = stored + duplicate + rejected + refused, as the clients counted too.

use harness::daemon::{Options, binary};
use harness::telemetry::{SECOND, gauge, now, point, record, records, span, spans};
use harness::{Daemon, TestDatabase};
use llm_observatory_proto::v1::ingest_service_client::IngestServiceClient;
use llm_observatory_proto::v1::{GetIngestStatsRequest, IngestAccount, IngestCount};
use opentelemetry_proto::tonic::trace::v1::Span;
use tokio::process::Command;
use tokio::task::JoinSet;

use crate::client::{Exporter, connect};
use crate::database::{count, lock, number, wait_for_a_blocked_writer};

/// The account of one signal, from the daemon's port at `address`.
async fn account(address: &str, signal: &str) -> IngestAccount {
    let mut client = IngestServiceClient::new(connect(address).await);
    let stats = client.get_ingest_stats(GetIngestStatsRequest {}).await.unwrap().into_inner();
    assert!(stats.start_time.is_some());
    stats.accounts.into_iter().find(|account| account.signal == signal).unwrap_or_default()
}

fn sum(counts: &[IngestCount]) -> u64 {
    counts.iter().map(|count| count.records).sum()
}

fn reasons(counts: &[IngestCount]) -> Vec<(&str, u64)> {
    counts.iter().map(|count| (count.reason.as_str(), count.records)).collect()
}

fn assert_balanced(account: &IngestAccount) {
    let IngestAccount { received, stored, duplicate, rejected, refused, pending, .. } = account;
    assert_eq!(*received, stored + duplicate + sum(rejected) + sum(refused) + pending, "{account:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_books_balance_and_agree_with_the_clients() {
    let database = TestDatabase::new().await;
    let daemon = Options::on(database.url())
        .environment("OBSERVATORY_INGEST__BUDGET_BYTES", "4096")
        .environment("OBSERVATORY_INGEST__PATIENCE_MS", "30")
        .start();
    let (mut acknowledged, mut rejected, mut refused, mut sent) = (0, 0, 0, 0);
    let mut senders = JoinSet::new();
    for n in 0..40_u64 {
        let exporter = Exporter::to(&daemon).await;
        senders.spawn(async move {
            // Of five spans one has no valid id; every request is sent twice.
            let broken = Span { span_id: Vec::new(), ..span(1, 1) };
            let fresh = (1..=4).map(|id| span(u128::from(n + 1), 10 * n + id));
            let request = spans("shop", fresh.chain([broken]).collect());
            let (first, second) = tokio::join!(exporter.spans(request.clone()), exporter.spans(request));
            [first, second]
        });
    }
    for answer in senders.join_all().await.into_iter().flatten() {
        sent += 5;
        match answer {
            Ok(partial) => {
                let lost = partial.map_or(0, |partial| partial.rejected_spans.unsigned_abs());
                assert_eq!(lost, 1);
                (acknowledged, rejected) = (acknowledged + 4, rejected + 1);
            }
            Err(status) => {
                assert_eq!(status.code(), tonic::Code::ResourceExhausted, "{status}");
                refused += 5;
            }
        }
    }
    for port in [daemon.ingest(), daemon.query()] {
        let account = account(port, "traces").await;
        assert_balanced(&account);
        assert_eq!((account.received, account.pending), (sent, 0));
        assert_eq!(account.stored + account.duplicate, acknowledged);
        assert_eq!((sum(&account.rejected), sum(&account.refused)), (rejected, refused));
        let stored = count(&database.client().await, "trace_spans").await;
        assert_eq!(stored.unsigned_abs(), account.stored);
        assert_eq!(account.late, 0);
    }
    assert!(refused > 0 && acknowledged > 0, "{refused} refused, {acknowledged} acknowledged");
}

#[tokio::test]
async fn what_comes_too_late_is_told_apart() {
    let database = TestDatabase::new().await;
    let daemon = Options::on(database.url())
        .environment("OBSERVATORY_INGEST__PATIENCE_MS", "50")
        .environment("OBSERVATORY_INGEST__ANSWER_WITHIN_MS", "300")
        .start();
    let (exporter, client, holder) =
        (Exporter::to(&daemon).await, database.client().await, database.client().await);
    lock(&holder, "logs").await;
    let request = records("shop", vec![record("one"), record("two")]);
    exporter.records(request.clone()).await.unwrap_err();
    wait_for_a_blocked_writer(&client, "logs").await;
    holder.batch_execute("COMMIT").await.unwrap();
    // The rows are there a moment before the request is over. Until then the same request would join it.
    harness::eventually("the records are late in the books", async || {
        match account(daemon.ingest(), "logs").await.late {
            2 => Ok(()),
            other => Err(format!("{other} are")),
        }
    })
    .await;
    assert_eq!(count(&client, "logs").await, 2, "they are stored all the same");
    // Log records have no key: only the ledger knows that these are the same.
    assert_eq!(exporter.records(request).await.unwrap(), None);
    assert_eq!(count(&client, "logs").await, 2);
    let account = account(daemon.ingest(), "logs").await;
    assert_balanced(&account);
    assert_eq!((account.received, account.stored, account.duplicate, account.late), (4, 0, 2, 2));
    assert_eq!(reasons(&account.refused), [("unavailable", 2)]);
    let duplicates = "SELECT sum(duplicates)::bigint FROM ingest_requests";
    assert_eq!(number(&client, duplicates).await, 1);
}

#[tokio::test]
async fn the_same_requests_sent_ten_times_at_once_are_stored_once() {
    let database = TestDatabase::new().await;
    let daemons: Vec<Daemon> = (0..2).map(|_| Options::on(database.url()).start()).collect();
    let traces = spans("shop", (1..=20).map(|id| span(1, id)).collect());
    let points = gauge("load", (1..=20).map(|n| point(now() + n, 1)).collect());
    let logs = records("shop", vec![record("hello"); 20]);
    let mut senders = JoinSet::new();
    for n in 0..10 {
        let exporter = Exporter::to(&daemons[n % 2]).await;
        let (traces, points, logs) = (traces.clone(), points.clone(), logs.clone());
        senders.spawn(async move {
            let answers =
                tokio::join!(exporter.spans(traces), exporter.points(points), exporter.records(logs));
            assert_eq!((answers.0.unwrap(), answers.1.unwrap(), answers.2.unwrap()), (None, None, None));
        });
    }
    senders.join_all().await;
    let client = database.client().await;
    for table in ["trace_spans", "metric_data_points", "logs"] {
        assert_eq!(count(&client, table).await, 20, "{table}");
    }
    let (mut stored, mut duplicate) = (0, 0);
    for daemon in &daemons {
        let account = account(daemon.ingest(), "logs").await;
        assert_balanced(&account);
        (stored, duplicate) = (stored + account.stored, duplicate + account.duplicate);
    }
    assert_eq!((stored, duplicate), (20, 180));
}

#[tokio::test]
async fn a_span_that_is_sent_at_its_start_and_at_its_end_is_whole_in_either_order() {
    let database = TestDatabase::new().await;
    let daemon = Options::on(database.url()).start();
    let (exporter, client) = (Exporter::to(&daemon).await, database.client().await);
    let start = now() - 10 * SECOND;
    let version = |id, end, code, name: &str| Span {
        start_time_unix_nano: start,
        end_time_unix_nano: end,
        name: name.to_owned(),
        status: Some(opentelemetry_proto::tonic::trace::v1::Status { code, ..Default::default() }),
        ..span(1, id)
    };
    let orders =
        [[(0, 0, "pending"), (start + SECOND, 2, "done")], [(start + SECOND, 2, "done"), (0, 0, "pending")]];
    for (id, order) in (1..).zip(orders) {
        for (end, code, name) in order {
            let sent = spans("shop", vec![version(id, end, code, name)]);
            assert_eq!(exporter.spans(sent).await.unwrap(), None);
        }
    }
    assert_eq!(count(&client, "trace_spans WHERE name = 'done' AND duration_nanos = 1000000000").await, 2);
    assert_eq!(
        count(&client, "traces WHERE span_count = 2 AND error_count = 2 AND root_name = 'done'").await,
        1
    );
    let account = account(daemon.ingest(), "traces").await;
    assert_balanced(&account);
    assert_eq!((account.stored, account.duplicate, account.completed), (2, 2, 1));
}

#[tokio::test]
async fn the_command_stats_shows_the_books() {
    let database = TestDatabase::new().await;
    let daemon = Options::on(database.url()).start();
    let exporter = Exporter::to(&daemon).await;
    exporter.spans(spans("shop", vec![span(0, 1), span(1, 1)])).await.unwrap();
    let address = format!("http://{}", daemon.ingest());
    let stats = |format: &'static str| {
        let mut command = Command::new(binary());
        command.args(["stats", "--ingest-address", &address, "--format", format]);
        async move { String::from_utf8(command.output().await.unwrap().stdout).unwrap() }
    };
    let table = stats("table").await;
    let row: Vec<_> =
        table.lines().last().unwrap().split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
    assert_eq!(row, ["1", "traces", "2", "1", "0", "1 (trace_id 1)", "0", "0", "0"], "{table}");
    let json: serde_json::Value = serde_json::from_str(&stats("json").await).unwrap();
    assert_eq!(json[0]["rejected"]["trace_id"], 1);
}
