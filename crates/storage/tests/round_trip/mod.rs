//! Writes rows of every type by COPY and by INSERT, and compares every column with PostgreSQL's own JSON of the row.

mod llm;
mod log;
mod metric;
mod trace;

use std::slice::from_ref;

use bytes::{Bytes, BytesMut};
use harness::TestDatabase;
use llm_observatory_core::attributes::{Attribute, Value};
use llm_observatory_core::ids::{ProjectId, ResourceId, ScopeId};
use llm_observatory_core::metric::MetricKind;
use llm_observatory_core::text::Text;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_storage::CopyWriter;
use llm_observatory_storage::config::WriteMethod;
use llm_observatory_storage::maintenance::Family;
use llm_observatory_storage::models::attributes::{Attributes, ValueColumns};
use llm_observatory_storage::models::encoder::RowEncoder;
use llm_observatory_storage::models::metric::PointValue;
use llm_observatory_storage::models::{EventRow, LogRow, ResourceRow, Row, ScopeRow, SpanRow, TraceRow};
use llm_observatory_storage::postgres::WriterConnection;
use llm_observatory_storage::writers::{self, Dictionary, LogBatch, MetricBatch, TraceBatch};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::rows::{self, MIDNIGHT, stored};

const LAST: UnixNanos = UnixNanos(u64::MAX);

/// The rows of one test, which are written in both ways.
#[derive(Default)]
struct Everything {
    traces: TraceBatch,
    metrics: MetricBatch,
    logs: LogBatch,
}

/// A database with the partitions that the rows below need.
async fn database() -> (TestDatabase, WriterConnection) {
    let database = TestDatabase::new().await;
    let client = database.writer().await;
    let pool = database.pool().await;
    for family in Family::ALL {
        pool.partitions().ensure(&client, family, &[MIDNIGHT.day()].into()).await.unwrap();
    }
    (database, client)
}

async fn by_copy(client: &WriterConnection, rows: &Everything) {
    let spans: Vec<SpanRow> = rows.traces.spans.iter().map(|span| span.row.clone()).collect();
    let events: Vec<EventRow> = rows.traces.spans.iter().flat_map(|span| span.events.clone()).collect();
    let summaries: Vec<TraceRow> = spans.iter().map(TraceRow::of).collect();
    assert_eq!(CopyWriter::write_spans(client, &spans).await.unwrap(), spans.len() as u64);
    assert_eq!(CopyWriter::write_events(client, &events).await.unwrap(), events.len() as u64);
    assert_eq!(CopyWriter::write_traces(client, &summaries).await.unwrap(), summaries.len() as u64);
    CopyWriter::write_metrics(client, &rows.metrics.metrics).await.unwrap();
    CopyWriter::write_data_points(client, &rows.metrics.points).await.unwrap();
    CopyWriter::write_logs(client, &rows.logs.logs).await.unwrap();
    // Dictionary rows are inserted with both methods.
    let traces = TraceBatch { spans: Vec::new(), ..rows.traces.clone() };
    let metrics = MetricBatch { points: Vec::new(), metrics: Vec::new(), ..rows.metrics.clone() };
    writers::commit(client, &Dictionary::default(), &[traces], WriteMethod::Copy).await.unwrap();
    writers::commit(client, &Dictionary::default(), &[metrics], WriteMethod::Copy).await.unwrap();
}

async fn by_insert(client: &WriterConnection, rows: &Everything) {
    let dictionary = Dictionary::default();
    writers::commit(client, &dictionary, from_ref(&rows.traces), WriteMethod::Insert).await.unwrap();
    writers::commit(client, &dictionary, from_ref(&rows.metrics), WriteMethod::Insert).await.unwrap();
    writers::commit(client, &dictionary, from_ref(&rows.logs), WriteMethod::Insert).await.unwrap();
}

/// Writes the rows in both ways, and compares the table with `expected` each time.
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
        ..TraceBatch::default()
    };
    let rows = || Everything { traces: batch(), ..Everything::default() };
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
    check(&trace::full_span());
    check(&rows::event(&bare, 0, "e"));
    check(&TraceRow::of(&bare));
    check(&TraceRow::of(&trace::full_span()));
    check(&ResourceRow::of_service(ProjectId::DEFAULT, "chat"));
    check(&ScopeRow::named(ProjectId::DEFAULT, "lib"));
    check(&rows::metric(1, MetricKind::Sum));
    check(&rows::series(1, 1));
    check(&rows::log(1, MIDNIGHT));
    for value in [
        PointValue::None,
        PointValue::Double(1.0),
        PointValue::Summary { count: 0, sum: 0.0, quantiles: vec![] },
    ] {
        check(&rows::point(1, MIDNIGHT, value));
    }
}

#[tokio::test]
async fn a_failed_copy_stores_nothing() {
    let (_database, client) = database().await;
    let spans = [rows::span(1, 1, MIDNIGHT), rows::span(1, 2, MIDNIGHT), rows::span(1, 1, MIDNIGHT)];
    let error = CopyWriter::write_spans(&client, &spans).await.unwrap_err();
    assert_eq!(error.failure(), llm_observatory_storage::error::Failure::Duplicate);
    assert_eq!(rows::count(&client, "trace_spans").await, 0);
    assert_eq!(CopyWriter::write_spans(&client, &spans[..2]).await.unwrap(), 2, "the connection still works");
}

#[tokio::test]
async fn a_copy_of_many_chunks_stores_every_row() {
    let (_database, client) = database().await;
    // A chunk has 256 KiB: rows far smaller than one, rows of about one, and one of several.
    let bodies = (0..4_000).map(|n| 10 + n % 200).chain([256 * 1024; 3]).chain([2_000_000]);
    let logs: Vec<LogRow> = (0..)
        .zip(bodies)
        .map(|(id, bytes)| LogRow {
            body: ValueColumns { text: Some("x".repeat(bytes).into()), ..ValueColumns::default() },
            ..rows::log(id, MIDNIGHT)
        })
        .collect();
    let bytes: usize = logs.iter().filter_map(|log| log.body.text.as_ref()).map(|text| text.len()).sum();
    assert_eq!(CopyWriter::write_logs(&client, &logs).await.unwrap(), logs.len() as u64);
    let stored = client.query_one("SELECT count(DISTINCT id), sum(length(body_text)) FROM logs", &[]).await;
    let stored = stored.unwrap();
    assert_eq!((stored.get::<_, i64>(0), stored.get::<_, i64>(1)), (logs.len() as i64, bytes as i64));
}
