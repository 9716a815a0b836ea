//! Day partitions.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use harness::TestDatabase;
use llm_observatory_core::time::{Day, UnixNanos};
use llm_observatory_storage::maintenance::partitions::{Refused, TABLES};
use llm_observatory_storage::{CopyWriter, StoragePool};
use tokio_postgres::Client;

use crate::rows::{self, MIDNIGHT, count, stored};

async fn partitions(client: &Client, table: &str) -> Vec<String> {
    let query = "SELECT partition::text FROM observatory_partitions WHERE parent = $1 ORDER BY 1";
    client.query(query, &[&table]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

async fn ensure(pool: &StoragePool, days: &[Day]) -> BTreeSet<Day> {
    let client = pool.connect().await.unwrap();
    pool.partitions().ensure(&client, &days.iter().copied().collect()).await.unwrap().0
}

#[tokio::test]
async fn migrations_make_the_coming_days_and_both_ends_of_time() {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    for table in TABLES {
        // Yesterday, today and three more, undated, far future.
        assert_eq!(partitions(&client, table).await.len(), 7, "{table}");
    }
}

#[tokio::test]
async fn a_day_is_made_on_demand_in_every_table_and_in_utc() {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    let pool = database.pool().await;
    let row = rows::span(1, 1, MIDNIGHT);
    let error = CopyWriter::new().write_spans(&client, std::slice::from_ref(&row)).await.unwrap_err();
    assert_eq!(error.failure(), llm_observatory_storage::error::Failure::NoPartition);

    assert!(!pool.partitions().has(MIDNIGHT.day()));
    assert!(ensure(&pool, &[MIDNIGHT.day()]).await.is_empty());
    assert!(pool.partitions().has(MIDNIGHT.day()));
    for table in TABLES {
        assert!(partitions(&client, table).await.contains(&format!("{table}_20260101")), "{table}");
    }
    // The last microsecond of the day belongs to it, whatever the time zone of the server.
    CopyWriter::new().write_spans(&client, &[row]).await.unwrap();
    assert_eq!(count(&client, "trace_spans_20260101").await, 1);
}

#[tokio::test]
async fn times_without_a_day_have_partitions_of_their_own() {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    let pool = database.pool().await;
    let times = [UnixNanos::UNKNOWN, UnixNanos(1), UnixNanos(u64::MAX)];
    for time in times {
        assert!(pool.partitions().has(time.day()), "{time:?}");
    }
    assert!(ensure(&pool, &times.map(UnixNanos::day)).await.is_empty());
    let logs = times.map(|time| rows::log(1, time));
    CopyWriter::new().write_logs(&client, &logs).await.unwrap();
    assert_eq!(count(&client, "logs_undated").await, 2);
    assert_eq!(count(&client, "logs_far_future").await, 1);
    let (first, last) = (Day(10_957), Day(47_481));
    assert!(ensure(&pool, &[Day(first.0 - 1), first, last, Day(last.0 + 1)]).await.is_empty());
    let made = partitions(&client, "logs").await;
    assert!(
        made.contains(&"logs_20000101".to_owned()) && made.contains(&"logs_20991231".to_owned()),
        "{made:?}"
    );
}

#[tokio::test]
async fn there_are_never_more_days_than_allowed() {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    // The template has five days; there is room for two more.
    let pool = database.pool_with(|config| config.partitions.max_days = 7).await.unwrap();
    let days = [MIDNIGHT.day(), Day(MIDNIGHT.day().0 + 1), Day(MIDNIGHT.day().0 + 2)];
    assert_eq!(ensure(&pool, &days).await, [days[2]].into());
    assert_eq!(ensure(&pool, &days).await, [days[2]].into(), "told again");
    assert!(ensure(&pool, &days[..2]).await.is_empty(), "those that are there are no news");
    assert!(ensure(&pool, &[UnixNanos::UNKNOWN.day()]).await.is_empty());
    assert_eq!(partitions(&client, "logs").await.len(), 7 + 2);

    // Another process, which learns of the days of this one only when it needs them.
    let other = database.pool_with(|config| config.partitions.max_days = 7).await.unwrap();
    assert!(!other.partitions().has(days[0]));
    assert_eq!(ensure(&other, &[days[0], days[2]]).await, [days[2]].into());
    assert!(other.partitions().has(days[0]));
}

#[tokio::test]
async fn today_and_the_days_ahead_have_a_place_whatever_clients_sent() {
    let database = TestDatabase::new().await;
    let pool = database
        .pool_with(|config| {
            config.partitions.max_days = 7;
            config.partitions.days_ahead = 5;
        })
        .await
        .unwrap();
    // The template has five days; two of long ago take the last places.
    assert!(ensure(&pool, &[MIDNIGHT.day(), Day(MIDNIGHT.day().0 + 1)]).await.is_empty());
    pool.partitions().make_ahead(&pool.connect().await.unwrap()).await.unwrap();
    assert_eq!(partitions(&database.client().await, "logs").await.len(), 7 + 2 + 2);
}

#[tokio::test]
async fn several_processes_may_make_the_same_day() {
    let database = TestDatabase::new().await;
    let days: Vec<Day> = (0..4).map(|day| Day(MIDNIGHT.day().0 + day)).collect();
    let refused = join_all((0..4).map(|_| async { ensure(&database.pool().await, &days).await })).await;
    assert_eq!(refused, vec![Refused::default().0; 4]);
    let client = database.client().await;
    let made = stored(
        &client,
        "(SELECT partition FROM observatory_partitions WHERE partition::text LIKE '%\\_2026010_')",
    )
    .await;
    assert_eq!(made.len(), 4 * TABLES.len());
}

#[tokio::test]
async fn rows_can_be_written_while_a_day_is_made() {
    let database = TestDatabase::new().await;
    let pool = database.pool().await;
    let client = database.client().await;
    client.batch_execute("BEGIN").await.unwrap();
    CopyWriter::new().write_logs(&client, &[rows::log(1, rows::now())]).await.unwrap();
    // An open transaction that has written to the parent does not hold the new day up.
    assert!(ensure(&pool, &[MIDNIGHT.day()]).await.is_empty());
    client.batch_execute("COMMIT").await.unwrap();
    assert_eq!(count(&client, "logs").await, 1);
}
