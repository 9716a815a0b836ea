//! The views that people read.

use std::sync::Arc;

use harness::TestDatabase;
use llm_observatory_core::ids::ProjectId;
use llm_observatory_core::llm::{Dialect, LlmKind, LlmReading};
use llm_observatory_core::log::Severity;
use llm_observatory_core::metric::{MetricKind, NO_RECORDED_VALUE};
use llm_observatory_core::time::UnixNanos;
use llm_observatory_core::trace::{SpanKind, StatusCode};
use llm_observatory_storage::config::WriteMethod;
use llm_observatory_storage::maintenance::Family;
use llm_observatory_storage::models::metric::PointValue;
use llm_observatory_storage::models::trace::Span;
use llm_observatory_storage::models::{LogRow, ResourceRow, ScopeRow};
use llm_observatory_storage::writers::{Dictionary, LogBatch, MetricBatch, TraceBatch, commit};
use serde_json::{Value as Json, json};
use tokio_postgres::Client;

use crate::plans::Plan;
use crate::rows::{self, MIDNIGHT, stored};

const TRACE: &str = "'00000000-0000-0000-0000-000000000001'";

async fn store(database: &TestDatabase, spans: Vec<Span>, logs: Vec<LogRow>) {
    let (writer, dictionary) = (database.writer().await, Dictionary::default());
    let spans = TraceBatch { spans, ..TraceBatch::default() };
    commit(&writer, &dictionary, &[spans], WriteMethod::Copy).await.unwrap();
    let logs = LogBatch { logs, ..LogBatch::default() };
    commit(&writer, &dictionary, &[logs], WriteMethod::Copy).await.unwrap();
}

/// A database with 200 traces of today, each with ten spans and ten log records.
async fn with_many_rows() -> (TestDatabase, Client) {
    let database = TestDatabase::new().await;
    let now = rows::now();
    let spans =
        (0..2_000).map(|n| rows::span(u128::from(n % 200), n + 1, UnixNanos(now.0 + n * 1_000)).into());
    let logs = (0..2_000_u64).map(|n| {
        let trace_id = Some(rows::trace_id(u128::from(n % 200)));
        LogRow { trace_id, ..rows::log(u128::from(n), UnixNanos(now.0 + n * 1_000)) }
    });
    store(&database, spans.collect(), logs.collect()).await;
    let client = database.client().await;
    (database, client)
}

#[tokio::test]
async fn a_trace_id_is_looked_up_by_key() {
    let (_database, client) = with_many_rows().await;
    let plan = Plan::of(&client, &format!("SELECT * FROM spans WHERE trace_id = {TRACE}")).await;
    let scans = plan.scans("trace_spans");
    assert!(scans.len() >= 7, "one scan per day: {scans:?}");
    for scan in &scans {
        assert_ne!(scan.node, "Seq Scan", "{scan:?}");
        assert!(scan.index.as_ref().is_none_or(|index| index.ends_with("_pkey")), "{scan:?}");
    }
    for (view, table) in [("span_events", "trace_events"), ("log_records", "logs")] {
        let plan = Plan::of(&client, &format!("SELECT * FROM {view} WHERE trace_id = {TRACE}")).await;
        let scans = plan.scans(table);
        assert!(scans.len() >= 7 && scans.iter().all(|scan| scan.node != "Seq Scan"), "{view}: {scans:?}");
    }
}

#[tokio::test]
async fn a_condition_on_the_time_reads_only_the_partitions_of_its_days() {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    let pool = database.pool().await;
    for family in Family::ALL {
        pool.partitions().ensure(&client, family, &[MIDNIGHT.day()].into()).await.unwrap();
    }
    let on_the_day = |column| format!("{column} >= '2026-01-01' AND {column} < '2026-01-02'");
    for (view, table, column) in [
        ("spans", "trace_spans", "start_time"),
        ("span_events", "trace_events", "start_time"),
        ("llm_spans", "trace_llm_spans", "start_time"),
        ("log_records", "logs", "time"),
        ("metric_points", "metric_data_points", "time"),
    ] {
        let plan = Plan::of(&client, &format!("SELECT * FROM {view} WHERE {}", on_the_day(column))).await;
        let tables: Vec<_> = plan.tables(table);
        assert_eq!(tables, [format!("{table}_20260101")], "{view}");
    }
    let of_trace = format!("SELECT * FROM spans WHERE trace_id = {TRACE} AND {}", on_the_day("start_time"));
    let plan = Plan::of(&client, &of_trace).await;
    assert_eq!(plan.tables("trace_spans"), ["trace_spans_20260101"]);
    assert_eq!(plan.scans("trace_spans")[0].node, "Index Scan");
}

