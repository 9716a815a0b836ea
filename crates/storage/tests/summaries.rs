//! `traces` sums up the stored spans exactly, in any order, split and repetition of their batches.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use harness::TestDatabase;
use llm_observatory_core::ids::ProjectId;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_core::trace::StatusCode;
use llm_observatory_storage::config::WriteMethod;
use llm_observatory_storage::maintenance::Family;
use llm_observatory_storage::models::SpanRow;
use llm_observatory_storage::models::trace::Span;
use llm_observatory_storage::postgres::WriterConnection;
use llm_observatory_storage::writers::{self, Dictionary, RecordCounts, TraceBatch};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio_postgres::Client;

use crate::rows::{self, MIDNIGHT, count, stored};

const SERVICES: [&str; 4] = ["", "api", "chat", "unit\u{1f}separator"];

async fn commit(
    client: &WriterConnection,
    spans: impl IntoIterator<Item = Span>,
    method: WriteMethod,
) -> RecordCounts {
    let batch = TraceBatch { spans: spans.into_iter().collect(), ..TraceBatch::default() };
    writers::commit(client, &Dictionary::default(), &[batch], method).await.unwrap()
}

/// A database with the partitions of the days around [`MIDNIGHT`].
async fn database() -> (TestDatabase, WriterConnection) {
    let database = TestDatabase::new().await;
    let client = database.writer().await;
    let days = [MIDNIGHT.day(), UnixNanos(MIDNIGHT.0 + 1).day()];
    database.pool().await.partitions().ensure(&client, Family::Traces, &days.into()).await.unwrap();
    let nanos = "
        CREATE FUNCTION pg_temp.nanos(timestamptz, smallint) RETURNS numeric LANGUAGE sql
        RETURN (extract(epoch FROM $1) * 1000000000)::numeric(30) + $2";
    client.batch_execute(nanos).await.unwrap();
    (database, client)
}

/// Compares `traces` with summaries that SQL computes from the stored spans. Times are in nanoseconds.
async fn assert_exact(client: &Client) {
    const FOUND: &str = "
        SELECT jsonb_build_array(project_id, trace_id, day, span_count, error_count, pg_temp.nanos(start_time, start_nanos),
                                 pg_temp.nanos(end_time, end_nanos), root_start, root_span_id, root_name, root_service,
                                 (SELECT array_agg(DISTINCT name ORDER BY name) FROM unnest(services) AS name))::text
        FROM traces ORDER BY project_id, trace_id, day";
    const EXPECTED: &str = "
        WITH spans AS (
            SELECT *, (start_time AT TIME ZONE 'UTC')::date AS day, pg_temp.nanos(start_time, start_nanos) AS start,
                   greatest(pg_temp.nanos(start_time, start_nanos), pg_temp.nanos(end_time, end_nanos)) AS finish,
                   nullif(replace(service_name, chr(31), chr(65533)), '') AS service
            FROM trace_spans),
        roots AS (
            SELECT DISTINCT ON (project_id, trace_id, day) * FROM spans WHERE parent_span_id IS NULL
            ORDER BY project_id, trace_id, day, start_time, span_id),
        sums AS (
            SELECT project_id, trace_id, day, count(*) AS spans, count(*) FILTER (WHERE status_code = 2) AS errors,
                   min(start) AS start, max(finish) AS finish,
                   array_agg(DISTINCT service ORDER BY service) FILTER (WHERE service IS NOT NULL) AS services
            FROM spans GROUP BY project_id, trace_id, day)
        SELECT jsonb_build_array(project_id, trace_id, day, s.spans, s.errors, s.start, s.finish,
                                 r.start_time, r.span_id, r.name, r.service_name, s.services)::text
        FROM sums s LEFT JOIN roots r USING (project_id, trace_id, day) ORDER BY project_id, trace_id, day";
    let texts = |query: &'static str| async move {
        let rows = client.query(query, &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect::<Vec<String>>()
    };
    assert_eq!(texts(FOUND).await, texts(EXPECTED).await);
}

