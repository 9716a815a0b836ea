//! Partitions that another session locks or detaches: only the records of their day are affected.

use harness::TestDatabase;
use harness::daemon::Options;
use harness::telemetry::{SECOND, now, record, records, span, spans};
use tokio_postgres::Client;

use crate::client::Exporter;
use crate::database::{count, lock, number};

const DAY: u64 = 86_400 * SECOND;

/// The suffix of the partitions of the day after tomorrow, which the daemon makes ahead.
async fn suffix(client: &Client) -> String {
    let day = "SELECT to_char(now() AT TIME ZONE 'UTC' + interval '2 days', 'YYYYMMDD')";
    client.query_one(day, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn a_span_that_is_completed_needs_the_partitions_of_its_own_day_only() {
    let database = TestDatabase::new().await;
    let daemon = Options::on(database.url()).start();
    let (exporter, client, holder) =
        (Exporter::to(&daemon).await, database.client().await, database.client().await);
    let mut sent = span(1, 1);
    let end = std::mem::take(&mut sent.end_time_unix_nano);
    exporter.spans(spans("shop", vec![sent.clone()])).await.unwrap();

    let suffix = suffix(&client).await;
    let tables = ["trace_spans", "trace_events", "traces"].map(|table| format!("{table}_{suffix}"));
    lock(&holder, &tables.join(", ")).await;
    sent.end_time_unix_nano = end;
    exporter.spans(spans("shop", vec![sent])).await.unwrap();
    assert_eq!(number(&holder, "SELECT count(*) FROM traces WHERE end_time > start_time").await, 1);
}

#[tokio::test]
async fn a_partition_that_was_detached_and_kept_costs_the_records_of_its_day_only() {
    let database = TestDatabase::new().await;
    let daemon = Options::on(database.url()).start();
    let (exporter, client) = (Exporter::to(&daemon).await, database.client().await);
    let archived = suffix(&client).await;
    client.batch_execute(&format!("ALTER TABLE logs DETACH PARTITION logs_{archived}")).await.unwrap();

    let mut late = record("of that day");
    late.time_unix_nano = now() + 2 * DAY;
    let rejected = exporter.records(records("shop", vec![record("of today"), late])).await.unwrap().unwrap();
    assert_eq!(rejected.rejected_log_records, 1, "{rejected:?}");
    assert!(rejected.error_message.contains("log_records[1]"), "{rejected:?}");
    assert_eq!(count(&client, "logs").await, 1);
    assert_eq!(count(&client, "ingest_rejections").await, 1);
}
