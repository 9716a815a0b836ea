//! Traces of a service: all of them, once, in order, whether the service has many or few, and at a cost that does not grow
//! with the traces of others.

use harness::TestDatabase;
use llm_observatory_core::time::{Day, UnixNanos};
use llm_observatory_storage::maintenance::Family;
use llm_observatory_storage::repositories::trace::TraceFilter;
use llm_observatory_storage::repositories::{TimeRange, TraceRepository};
use llm_observatory_storage::{StoragePool, statements};
use tokio_postgres::Client;
use tokio_postgres::types::Type;
use uuid::Uuid;

/// More than are looked at before the index is asked.
const TRACES: i32 = 2_500;

/// 2026-01-05, 2026-01-06 and 2026-01-07.
const DAYS: [Day; 3] = [Day(20_458), Day(20_459), Day(20_460)];

/// One row of `traces`, with the number of its trace.
const ROW: &str = "
    INSERT INTO traces (start_time, end_time, span_count, error_count, day, project_id, start_nanos, end_nanos, trace_id, services)
    SELECT at, at, 1, 0, (at AT TIME ZONE 'UTC')::date, project, 0, 0, lpad(to_hex(n), 32, '0')::uuid, services FROM ";

/// Traces 1 to [`TRACES`] on the second day, a second apart and all of the service `common`; some are of others too, and some
/// go on where nobody would look first.
async fn fill(client: &Client, traces: i32) {
    let many = format!(
        "{ROW} (SELECT n, 1 AS project, '2026-01-06 00:00:00+00'::timestamptz + n * interval '1 s' AS at,
                ARRAY['common'] || CASE WHEN n % 500 = 3 THEN ARRAY['rare'] WHEN n = 4 THEN ARRAY['once'] ELSE '{{}}' END AS services
                FROM generate_series(1, {traces}) AS n) AS row"
    );
    client.batch_execute(&many).await.unwrap();
    let elsewhere = format!(
        "{ROW} (VALUES (5, 1, '2026-01-07 10:00:00+00'::timestamptz, ARRAY['late']),
                       (6, 1, '1970-01-01 00:00:00+00', ARRAY['undated', 'late']),
                       (7, 1, '2026-01-05 10:00:00+00', ARRAY['early']),
                       (90010, 1, '2026-01-06 00:00:00+00', ARRAY[repeat('long', 1000), 'short']),
                       (90011, 1, '2026-01-06 00:00:00+00', ARRAY[repeat('long', 1001)]),
                       (9999, 1, '1970-01-01 00:00:00+00', ARRAY['undated']),
                       (8, 2, '2026-01-07 10:00:00+00', ARRAY['foreign', 'late']))
         AS row (n, project, at, services)"
    );
    client.batch_execute(&elsewhere).await.unwrap();
}

/// The numbers of the traces of a service, as its pages list them.
async fn listed(pool: &StoragePool, service: &str, range: TimeRange, limit: usize) -> Vec<u128> {
    let traces = TraceRepository::new(pool.clone());
    let mut filter = TraceFilter { range, service: Some(service.into()), limit, ..TraceFilter::default() };
    let mut numbers = Vec::new();
    loop {
        let page = traces.list(filter.clone()).await.unwrap();
        assert!(page.items.len() <= limit);
        numbers.extend(page.items.iter().map(|trace| trace.trace_id.uuid().as_u128()));
        match page.next {
            Some(next) => filter.after = Some(next),
            None => return numbers,
        }
    }
}

async fn world(traces: i32) -> (TestDatabase, StoragePool, Client) {
    let database = TestDatabase::new().await;
    let pool = database.pool().await;
    pool.ensure_partitions(Family::Traces, &DAYS.into()).await.unwrap();
    let client = database.client().await;
    fill(&client, traces).await;
    (database, pool, client)
}