#[tokio::test]
async fn a_view_joins_only_the_tables_that_a_query_names() {
    let (_database, client) = with_many_rows().await;
    let plan = Plan::of(&client, "SELECT service_name, avg(duration_ms) FROM spans GROUP BY 1").await;
    assert!(plan.scans("resources").is_empty() && plan.scans("scopes").is_empty());
}

/// The rows of a query, as JSON.
async fn json_of(client: &Client, query: &str) -> Vec<Json> {
    stored(client, &format!("({query})")).await
}

#[tokio::test]
async fn trace_ids_join_spans_events_logs_and_traces() {
    let database = TestDatabase::new().await;
    let mut spans: Vec<Span> =
        (1..=3).map(|id| rows::span(u128::from(id % 2), id, rows::now()).into()).collect();
    for span in &mut spans {
        span.row.name = format!("span {}", span.row.span_id.as_bytes()[7]).into();
        span.row.parent_span_id = (span.row.span_id != rows::span_id(1)).then(|| rows::span_id(1));
    }
    spans[2].events = vec![rows::event(&spans[2].row, 0, "exception")];
    let log = LogRow {
        trace_id: Some(rows::trace_id(1)),
        span_id: Some(rows::span_id(3)),
        service_name: "api".into(),
        ..rows::log(1, rows::now())
    };
    store(&database, spans, vec![log, rows::log(2, rows::now())]).await;
    let client = database.client().await;
    let query = "
        SELECT t.span_count, t.root_name, s.name, s.parent_span_id_hex AS parent, e.name AS event, l.service_name AS logged_by
        FROM spans s
        LEFT JOIN span_events e USING (trace_id, start_time, span_id)
        LEFT JOIN log_records l USING (trace_id, span_id)
        JOIN traces t USING (trace_id)
        WHERE trace_id = '00000000000000000000000000000001'";
    let expected = [
        json!({"span_count": 2, "root_name": "span 1", "name": "span 3", "parent": "0000000000000001",
               "event": "exception", "logged_by": "api"}),
        json!({"span_count": 2, "root_name": "span 1", "name": "span 1", "parent": null, "event": null, "logged_by": null}),
    ];
    assert_eq!(json_of(&client, query).await, expected);
    let hex = "SELECT DISTINCT trace_id_hex, span_id_hex FROM log_records WHERE trace_id IS NOT NULL
               UNION SELECT trace_id_hex, span_id_hex FROM span_events
               UNION SELECT trace_id_hex, span_id_hex FROM spans WHERE name = 'span 3'";
    let expected =
        json!({"trace_id_hex": "00000000000000000000000000000001", "span_id_hex": "0000000000000003"});
    assert_eq!(json_of(&client, hex).await, [expected]);
}

#[tokio::test]
async fn the_view_of_spans_names_kind_and_status() {
    let database = TestDatabase::new().await;
    let statuses = [None, Some(0), Some(1), Some(2), Some(9)];
    let spans = statuses.iter().enumerate().map(|(n, status)| {
        let mut span = rows::span(1, n as u64 + 1, rows::now());
        span.kind = SpanKind(n as i32 + 1);
        span.status = status.map(StatusCode);
        span.into()
    });
    let mut unknown = rows::failed(rows::span(1, 6, rows::now()));
    unknown.kind = SpanKind(77);
    store(&database, spans.chain([unknown.into()]).collect(), vec![]).await;
    let client = database.client().await;
    let rows = client.query("SELECT kind, status, is_error FROM spans ORDER BY span_id", &[]).await.unwrap();
    let words: Vec<(&str, &str, bool)> =
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
    let expected = [
        ("internal", "unset", false),
        ("server", "unset", false),
        ("client", "ok", false),
        ("producer", "error", true),
        ("consumer", "9", false),
        ("77", "error", true),
    ];
    assert_eq!(words, expected);
    // The rate counts the span without a status too.
    let rate = client.query_one("SELECT avg(is_error::int)::float8 FROM spans", &[]).await.unwrap();
    assert_eq!(rate.get::<_, f64>(0), 2.0 / 6.0);
}