/// Spans of two traces around midnight and at both ends of time.
fn spans() -> impl Strategy<Value = Vec<SpanRow>> {
    let start = prop_oneof![
        5 => MIDNIGHT.0 - 2_000..MIDNIGHT.0 + 2_000,
        1 => Just(0),
        1 => Just(u64::MAX),
    ];
    let span = (0..2_u128, start, of(0..5_000_u64), of(1..4_u64), 0..3_i32, 0..SERVICES.len());
    vec(span, 1..12).prop_map(|spans| {
        let spans =
            spans.into_iter().enumerate().map(|(id, (trace, start, lasts, parent, status, service))| {
                let mut span = rows::span(trace + 1, id as u64 + 1, UnixNanos(start));
                span.end_time =
                    lasts.map_or(UnixNanos::UNKNOWN, |lasts| UnixNanos(start.saturating_add(lasts)));
                span.parent_span_id = parent.map(rows::span_id);
                span.status = Some(StatusCode(status));
                span.name = format!("span {id}").into();
                span.service_name = SERVICES[service].into();
                span
            });
        spans.collect()
    })
}

/// Batches as lists of span indexes, each with its method (true for COPY). Every span is in at least one batch.
fn batches(spans: usize) -> impl Strategy<Value = Vec<(Vec<usize>, bool)>> {
    let repeated = vec(0..spans, 0..spans);
    let order = repeated.prop_map(move |more| (0..spans).chain(more).collect::<Vec<_>>()).prop_shuffle();
    (order, 1..5_usize, vec(any::<bool>(), 30))
        .prop_map(|(order, size, methods)| order.chunks(size).map(<[usize]>::to_vec).zip(methods).collect())
}

