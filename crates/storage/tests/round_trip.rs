//! Rows of every type, written by COPY and by INSERT, compared with what PostgreSQL says is in each column.

use bytes::{Bytes, BytesMut};
use harness::TestDatabase;
use llm_observatory_core::attributes::{Attribute, Value};
use llm_observatory_core::ids::{ProjectId, ResourceId, ScopeId};
use llm_observatory_core::log::Severity;
use llm_observatory_core::metric::{MetricKind, Temporality};
use llm_observatory_core::span::{LlmReading, TokenUsage};
use llm_observatory_core::text::Text;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_core::trace::{SpanKind, StatusCode};
use llm_observatory_storage::CopyWriter;
use llm_observatory_storage::config::WriteMethod;
use llm_observatory_storage::models::attributes::{Attributes, ValueColumns};
use llm_observatory_storage::models::log::TimeSource;
use llm_observatory_storage::models::metric::{Buckets, PointValue};
use llm_observatory_storage::models::row::RowEncoder;
use llm_observatory_storage::models::trace::{Nested, Span};
use llm_observatory_storage::models::{
    DataPointRow, EventRow, LogRow, MetricRow, ResourceRow, Row, ScopeRow, SpanRow, TraceRow,
};
use llm_observatory_storage::writers::{Dictionary, LogBatch, MetricBatch, TraceBatch, log, metric, trace};
use serde_json::{Value as Json, json};
use tokio_postgres::Client;
use uuid::Uuid;

use crate::rows::{self, MIDNIGHT, stored};

const LAST: UnixNanos = UnixNanos(u64::MAX);

/// What is written to make sure that both ways give the same.
#[derive(Default)]
struct Everything {
    traces: TraceBatch,
    metrics: MetricBatch,
    logs: LogBatch,
}

/// A database with the partitions that the rows below need.
async fn database() -> (TestDatabase, Client) {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    let pool = database.pool().await;
    pool.partitions()
        .ensure(&client, &[MIDNIGHT.day()].into())
        .await
        .unwrap();
    (database, client)
}

async fn by_copy(client: &Client, rows: &Everything) {
    let copy = CopyWriter::with_chunk_bytes(64);
    let spans: Vec<SpanRow> = rows.traces.spans.iter().map(|span| span.row.clone()).collect();
    let events: Vec<EventRow> = rows
        .traces
        .spans
        .iter()
        .flat_map(|span| span.events.clone())
        .collect();
    let summaries: Vec<TraceRow> = spans.iter().map(TraceRow::of).collect();
    assert_eq!(
        copy.write_spans(client, &spans).await.unwrap(),
        spans.len() as u64
    );
    assert_eq!(
        copy.write_events(client, &events).await.unwrap(),
        events.len() as u64
    );
    assert_eq!(
        copy.write_traces(client, &summaries).await.unwrap(),
        summaries.len() as u64
    );
    copy.write_metrics(client, &rows.metrics.metrics).await.unwrap();
    copy.write_data_points(client, &rows.metrics.points)
        .await
        .unwrap();
    copy.write_logs(client, &rows.logs.logs).await.unwrap();
    // Dictionaries are inserted whatever the method.
    let traces = TraceBatch {
        spans: Vec::new(),
        ..rows.traces.clone()
    };
    let metrics = MetricBatch {
        points: Vec::new(),
        metrics: Vec::new(),
        ..rows.metrics.clone()
    };
    trace::commit(client, &Dictionary::default(), &[traces], WriteMethod::Copy)
        .await
        .unwrap();
    metric::commit(client, &Dictionary::default(), &[metrics], WriteMethod::Copy)
        .await
        .unwrap();
}

async fn by_insert(client: &Client, rows: &Everything) {
    let dictionary = Dictionary::default();
    trace::commit(client, &dictionary, &[rows.traces.clone()], WriteMethod::Insert)
        .await
        .unwrap();
    metric::commit(client, &dictionary, &[rows.metrics.clone()], WriteMethod::Insert)
        .await
        .unwrap();
    log::commit(client, &dictionary, &[rows.logs.clone()], WriteMethod::Insert)
        .await
        .unwrap();
}