#[tokio::test]
async fn every_trace_of_a_service_is_listed_once_where_it_started() {
    let (_database, pool, client) = world(TRACES).await;
    let day = |n: usize| TimeRange { start: DAYS[n].start(), end: DAYS[n + 1].start() };
    let newest_first = |numbers: &[u128]| numbers.iter().rev().copied().collect::<Vec<_>>();
    let common = (1..=TRACES.unsigned_abs().into()).filter(|n| *n != 7).collect::<Vec<u128>>();
    let (long, shorter) = ("long".repeat(1_000), "long".repeat(999));
    for analysed in [false, true] {
        if analysed {
            client.batch_execute("ANALYZE traces").await.unwrap();
        }
        let of = async |service, range| listed(&pool, service, range, 700).await;
        // The seventh started the day before, and is listed there.
        assert_eq!(of("common", day(1)).await, newest_first(&common));
        assert_eq!(of("common", day(0)).await, [7]);
        assert_eq!(of("rare", day(1)).await, [2_003, 1_503, 1_003, 503, 3]);
        assert_eq!(of("once", day(1)).await, [4]);
        assert_eq!(of("late", day(1)).await, [6, 5], "on another day than the one that is asked for");
        assert_eq!(of("early", day(0)).await, [7]);
        assert_eq!(of("early", day(1)).await, [0_u128; 0]);
        assert_eq!(of("undated", TimeRange::ALL).await, [6, 9_999]);
        assert_eq!(of(&long, day(1)).await, [90_010], "longer than an entry of an index");
        assert_eq!(of("short", day(1)).await, [90_010]);
        for none in ["none", "foreign", "comm", "", &shorter] {
            assert_eq!(of(none, TimeRange::ALL).await, [0_u128; 0], "{none}");
        }
        assert_eq!(listed(&pool, "rare", TimeRange::ALL, 2).await, [2_003, 1_503, 1_003, 503, 3]);
        let until_rare =
            TimeRange { start: UnixNanos(0), end: UnixNanos(day(1).start.0 + 1_003_000_000_000) };
        assert_eq!(of("rare", until_rare).await, [503, 3], "the end is not part of a range");
    }
}

/// The pages of PostgreSQL's buffers that the newest traces of a service on the second day cost.
async fn cost(client: &Client, service: &str) -> u64 {
    let listing =
        statements().into_iter().find(|statement| statement.name() == "trace: list of service").unwrap();
    let explain = format!("EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {}", listing.sql());
    let (start, end) = ("2026-01-06 00:00:00+00", "2026-01-07 00:00:00+00");
    let moment = async |text: &str| -> std::time::SystemTime {
        client.query_one(&format!("SELECT '{text}'::timestamptz"), &[]).await.unwrap().get(0)
    };
    let (start, end) = (moment(start).await, moment(end).await);
    let row = client
        .query_typed(
            &explain,
            &[
                (&1, Type::INT4),
                (&start, Type::TIMESTAMPTZ),
                (&0_i16, Type::INT2),
                (&end, Type::TIMESTAMPTZ),
                (&0_i16, Type::INT2),
                (&Uuid::nil(), Type::UUID),
                (&101_i64, Type::INT8),
                (&service, Type::TEXT),
            ],
        )
        .await
        .unwrap();
    let plan: serde_json::Value = row[0].get(0);
    let blocks = |name: &str| plan[0]["Plan"][name].as_u64().unwrap();
    blocks("Shared Hit Blocks") + blocks("Shared Read Blocks")
}

#[tokio::test]
async fn a_service_without_traces_costs_the_same_among_many_as_among_few() {
    let (_few, _, few) = world(TRACES).await;
    let (_many, _, many) = world(10 * TRACES).await;
    for client in [&few, &many] {
        client.batch_execute("ANALYZE traces").await.unwrap();
    }
    for service in ["none", "once", "late", "common"] {
        let (few, many) = (cost(&few, service).await, cost(&many, service).await);
        assert!(
            many < few + few / 2,
            "{service}: {few} pages among {TRACES} traces, {many} among ten times as many"
        );
    }
}