#[tokio::test]
async fn the_view_of_log_records_names_the_severity() {
    let database = TestDatabase::new().await;
    let severities = [0, 1, 4, 5, 9, 13, 16, 17, 21, 24, 25, -1];
    let logs = severities
        .iter()
        .zip(1..)
        .map(|(severity, id)| LogRow { severity: Severity(*severity), ..rows::log(id, rows::now()) });
    store(&database, vec![], logs.collect()).await;
    let client = database.client().await;
    let rows = client.query("SELECT severity, is_error FROM log_records ORDER BY id", &[]).await.unwrap();
    let words: Vec<(&str, bool)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let names = [
        "unspecified",
        "trace",
        "trace",
        "debug",
        "info",
        "warn",
        "warn",
        "error",
        "fatal",
        "fatal",
        "25",
        "-1",
    ];
    let expected: Vec<_> = names.into_iter().zip(severities.map(|severity| severity >= 17)).collect();
    assert_eq!(words, expected);
}

#[tokio::test]
async fn points_come_with_their_metric_their_series_and_their_resource() {
    let database = TestDatabase::new().await;
    let resource = ResourceRow::of_service(ProjectId::DEFAULT, "api");
    let scope = ScopeRow::named(ProjectId::DEFAULT, "meter");
    let mut series = rows::series(2, 1);
    (series.resource_id, series.scope_id) = (resource.id, scope.id);
    let now = rows::now();
    let mut stale = rows::point(2, UnixNanos(now.0 + 2_000), PointValue::None);
    stale.flags = NO_RECORDED_VALUE;
    let points = vec![
        rows::point(2, now, PointValue::Int(7)),
        rows::point(2, UnixNanos(now.0 + 1_000), PointValue::Double(0.5)),
        stale,
        // The view shows a point even if its series is not stored.
        rows::point(3, UnixNanos(now.0 + 3_000), PointValue::Int(1)),
    ];
    let metrics = vec![rows::metric(1, MetricKind::Sum)];
    let batch =
        MetricBatch { resources: vec![resource], scopes: vec![scope], metrics, series: vec![series], points };
    let writer = database.writer().await;
    commit(&writer, &Dictionary::default(), &[batch], WriteMethod::Copy).await.unwrap();
    let client = database.client().await;
    let query = "
        SELECT service_name, name, unit, kind, temporality, attributes, value, value_int, is_stale, start_time, scope_name
        FROM metric_points ORDER BY time";
    let point = |value: Json, value_int: Json, is_stale: bool| {
        json!({"service_name": "api", "name": "requests", "unit": "1", "kind": "sum", "temporality": "unspecified",
               "attributes": {"route": "/chat"}, "value": value, "value_int": value_int, "is_stale": is_stale,
               "start_time": null, "scope_name": "meter"})
    };
    let orphan = json!({"service_name": null, "name": null, "unit": null, "kind": null, "temporality": null,
                        "attributes": null, "value": 1, "value_int": 1, "is_stale": false, "start_time": null,
                        "scope_name": null});
    let mut expected = vec![
        point(json!(7), json!(7), false),
        point(json!(0.5), Json::Null, false),
        point(Json::Null, Json::Null, true),
        orphan,
    ];
    expected.sort_by_key(Json::to_string);
    assert_eq!(json_of(&client, query).await, expected);
}

#[tokio::test]
async fn points_of_a_metric_are_found_by_their_series() {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    let query =
        "SELECT time, value FROM metric_points WHERE name = 'requests' AND time > now() - interval '1 hour'";
    let plan = Plan::of(&client, query).await;
    let scans = plan.scans("metric_data_points");
    assert!(!scans.is_empty() && scans.iter().all(|scan| scan.node != "Seq Scan"), "{scans:?}");
}

/// The query of the README.
#[tokio::test]
async fn the_walk_of_the_readme_works() {
    let readme = include_str!("../../../README.md");
    let begin = readme.find("-c 'SELECT").expect("the README queries with psql") + "-c '".len();
    let query = &readme[begin..begin + readme[begin..].find('\'').expect("its query ends")];
    assert!(query.contains("FROM llm_spans"), "{query}");
    let database = TestDatabase::new().await;
    let mut span = rows::span(1, 1, rows::now());
    span.name = "chat gpt-4o".into();
    let mut reading = LlmReading::new(LlmKind::Llm, Dialect::OtelGenai);
    reading.is_call = true;
    (reading.provider, reading.request_model) = (Some("openai".into()), Some("gpt-4o".into()));
    (reading.usage.input, reading.usage.cache_read, reading.usage.output) =
        (Some(1_200), Some(1_024), Some(90));
    let call = Span { llm: Some(Arc::new(reading)), ..span.into() };
    store(&database, vec![call, rows::span(1, 2, rows::now()).into()], vec![]).await;
    let rows = json_of(&database.client().await, query).await;
    let expected = json!([{"name": "chat gpt-4o", "model": "gpt-4o", "input_tokens": 1_200, "output_tokens": 90,
                           "cost_usd": 0.00262}]);
    assert_eq!(json!(rows), expected);
}