#[test]
fn any_order_split_and_repetition_gives_the_same_summaries() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (_database, client) = runtime.block_on(database());
    let case = spans().prop_flat_map(|spans| (batches(spans.len()), Just(spans)));
    let config =
        Config { cases: 128, failure_persistence: None, max_shrink_time: 10_000, ..Config::default() };
    let outcome = TestRunner::new(config).run(&case, |(batches, spans)| {
        runtime.block_on(async {
            client
                .batch_execute("DELETE FROM traces; DELETE FROM trace_spans; DELETE FROM trace_events")
                .await
                .unwrap();
            let mut written = RecordCounts::default();
            for (batch, copies) in &batches {
                let method = if *copies { WriteMethod::Copy } else { WriteMethod::Insert };
                let batch = commit(&client, batch.iter().map(|n| spans[*n].clone().into()), method).await;
                written.stored += batch.stored;
                written.duplicates += batch.duplicates;
            }
            let sent: usize = batches.iter().map(|(batch, _)| batch.len()).sum();
            assert_eq!(written.stored, spans.len() as u64);
            assert_eq!(written.duplicates, (sent - spans.len()) as u64);
            assert_eq!(count(&client, "trace_spans").await, spans.len() as i64);
            assert_exact(&client).await;
        });
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

#[tokio::test]
async fn a_batch_that_is_written_twice_is_stored_once() {
    for (first, second) in [
        (WriteMethod::Copy, WriteMethod::Copy),
        (WriteMethod::Insert, WriteMethod::Copy),
        (WriteMethod::Copy, WriteMethod::Insert),
    ] {
        let (_database, client) = database().await;
        let with_event = |row: SpanRow| Span { events: vec![rows::event(&row, 0, "e")], ..row.into() };
        let old: Vec<Span> =
            (1..=10).map(|id| with_event(rows::failed(rows::span(1, id, MIDNIGHT)))).collect();
        let new = with_event(rows::span(1, 11, MIDNIGHT));
        assert_eq!(
            commit(&client, old.clone(), first).await,
            RecordCounts { stored: 10, ..RecordCounts::default() }
        );
        let again = old.into_iter().chain([new]);
        assert_eq!(
            commit(&client, again, second).await,
            RecordCounts { stored: 1, duplicates: 10, ..RecordCounts::default() }
        );
        assert_eq!(count(&client, "trace_spans").await, 11);
        assert_eq!(count(&client, "trace_events").await, 11);
        let traces = stored(&client, "traces").await;
        assert_eq!((&traces[0]["span_count"], &traces[0]["error_count"]), (&11.into(), &10.into()));
    }
}

#[tokio::test]
async fn writers_of_the_same_spans_store_each_once() {
    let (database, client) = database().await;
    let spans: Vec<Span> =
        (1..=200).map(|id| rows::span(1 + u128::from(id % 7), id, MIDNIGHT).into()).collect();
    let stored = join_all((0..4).map(|writer| {
        let (database, spans) = (&database, &spans);
        async move {
            let client = database.writer().await;
            let mut stored = 0;
            for n in 0..8 {
                // Each writer starts at another span and wraps around, so that its batches overlap those of the others.
                let batch = spans.iter().cycle().skip((writer * 50 + n * 25) % 200).take(30 + writer);
                let method = if n % 2 == 0 { WriteMethod::Copy } else { WriteMethod::Insert };
                stored += commit(&client, batch.cloned(), method).await.stored;
            }
            stored
        }
    }))
    .await;
    assert_eq!(stored.iter().sum::<u64>(), 200);
    assert_eq!(count(&client, "trace_spans").await, 200);
    assert_exact(&client).await;
}

#[tokio::test]
async fn a_trace_that_crosses_midnight_has_a_row_for_each_day() {
    let (_database, client) = database().await;
    let before = rows::span(1, 1, MIDNIGHT);
    let mut after = rows::span(1, 2, UnixNanos(MIDNIGHT.0 + 1));
    after.parent_span_id = Some(before.span_id);
    commit(&client, [before.into(), after.into()], WriteMethod::Copy).await;
    let days: Vec<_> = stored(&client, "traces").await.iter().map(|trace| trace["day"].clone()).collect();
    assert_eq!(days, ["2026-01-01", "2026-01-02"]);
    assert_exact(&client).await;
    let leaves = stored(&client, "(SELECT tableoid::regclass AS leaf FROM trace_spans)").await;
    let leaves: Vec<_> = leaves.iter().map(|row| row["leaf"].as_str().unwrap()).collect();
    assert_eq!(leaves, ["trace_spans_20260101", "trace_spans_20260102"]);
}

#[tokio::test]
async fn of_two_versions_in_one_batch_the_more_complete_one_remains() {
    for method in [WriteMethod::Copy, WriteMethod::Insert] {
        let (_database, client) = database().await;
        let unended = Span {
            events: vec![rows::event(&rows::span(1, 1, MIDNIGHT), 0, "old")],
            ..rows::span(1, 1, MIDNIGHT).into()
        };
        let mut ended = rows::span(1, 1, MIDNIGHT);
        ended.end_time = UnixNanos(MIDNIGHT.0 + 5_000);
        let written = commit(&client, [unended.clone(), ended.into(), unended], method).await;
        assert_eq!(written, RecordCounts { stored: 1, duplicates: 2, completed: 0 });
        assert_eq!(stored(&client, "trace_spans").await[0]["duration_nanos"], 5_000);
        assert_eq!(count(&client, "trace_events").await, 0, "events go with their span");
        assert_exact(&client).await;
    }
}

/// Spans in up to three versions each, with different ends, status, names, services and events.
fn versions() -> impl Strategy<Value = Vec<Span>> {
    let version = (of(0..5_000_u64), 0..3_i32, any::<bool>(), 0..SERVICES.len(), 0..3_usize);
    let span = (0..2_u128, MIDNIGHT.0 - 2_000..MIDNIGHT.0 + 2_000, vec(version, 1..4));
    vec(span, 1..6).prop_map(|spans| {
        let versions = spans.into_iter().enumerate().flat_map(|(id, (trace, start, versions))| {
            // The key holds whole microseconds: two versions may differ in the nanoseconds of their start.
            versions.into_iter().zip(0..).map(move |((lasts, status, root, service, events), n)| {
                let mut span = rows::span(trace + 1, id as u64 + 1, UnixNanos(start / 1_000 * 1_000 + n));
                span.end_time =
                    lasts.map_or(UnixNanos::UNKNOWN, |lasts| UnixNanos(span.start_time.0 + lasts));
                span.parent_span_id = (!root).then(|| rows::span_id(99));
                span.status = Some(StatusCode(status));
                span.name = format!("span {id}, version {n}").into();
                span.service_name = SERVICES[service].into();
                let events = (0..).take(events).map(|n| rows::event(&span, n, &span.name)).collect();
                Span { events, ..span.into() }
            })
        });
        versions.collect()
    })
}

#[test]
fn any_order_of_versions_keeps_the_most_complete_one_and_exact_summaries() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (_database, client) = runtime.block_on(database());
    let case = versions().prop_flat_map(|spans| (batches(spans.len()), Just(spans)));
    let config =
        Config { cases: 96, failure_persistence: None, max_shrink_time: 10_000, ..Config::default() };
    let outcome = TestRunner::new(config).run(&case, |(batches, spans)| {
        runtime.block_on(async {
            let empty = "DELETE FROM traces; DELETE FROM trace_spans; DELETE FROM trace_events";
            client.batch_execute(empty).await.unwrap();
            for (batch, copies) in &batches {
                let method = if *copies { WriteMethod::Copy } else { WriteMethod::Insert };
                commit(&client, batch.iter().map(|n| spans[*n].clone()), method).await;
            }
            let mut best: BTreeMap<_, &Span> = BTreeMap::new();
            for span in &spans {
                let kept = best.entry(span.row.key()).or_insert(span);
                let complete = |span: &Span| (span.row.end_time, span.row.status.map(|status| status.0));
                let says_more = complete(span).cmp(&complete(kept)).then(span.row.name.cmp(&kept.row.name));
                if says_more.is_gt() {
                    *kept = span;
                }
            }
            let names: Vec<_> = best.values().map(|span| span.row.name.to_string()).collect();
            let query = "SELECT name FROM trace_spans ORDER BY trace_id, start_time, span_id";
            let found = client.query(query, &[]).await.unwrap();
            assert_eq!(found.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>(), names);
            let events: usize = best.values().map(|span| span.events.len()).sum();
            let of_kept = "trace_events e JOIN trace_spans s USING (trace_id, start_time, span_id) WHERE e.name = s.name";
            assert_eq!(count(&client, of_kept).await, events as i64);
            assert_eq!(count(&client, "trace_events").await, events as i64);
            assert_exact(&client).await;
        });
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

#[tokio::test]
async fn writers_that_complete_the_same_spans_agree() {
    let (database, client) = database().await;
    join_all((0..4_u64).map(|writer| {
        let database = &database;
        async move {
            let client = database.writer().await;
            for round in 0..6 {
                let versions = (1..=40).map(|id| {
                    let mut span = rows::span(1 + u128::from(id % 3), id, MIDNIGHT);
                    span.end_time = UnixNanos(MIDNIGHT.0 + 1 + (writer * 7 + round * 13 + id) % 97);
                    span.status = Some(StatusCode((round % 3) as i32));
                    Span::from(span)
                });
                commit(&client, versions, WriteMethod::Copy).await;
            }
        }
    }))
    .await;
    assert_eq!(count(&client, "trace_spans").await, 40);
    assert_exact(&client).await;
    let latest =
        |id: u64| (0..4).flat_map(|w| (0..6).map(move |r| (w * 7 + r * 13 + id) % 97)).max().unwrap();
    for span in stored(&client, "trace_spans").await {
        let id = u64::from_str_radix(&span["span_id"].as_str().unwrap()[2..], 16).unwrap();
        assert_eq!(span["duration_nanos"], 1 + latest(id));
    }
}

#[tokio::test]
async fn projects_have_separate_summaries() {
    let (_database, client) = database().await;
    let of = |project| {
        let mut span = rows::span(1, 1, MIDNIGHT);
        span.project_id = ProjectId(project);
        Span::from(span)
    };
    assert_eq!(commit(&client, [of(1), of(2)], WriteMethod::Copy).await.stored, 2);
    assert_eq!(commit(&client, [of(2)], WriteMethod::Insert).await.duplicates, 1);
    assert_eq!(count(&client, "traces").await, 2);
    assert_exact(&client).await;
}
