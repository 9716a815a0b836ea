//! The job that analyses tables as they grow.

use harness::TestDatabase;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_storage::config::{StatisticsConfig, WriteMethod};
use llm_observatory_storage::maintenance::job::Job;
use llm_observatory_storage::maintenance::statistics::analyse;
use llm_observatory_storage::models::LogRow;
use llm_observatory_storage::writers::{Dictionary, LogBatch, TraceBatch, commit};
use tokio_postgres::Client;

use crate::rows;

/// Low limits, so that tests need few rows.
fn config() -> StatisticsConfig {
    StatisticsConfig { min_rows: 500, growth_percent: 50, ..StatisticsConfig::default() }
}

/// Stores log records of five services today, numbered from `first` on.
async fn store(database: &TestDatabase, first: u64, count: u64) {
    let now = rows::now();
    let logs = (first..first + count).map(|n| LogRow {
        service_name: format!("service {}", n % 5).into(),
        ..rows::log(u128::from(n), UnixNanos(now.0 + n * 1_000))
    });
    let batch = LogBatch { logs: logs.collect(), ..LogBatch::default() };
    let writer = database.writer().await;
    commit(&writer, &Dictionary::default(), &[batch], WriteMethod::Copy).await.unwrap();
    count_changes(&writer).await;
}

/// Makes PostgreSQL count the writes of the session at once, not some seconds later.
async fn count_changes(client: &Client) {
    client.batch_execute("SELECT pg_stat_force_next_flush()").await.unwrap();
}

/// PostgreSQL's estimate of the rows of the table, and the number of services in its statistics.
async fn known(client: &Client, table: &str) -> (f32, usize) {
    let rows =
        client.query_one("SELECT reltuples FROM pg_class WHERE oid = $1::text::regclass", &[&table]).await;
    let services = "
        SELECT cardinality(most_common_vals::text::text[]) FROM pg_stats
        WHERE tablename = $1 AND attname = 'service_name'";
    let services = client.query_opt(services, &[&table]).await.unwrap();
    let services = services.and_then(|row| row.get::<_, Option<i32>>(0)).unwrap_or(0);
    (rows.unwrap().get(0), services as usize)
}

/// The name of today's partition.
async fn today(client: &Client) -> String {
    let name = "SELECT 'logs_' || to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD')";
    client.query_one(name, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn a_partition_and_its_parent_are_analysed_as_they_grow() {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    let today = today(&client).await;
    assert_eq!(analyse(&client, &config()).await.unwrap(), 0, "nothing is stored");
    assert_eq!(known(&client, &today).await, (-1.0, 0), "autovacuum is off");

    store(&database, 0, 2_000).await;
    assert_eq!(analyse(&client, &config()).await.unwrap(), 2, "the partition and its parent");
    assert_eq!(known(&client, &today).await, (2_000.0, 5));
    assert_eq!(known(&client, "logs").await, (2_000.0, 5));
    assert_eq!(analyse(&client, &config()).await.unwrap(), 0, "nothing grew");

    store(&database, 2_000, 400).await;
    assert_eq!(analyse(&client, &config()).await.unwrap(), 0, "grew by less than half");
    store(&database, 2_400, 800).await;
    assert_eq!(analyse(&client, &config()).await.unwrap(), 2);
    assert_eq!(known(&client, &today).await.0, 3_200.0);
}

#[tokio::test]
async fn a_table_of_few_rows_is_left_alone() {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    store(&database, 0, 100).await;
    assert_eq!(analyse(&client, &config()).await.unwrap(), 0);
}

#[tokio::test]
async fn one_daemon_at_a_time_analyses() {
    let database = TestDatabase::new().await;
    let (client, other) = (database.client().await, database.client().await);
    store(&database, 0, 2_000).await;
    // The lock makes the other run wait in the middle.
    let blocker = database.client().await;
    let today = today(&client).await;
    blocker.batch_execute(&format!("BEGIN; LOCK TABLE {today}, logs IN EXCLUSIVE MODE")).await.unwrap();
    let patient = StatisticsConfig { lock_timeout_ms: 60_000, ..config() };
    let run = tokio::spawn(async move { analyse(&other, &patient).await });
    harness::eventually("the other run waits for the lock", async || {
        let waiting =
            "SELECT count(*) FROM pg_locks WHERE locktype = 'relation' AND NOT granted AND database =
                       (SELECT oid FROM pg_database WHERE datname = current_database())";
        match client.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0) {
            0 => Err("it does not wait yet"),
            _ => Ok(()),
        }
    })
    .await;
    assert_eq!(analyse(&client, &config()).await.unwrap(), 0, "another run is at work");
    blocker.batch_execute("COMMIT").await.unwrap();
    assert_eq!(run.await.unwrap().unwrap(), 2);
    store(&database, 2_000, 2_000).await;
    assert_eq!(analyse(&client, &config()).await.unwrap(), 2, "the other run released the lock");
}

#[tokio::test]
async fn a_locked_table_does_not_delay_the_others() {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    store(&database, 0, 2_000).await;
    client
        .batch_execute("INSERT INTO scopes SELECT gen_random_uuid(), 1, n::text, '', '{}', NULL, NULL, '' FROM generate_series(1, 2000) AS n")
        .await
        .unwrap();
    count_changes(&client).await;
    let blocker = database.client().await;
    let today = today(&client).await;
    blocker.batch_execute(&format!("BEGIN; LOCK TABLE {today}, logs IN EXCLUSIVE MODE")).await.unwrap();
    let hasty = StatisticsConfig { lock_timeout_ms: 1, ..config() };
    assert_eq!(analyse(&client, &hasty).await.unwrap(), 1, "the scopes");
    blocker.batch_execute("COMMIT").await.unwrap();
    assert_eq!(analyse(&client, &hasty).await.unwrap(), 2);
    let settings = "SELECT current_setting('lock_timeout') || ' ' || current_setting('statement_timeout')";
    let settings: String = client.query_one(settings, &[]).await.unwrap().get(0);
    assert_eq!(settings, "0 0", "the settings of the session are reset");
}

#[tokio::test]
async fn a_time_range_reads_its_own_blocks_only() {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    let now = rows::now();
    let spans = (0..20_000).map(|n| rows::span(u128::from(n), n + 1, UnixNanos(now.0 + n * 1_000)).into());
    let batch = TraceBatch { spans: spans.collect(), ..TraceBatch::default() };
    let writer = database.writer().await;
    commit(&writer, &Dictionary::default(), &[batch], WriteMethod::Copy).await.unwrap();
    count_changes(&writer).await;
    let looked_at = "
        SELECT brin.unsummarised FROM pg_class c,
        LATERAL (SELECT brin_summarize_new_values(indexrelid) AS unsummarised FROM pg_index
                 WHERE indrelid = c.oid AND indexrelid::regclass::text LIKE '%start_time_idx') AS brin
        WHERE c.relname = 'trace_spans_' || to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD')";
    assert!(analyse(&client, &config()).await.unwrap() >= 2);
    let left: i32 = client.query_one(looked_at, &[]).await.unwrap().get(0);
    assert_eq!(left, 0, "no range of blocks is left unsummarised");
}

#[tokio::test]
async fn the_job_analyses_what_grew() {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    store(&database, 0, 2_000).await;
    let job = Job::statistics(&database.pool().await);
    (job.run)().await.unwrap();
    let today = today(&client).await;
    assert_eq!(known(&client, &today).await, (2_000.0, 5));
}
