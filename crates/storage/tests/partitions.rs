//! Day partitions.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use harness::TestDatabase;
use llm_observatory_core::time::{Day, UnixNanos};
use llm_observatory_storage::maintenance::Family;
use llm_observatory_storage::maintenance::partitions::DeclinedDays;
use llm_observatory_storage::{CopyWriter, StoragePool};
use tokio_postgres::Client;

use crate::rows::{self, MIDNIGHT, count, stored};

async fn partitions(client: &Client, table: &str) -> Vec<String> {
    let query = "SELECT partition::text FROM observatory_partitions WHERE parent = $1 ORDER BY 1";
    client.query(query, &[&table]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// Creates partitions of `days` for every family. Returns the days that some family declined.
async fn ensure(pool: &StoragePool, days: &[Day]) -> BTreeSet<Day> {
    let client = pool.connect().await.unwrap();
    let mut declined = BTreeSet::new();
    for family in Family::ALL {
        let of_family: DeclinedDays =
            pool.partitions().ensure(&client, family, &days.iter().copied().collect()).await.unwrap();
        declined.extend(days.iter().filter(|day| of_family.contains(**day)));
    }
    declined
}

fn has(pool: &StoragePool, day: Day) -> bool {
    Family::ALL.iter().all(|family| pool.partitions().has(*family, day))
}

fn tables() -> Vec<&'static str> {
    Family::ALL.iter().flat_map(|family| family.tables()).copied().collect()
}

#[tokio::test]
async fn migrations_create_the_days_ahead_and_both_ends_of_time() {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    for table in tables() {
        // Yesterday, today and three more, undated, far future.
        assert_eq!(partitions(&client, table).await.len(), 7, "{table}");
    }
}

#[tokio::test]
async fn a_day_is_created_on_demand_in_every_table_of_a_family_and_in_utc() {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    let pool = database.pool().await;
    let row = rows::span(1, 1, MIDNIGHT);
    let error = CopyWriter::write_spans(&client, std::slice::from_ref(&row)).await.unwrap_err();
    assert_eq!(error.failure(), llm_observatory_storage::error::Failure::NoPartition);

    assert!(!has(&pool, MIDNIGHT.day()));
    assert!(ensure(&pool, &[MIDNIGHT.day()]).await.is_empty());
    assert!(has(&pool, MIDNIGHT.day()));
    for table in tables() {
        assert!(partitions(&client, table).await.contains(&format!("{table}_20260101")), "{table}");
    }
    // The last microsecond of the UTC day belongs to it in any time zone of the server.
    CopyWriter::write_spans(&client, &[row]).await.unwrap();
    assert_eq!(count(&client, "trace_spans_20260101").await, 1);
}

#[tokio::test]
async fn times_without_a_day_have_partitions_of_their_own() {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    let pool = database.pool().await;
    let times = [UnixNanos::UNKNOWN, UnixNanos(1), UnixNanos(u64::MAX)];
    for time in times {
        assert!(has(&pool, time.day()), "{time:?}");
    }
    assert!(ensure(&pool, &times.map(UnixNanos::day)).await.is_empty());
    let logs = times.map(|time| rows::log(1, time));
    CopyWriter::write_logs(&client, &logs).await.unwrap();
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
async fn a_family_declines_days_beyond_max_days() {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    // The template has five days; there is room for two more.
    let pool = database.pool_with(|config| config.partitions.max_days = 7).await.unwrap();
    let days = [MIDNIGHT.day(), Day(MIDNIGHT.day().0 + 1), Day(MIDNIGHT.day().0 + 2)];
    assert_eq!(ensure(&pool, &days).await, [days[2]].into());
    assert_eq!(ensure(&pool, &days).await, [days[2]].into(), "declined again");
    assert!(ensure(&pool, &days[..2]).await.is_empty(), "existing partitions are not declined");
    assert!(ensure(&pool, &[UnixNanos::UNKNOWN.day()]).await.is_empty());
    assert_eq!(partitions(&client, "logs").await.len(), 7 + 2);

    // Another process learns of these partitions only when it needs them.
    let other = database.pool_with(|config| config.partitions.max_days = 7).await.unwrap();
    assert!(!has(&other, days[0]));
    assert_eq!(ensure(&other, &[days[0], days[2]]).await, [days[2]].into());
    assert!(has(&other, days[0]));
}

#[tokio::test]
async fn today_and_the_days_ahead_get_partitions_beyond_max_days() {
    let database = TestDatabase::new().await;
    let pool = database
        .pool_with(|config| {
            config.partitions.max_days = 7;
            config.partitions.days_ahead = 5;
        })
        .await
        .unwrap();
    // The template has five days; two old ones fill the family.
    assert!(ensure(&pool, &[MIDNIGHT.day(), Day(MIDNIGHT.day().0 + 1)]).await.is_empty());
    pool.partitions().make_ahead(&pool.connect().await.unwrap()).await.unwrap();
    assert_eq!(partitions(&database.client().await, "logs").await.len(), 7 + 2 + 2);
}

#[tokio::test]
async fn each_family_has_its_own_days() {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    // The template has five days; there is room for one more in each family.
    let pool = database.pool_with(|config| config.partitions.max_days = 6).await.unwrap();
    let days = [MIDNIGHT.day(), MIDNIGHT.day().next()];
    let made = pool.partitions().ensure(&client, Family::Logs, &[days[0]].into()).await.unwrap();
    assert!(made.is_empty());
    assert!(pool.partitions().has(Family::Logs, days[0]));
    assert!(!pool.partitions().has(Family::Traces, days[0]));
    assert!(!partitions(&client, "traces").await.contains(&"traces_20260101".to_owned()));

    let declined = pool.partitions().ensure(&client, Family::Logs, &[days[1]].into()).await.unwrap();
    assert!(declined.contains(days[1]), "the logs have their six days");
    let declined = pool.partitions().ensure(&client, Family::Traces, &[days[1]].into()).await.unwrap();
    assert!(declined.is_empty(), "the traces have room");
}

#[tokio::test]
async fn several_processes_may_create_the_same_day() {
    let database = TestDatabase::new().await;
    let days: Vec<Day> = (0..4).map(|day| Day(MIDNIGHT.day().0 + day)).collect();
    let declined = join_all((0..4).map(|_| async { ensure(&database.pool().await, &days).await })).await;
    assert_eq!(declined, vec![BTreeSet::new(); 4]);
    let client = database.client().await;
    let made = stored(
        &client,
        "(SELECT partition FROM observatory_partitions WHERE partition::text LIKE '%\\_2026010_')",
    )
    .await;
    assert_eq!(made.len(), 4 * tables().len());
}

#[tokio::test]
async fn a_day_is_created_while_a_writer_has_an_open_transaction() {
    let database = TestDatabase::new().await;
    let pool = database.pool().await;
    let client = database.client().await;
    client.batch_execute("BEGIN").await.unwrap();
    CopyWriter::write_logs(&client, &[rows::log(1, rows::now())]).await.unwrap();
    // The open transaction has written to the parent. It does not block the new partition.
    assert!(ensure(&pool, &[MIDNIGHT.day()]).await.is_empty());
    client.batch_execute("COMMIT").await.unwrap();
    assert_eq!(count(&client, "logs").await, 1);
}