/// Writes the rows both ways, and compares the table with `expected` each time.
async fn assert_stored(rows: Everything, table: &str, expected: &[Json]) {
    let mut expected = expected.to_vec();
    expected.sort_by_key(Json::to_string);
    let (_database, client) = database().await;
    by_copy(&client, &rows).await;
    assert_eq!(stored(&client, table).await, expected, "by COPY");
    let (_database, client) = database().await;
    by_insert(&client, &rows).await;
    assert_eq!(stored(&client, table).await, expected, "by INSERT");
}

fn full_span() -> SpanRow {
    SpanRow {
        parent_span_id: Some(rows::span_id(u64::MAX)),
        end_time: LAST,
        name: "chat \"ünïcode\" \u{10ffff}".into(),
        service_name: "a\0b".into(),
        kind: SpanKind(i32::MIN),
        status: Some(StatusCode(i32::MAX)),
        status_message: "it failed".into(),
        trace_state: "vendor=1".into(),
        flags: u32::MAX,
        attributes: Attributes::new(&[Attribute::new("b", f64::NAN), Attribute::new("a", 1)]),
        dropped_attributes_count: u32::MAX,
        dropped_events_count: 1 << 31,
        dropped_links_count: 1,
        links: Some(Nested {
            json: Bytes::from_static(br#"[{"span_id":"01"}]"#),
            otlp: Bytes::from_static(b"\0\xff"),
        }),
        llm: Some(Box::new(LlmReading {
            operation: Some("chat".into()),
            provider: Some("openai".into()),
            request_model: Some("gpt".into()),
            response_model: Some("gpt-1".into()),
            session_id: Some("s".into()),
            user_id: Some(Text::EMPTY),
            usage: TokenUsage {
                input: Some(i64::MAX),
                output: Some(0),
                cache_read: Some(3),
                cache_creation: Some(4),
                reasoning: Some(5),
            },
        })),
        ..rows::span(u128::MAX, 1, MIDNIGHT)
    }
}

fn full_span_as_stored() -> Json {
    json!({
        "start_time": "2026-01-01T23:59:59.999999+00:00", "start_nanos": 999,
        "end_time": "2554-07-21T23:34:33.709551+00:00", "end_nanos": 615,
        "duration_nanos": i64::MAX,
        "input_tokens": i64::MAX, "output_tokens": 0, "cache_read_tokens": 3, "cache_creation_tokens": 4,
        "reasoning_tokens": 5,
        "project_id": 1, "kind": i32::MIN, "status_code": i32::MAX, "flags": -1,
        "dropped_attributes_count": -1, "dropped_events_count": i32::MIN, "dropped_links_count": 1,
        "trace_id": "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "resource_id": "00000000-0000-0000-0000-00000000000a",
        "scope_id": "00000000-0000-0000-0000-00000000000b",
        "span_id": "\\x0000000000000001", "parent_span_id": "\\xffffffffffffffff",
        "name": "chat \"ünïcode\" \u{10ffff}", "service_name": "a\u{fffd}b",
        "trace_state": "vendor=1", "status_message": "it failed",
        "llm_operation": "chat", "llm_provider": "openai", "llm_request_model": "gpt", "llm_response_model": "gpt-1",
        "llm_session_id": "s", "llm_user_id": "",
        // Layout: two attributes, the first one exact (NaN), the second the first of the JSON.
        "attributes": {"a": 1, "b": "NaN"}, "attributes_layout": "\\x02ff000a0e0a0162120921000000000000f87f",
        "links": [{"span_id": "01"}], "links_otlp": "\\x00ff",
    })
}

fn bare_span_as_stored() -> Json {
    let mut row = full_span_as_stored();
    let columns = row.as_object_mut().unwrap();
    columns.values_mut().for_each(|value| *value = Json::Null);
    columns.extend([
        ("start_time".to_owned(), json!("1970-01-01T00:00:00+00:00")),
        ("start_nanos".to_owned(), json!(0)),
        ("project_id".to_owned(), json!(1)),
        ("kind".to_owned(), json!(0)),
        ("status_code".to_owned(), json!(-1)),
        (
            "trace_id".to_owned(),
            json!("00000000-0000-0000-0000-000000000001"),
        ),
        (
            "resource_id".to_owned(),
            json!("00000000-0000-0000-0000-00000000000a"),
        ),
        (
            "scope_id".to_owned(),
            json!("00000000-0000-0000-0000-00000000000b"),
        ),
        ("span_id".to_owned(), json!("\\x0000000000000002")),
        ("name".to_owned(), json!("")),
        ("service_name".to_owned(), json!("")),
        ("attributes".to_owned(), json!({})),
    ]);
    row
}

#[tokio::test]
async fn spans() {
    let bare = rows::span(1, 2, UnixNanos::UNKNOWN);
    let batch = TraceBatch {
        spans: vec![bare.into(), full_span().into()],
        ..TraceBatch::default()
    };
    let rows = Everything {
        traces: batch,
        ..Everything::default()
    };
    assert_stored(
        rows,
        "trace_spans",
        &[bare_span_as_stored(), full_span_as_stored()],
    )
    .await;
}

#[tokio::test]
async fn events() {
    let span = rows::span(1, 2, MIDNIGHT);
    let full = EventRow {
        time: LAST,
        attributes: Attributes::new(&[Attribute::new("k", "v")]),
        dropped_attributes_count: u32::MAX,
        ..rows::event(&span, 1, "exception")
    };
    let bare = EventRow {
        time: UnixNanos::UNKNOWN,
        ..rows::event(&span, 0, "")
    };
    let as_stored = |ordinal: i32, time: &str, nanos: i16, dropped: Json, name: &str, attributes: Json| {
        json!({
            "start_time": "2026-01-01T23:59:59.999999+00:00", "time": time, "time_nanos": nanos, "project_id": 1,
            "ordinal": ordinal, "dropped_attributes_count": dropped, "name": name,
            "trace_id": "00000000-0000-0000-0000-000000000001", "span_id": "\\x0000000000000002",
            "attributes": attributes, "attributes_layout": null,
        })
    };
    let expected = [
        as_stored(0, "1970-01-01T00:00:00+00:00", 0, Json::Null, "", json!({})),
        as_stored(
            1,
            "2554-07-21T23:34:33.709551+00:00",
            615,
            json!(-1),
            "exception",
            json!({"k": "v"}),
        ),
    ];
    let spans = vec![Span {
        row: span,
        events: vec![bare, full],
    }];
    let rows = Everything {
        traces: TraceBatch {
            spans,
            ..TraceBatch::default()
        },
        ..Everything::default()
    };
    assert_stored(rows, "trace_events", &expected).await;
}

#[tokio::test]
async fn summaries() {
    let mut orphan = rows::failed(rows::span(2, 1, LAST));
    orphan.parent_span_id = Some(rows::span_id(9));
    orphan.service_name = "chat".into();
    let mut root = rows::span(1, 7, UnixNanos(1));
    root.name = "GET /".into();
    root.service_name = "web".into();
    let expected = [
        json!({
            "start_time": "1970-01-01T00:00:00+00:00", "start_nanos": 1, "end_time": "1970-01-01T00:00:00+00:00",
            "end_nanos": 1, "root_start": "1970-01-01T00:00:00+00:00", "span_count": 1, "error_count": 0,
            "day": "1970-01-01", "project_id": 1, "trace_id": "00000000-0000-0000-0000-000000000001",
            "root_span_id": "\\x0000000000000007", "root_name": "GET /", "root_service": "web", "services": ["web"],
        }),
        json!({
            "start_time": "2554-07-21T23:34:33.709551+00:00", "start_nanos": 615,
            "end_time": "2554-07-21T23:34:33.709551+00:00", "end_nanos": 615, "root_start": null, "span_count": 1,
            "error_count": 1, "day": "2554-07-21", "project_id": 1,
            "trace_id": "00000000-0000-0000-0000-000000000002",
            "root_span_id": null, "root_name": null, "root_service": null, "services": ["chat"],
        }),
    ];
    let batch = TraceBatch {
        spans: vec![orphan.into(), root.into()],
        ..TraceBatch::default()
    };
    assert_stored(
        Everything {
            traces: batch,
            ..Everything::default()
        },
        "traces",
        &expected,
    )
    .await;
}

#[tokio::test]
async fn resources_and_scopes() {
    let resource = ResourceRow {
        id: ResourceId(Uuid::from_u128(1)),
        project_id: ProjectId(i32::MAX),
        service_name: "chat".into(),
        attributes: Attributes::new(&[Attribute::new("service.name", "chat")]),
        dropped_attributes_count: u32::MAX,
        schema_url: "https://example.org/1".into(),
        entity_refs: Bytes::from_static(b"\x1a\x00"),
    };
    let scope = ScopeRow {
        id: ScopeId(Uuid::from_u128(2)),
        project_id: ProjectId(-1),
        name: "lib".into(),
        version: "1.0".into(),
        attributes: Attributes::new(&[Attribute::new("k", Value::Empty)]),
        dropped_attributes_count: 0,
        schema_url: Text::EMPTY,
    };
    let batch = || TraceBatch {
        resources: vec![resource.clone()],
        scopes: vec![scope.clone()],
        spans: vec![rows::span(1, 1, MIDNIGHT).into()],
    };
    let rows = || Everything {
        traces: batch(),
        ..Everything::default()
    };
    let expected = json!({
        "id": "00000000-0000-0000-0000-000000000001", "project_id": i32::MAX, "service_name": "chat",
        "attributes": {"service.name": "chat"}, "attributes_layout": null, "dropped_attributes_count": -1,
        "schema_url": "https://example.org/1", "entity_refs": "\\x1a00",
    });
    assert_stored(rows(), "resources", &[expected]).await;
    let expected = json!({
        "id": "00000000-0000-0000-0000-000000000002", "project_id": -1, "name": "lib", "version": "1.0",
        "attributes": {"k": null}, "attributes_layout": null, "dropped_attributes_count": null, "schema_url": "",
    });
    assert_stored(rows(), "scopes", &[expected]).await;
}

#[tokio::test]
async fn metrics_and_series() {
    let metric = MetricRow {
        temporality: Temporality(i32::MAX),
        is_monotonic: true,
        description: "how many".into(),
        metadata: Attributes::new(&[Attribute::new("k", true)]),
        ..rows::metric(1, MetricKind::ExponentialHistogram)
    };
    let batch = || MetricBatch {
        metrics: vec![metric.clone()],
        series: vec![rows::series(2, 1)],
        points: vec![rows::point(2, MIDNIGHT, PointValue::None)],
        ..MetricBatch::default()
    };
    let rows = || Everything {
        metrics: batch(),
        ..Everything::default()
    };
    let expected = json!({
        "id": "00000000-0000-0000-0000-000000000001", "project_id": 1, "kind": 4, "temporality": i32::MAX,
        "is_monotonic": true, "name": "requests", "unit": "1", "description": "how many", "metadata": {"k": true},
        "metadata_layout": null,
    });
    assert_stored(rows(), "metrics", &[expected]).await;
    let expected = json!({
        "id": "00000000-0000-0000-0000-000000000002", "project_id": 1,
        "metric_id": "00000000-0000-0000-0000-000000000001",
        "resource_id": "00000000-0000-0000-0000-00000000000a", "scope_id": "00000000-0000-0000-0000-00000000000b",
        "attributes": {"route": "/chat"}, "attributes_layout": null,
    });
    assert_stored(rows(), "metric_series", &[expected]).await;
}

/// A point as stored, with `filled` columns and NULL in all others that may be NULL.
fn point_as_stored(series: &str, filled: Json) -> Json {
    let mut row = json!({
        "time": "2026-01-01T23:59:59.999999+00:00", "time_nanos": 999,
        "start_time": "1970-01-01T00:00:00+00:00", "start_nanos": 0, "project_id": 1,
        "series_id": format!("00000000-0000-0000-0000-0000000000{series}"),
    });
    let columns = row.as_object_mut().unwrap();
    for nullable in DataPointRow::TABLE.columns {
        columns.entry(*nullable).or_insert(Json::Null);
    }
    columns.extend(filled.as_object().unwrap().clone());
    row
}

#[tokio::test]
async fn data_points() {
    let histogram = PointValue::Histogram {
        count: u64::MAX,
        sum: Some(f64::NAN),
        min: Some(f64::NEG_INFINITY),
        max: Some(f64::MAX),
        bucket_counts: vec![0, u64::MAX, 1 << 63],
        explicit_bounds: vec![-0.5, f64::INFINITY],
    };
    let exponential = PointValue::Exponential {
        count: 1,
        sum: None,
        min: None,
        max: None,
        scale: i32::MIN,
        zero_count: u64::MAX,
        zero_threshold: 0.25,
        positive: Some(Buckets {
            offset: -3,
            counts: vec![1, 2],
        }),
        negative: Some(Buckets {
            offset: 0,
            counts: Vec::new(),
        }),
    };
    let empty = PointValue::Histogram {
        count: 0,
        sum: None,
        min: None,
        max: None,
        bucket_counts: Vec::new(),
        explicit_bounds: Vec::new(),
    };
    let summary = PointValue::Summary {
        count: 2,
        sum: 3.5,
        quantiles: vec![(0.5, 1.0), (1.0, f64::NAN)],
    };
    let mut stale = rows::point(0x60, MIDNIGHT, PointValue::None);
    stale.flags = u32::MAX;
    stale.exemplars = Some(Nested {
        json: Bytes::from_static(b"[]"),
        otlp: Bytes::from_static(b"\x2a\x00"),
    });
    let points = vec![
        rows::point(0x10, MIDNIGHT, PointValue::Double(5e-324)),
        rows::point(0x20, MIDNIGHT, PointValue::Int(i64::MIN)),
        rows::point(0x30, MIDNIGHT, histogram),
        rows::point(0x31, MIDNIGHT, empty),
        rows::point(0x40, MIDNIGHT, exponential),
        rows::point(0x50, MIDNIGHT, summary),
        stale,
    ];
    let expected = [
        point_as_stored("10", json!({"value_double": 5e-324})),
        point_as_stored("20", json!({"value_int": i64::MIN})),
        point_as_stored(
            "30",
            json!({
                "count": -1, "sum": "NaN", "min": "-Infinity", "max": f64::MAX,
                "bucket_counts": [0, -1, i64::MIN], "explicit_bounds": [-0.5, "Infinity"],
            }),
        ),
        point_as_stored(
            "31",
            json!({"count": 0, "bucket_counts": [], "explicit_bounds": []}),
        ),
        point_as_stored(
            "40",
            json!({
                "count": 1, "scale": i32::MIN, "zero_count": -1, "zero_threshold": 0.25,
                "positive_offset": -3, "positive_counts": [1, 2], "negative_offset": 0, "negative_counts": [],
            }),
        ),
        point_as_stored(
            "50",
            json!({"count": 2, "sum": 3.5, "quantiles": [0.5, 1], "quantile_values": [1, "NaN"]}),
        ),
        point_as_stored(
            "60",
            json!({"flags": -1, "exemplars": [], "exemplars_otlp": "\\x2a00"}),
        ),
    ];
    let rows = Everything {
        metrics: MetricBatch {
            points,
            ..MetricBatch::default()
        },
        ..Everything::default()
    };
    assert_stored(rows, "metric_data_points", &expected).await;
}

#[tokio::test]
async fn logs() {
    let mut arena = BytesMut::new();
    let full = LogRow {
        time_source: TimeSource::Received,
        observed_time: LAST,
        severity: Severity(i32::MAX),
        severity_text: "WARN".into(),
        event_name: "gen_ai.choice".into(),
        body: ValueColumns::encode(&Value::from(vec![Value::from(1), Value::Empty]), &mut arena),
        attributes: Attributes::new(&[Attribute::new("k", "v")]),
        dropped_attributes_count: u32::MAX,
        flags: 1,
        trace_id: Some(rows::trace_id(3)),
        span_id: Some(rows::span_id(4)),
        service_name: "chat".into(),
        ..rows::log(1, MIDNIGHT)
    };
    let mut nul = rows::log(2, MIDNIGHT);
    nul.body = ValueColumns::encode(&Value::from("a\0b"), &mut arena);
    let bare = rows::log(3, UnixNanos(1));

    let as_stored = |id: u8, filled: Json| {
        let mut row = json!({
            "time": "2026-01-01T23:59:59.999999+00:00", "time_nanos": 999, "project_id": 1, "severity_number": 0,
            "time_source": 0, "id": format!("00000000-0000-0000-0000-00000000000{id}"), "service_name": "",
            "resource_id": "00000000-0000-0000-0000-00000000000a",
            "scope_id": "00000000-0000-0000-0000-00000000000b", "attributes": {},
        });
        let columns = row.as_object_mut().unwrap();
        LogRow::TABLE
            .columns
            .iter()
            .for_each(|nullable| _ = columns.entry(*nullable).or_insert(Json::Null));
        columns.extend(filled.as_object().unwrap().clone());
        row
    };
    let expected = [
        as_stored(3, json!({"time": "1970-01-01T00:00:00+00:00", "time_nanos": 1})),
        as_stored(
            2,
            json!({"body_text": "a\u{fffd}b", "body_layout": "\\x0a03610062"}),
        ),
        as_stored(
            1,
            json!({
                "time_source": 2, "observed_time": "2554-07-21T23:34:33.709551+00:00", "observed_nanos": 615,
                "severity_number": i32::MAX, "severity_text": "WARN", "event_name": "gen_ai.choice", "body": [1, null],
                "attributes": {"k": "v"}, "dropped_attributes_count": -1, "flags": 1, "service_name": "chat",
                "trace_id": "00000000-0000-0000-0000-000000000003", "span_id": "\\x0000000000000004",
            }),
        ),
    ];
    let rows = Everything {
        logs: LogBatch {
            logs: vec![full, nul, bare],
            ..LogBatch::default()
        },
        ..Everything::default()
    };
    assert_stored(rows, "logs", &expected).await;
}

#[test]
fn every_row_writes_one_field_for_each_column() {
    fn check<R: Row>(row: &R) {
        let mut buffer = BytesMut::new();
        let mut encoder = RowEncoder::new(&mut buffer);
        row.encode(&mut encoder);
        assert_eq!(encoder.fields(), R::TABLE.columns.len(), "{}", R::TABLE.name);
    }
    let bare = rows::span(1, 1, MIDNIGHT);
    check(&bare);
    check(&full_span());
    check(&rows::event(&bare, 0, "e"));
    check(&TraceRow::of(&bare));
    check(&TraceRow::of(&full_span()));
    check(&ResourceRow::of_service(ProjectId::DEFAULT, "chat"));
    check(&ScopeRow::named(ProjectId::DEFAULT, "lib"));
    check(&rows::metric(1, MetricKind::Sum));
    check(&rows::series(1, 1));
    check(&rows::log(1, MIDNIGHT));
    for value in [
        PointValue::None,
        PointValue::Double(1.0),
        PointValue::Summary {
            count: 0,
            sum: 0.0,
            quantiles: vec![],
        },
    ] {
        check(&rows::point(1, MIDNIGHT, value));
    }
}

#[tokio::test]
async fn a_refused_copy_stores_nothing() {
    let (_database, client) = database().await;
    let spans = [
        rows::span(1, 1, MIDNIGHT),
        rows::span(1, 2, MIDNIGHT),
        rows::span(1, 1, MIDNIGHT),
    ];
    let error = CopyWriter::new().write_spans(&client, &spans).await.unwrap_err();
    assert_eq!(
        error.failure(),
        llm_observatory_storage::error::Failure::Duplicate
    );
    assert_eq!(rows::count(&client, "trace_spans").await, 0);
    assert_eq!(
        CopyWriter::new().write_spans(&client, &spans[..2]).await.unwrap(),
        2,
        "the connection still works"
    );
}
