//! The gathering writers.

use std::fmt::Debug;

use harness::TestDatabase;
use llm_observatory_core::attributes::Attribute;
use llm_observatory_core::ids::ProjectId;
use llm_observatory_core::llm::{Dialect, LlmContent, LlmKind, LlmReading, LlmSpan, TokenUsage};
use llm_observatory_core::metric::MetricKind;
use llm_observatory_core::text::Text;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_core::trace::StatusCode;
use llm_observatory_storage::config::WriteMethod;
use llm_observatory_storage::models::metric::PointValue;
use llm_observatory_storage::models::trace::Span;
use llm_observatory_storage::models::{ResourceRow, ScopeRow, TraceRow};
use llm_observatory_storage::writers::{Dictionary, LogBatch, MetricBatch, RecordCounts, TraceBatch, commit};
use llm_observatory_storage::{
    LogWriter, MetricWriter, StoragePool, TraceRepository, TraceWriter, repositories::LlmRepository,
};
use serde_json::json;

use crate::rows::{self, MIDNIGHT, count, stored};

async fn pool(database: &TestDatabase, method: WriteMethod) -> StoragePool {
    let change = |config: &mut llm_observatory_storage::StorageConfig| {
        config.writer.batch_rows = 3;
        config.writer.method = method;
    };
    database.pool_with(change).await.unwrap()
}

fn ok(result: Result<(), impl Debug>) {
    result.unwrap();
}

#[tokio::test]
async fn spans_are_gathered_until_there_are_enough() {
    for method in [WriteMethod::Insert, WriteMethod::Copy] {
        let database = TestDatabase::new().await;
        let client = database.client().await;
        let writer = TraceWriter::new(pool(&database, method).await);
        // The day has no partition yet: the writer creates it.
        ok(writer.write_span(rows::span(1, 1, MIDNIGHT)).await);
        ok(writer.write_span(rows::span(1, 2, MIDNIGHT)).await);
        assert_eq!(count(&client, "trace_spans").await, 0);
        ok(writer.write_span(rows::span(1, 3, rows::now())).await);
        assert_eq!(count(&client, "trace_spans").await, 3, "three spans fill a batch");
        ok(writer.write_span(rows::span(1, 4, rows::now())).await);
        assert_eq!(writer.flush().await.unwrap(), RecordCounts { stored: 1, ..RecordCounts::default() });
        assert_eq!(writer.flush().await.unwrap(), RecordCounts::default(), "the buffer is empty");
        assert_eq!(count(&client, "trace_spans").await, 4);
        ok(writer.write_events(&[rows::event(&rows::span(1, 4, MIDNIGHT), 0, "late")]).await);
        assert_eq!(stored(&client, "trace_events").await[0]["name"], "late");
    }
}

#[tokio::test]
async fn log_records_are_gathered_until_there_are_enough() {
    for method in [WriteMethod::Insert, WriteMethod::Copy] {
        let database = TestDatabase::new().await;
        let client = database.client().await;
        let writer = LogWriter::new(pool(&database, method).await);
        assert_eq!(writer.flush().await.unwrap(), RecordCounts::default());
        for id in 1..=4 {
            ok(writer.write_log(rows::log(id, MIDNIGHT)).await);
        }
        assert_eq!(count(&client, "logs").await, 3);
        assert_eq!(writer.flush().await.unwrap().stored, 1);
        assert_eq!(count(&client, "logs").await, 4);
    }
}

#[tokio::test]
async fn points_are_gathered_with_their_series_and_definitions() {
    for method in [WriteMethod::Insert, WriteMethod::Copy] {
        let database = TestDatabase::new().await;
        let client = database.client().await;
        let writer = MetricWriter::new(pool(&database, method).await);
        assert_eq!(writer.flush().await.unwrap(), RecordCounts::default());
        ok(writer.write_metric(rows::metric(1, MetricKind::Sum)).await);
        ok(writer.write_series(rows::series(2, 1)).await);
        for n in 0..4 {
            let time = UnixNanos(MIDNIGHT.0 - n);
            ok(writer.write_data_point(rows::point(2, time, PointValue::Int(n as i64))).await);
        }
        assert_eq!(
            count(&client, "metric_data_points").await,
            3,
            "points one nanosecond apart are different points"
        );
        ok(writer.write_data_point(rows::point(2, MIDNIGHT, PointValue::Int(9))).await);
        assert_eq!(writer.flush().await.unwrap(), RecordCounts { stored: 1, duplicates: 1, completed: 0 });
        let joined =
            "metric_data_points JOIN metric_series s ON s.id = series_id JOIN metrics m ON m.id = metric_id";
        assert_eq!(count(&client, joined).await, 4);
        let values = stored(&client, "(SELECT value_int FROM metric_data_points)").await;
        assert!(!values.contains(&json!({"value_int": 9})), "the first one stays");
    }
}

#[tokio::test]
async fn definitions_without_points_are_written_too() {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    let writer = MetricWriter::new(database.pool().await);
    ok(writer.write_metric(rows::metric(1, MetricKind::Gauge)).await);
    assert_eq!(writer.flush().await.unwrap(), RecordCounts::default());
    assert_eq!(count(&client, "metrics").await, 1);
}

#[tokio::test]
async fn a_failed_flush_keeps_the_rows() {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    let writer = LogWriter::new(database.pool().await);
    ok(writer.write_log(rows::log(1, rows::now())).await);
    client.batch_execute("ALTER TABLE logs RENAME TO away").await.unwrap();
    writer.flush().await.unwrap_err();
    client.batch_execute("ALTER TABLE away RENAME TO logs").await.unwrap();
    assert_eq!(writer.flush().await.unwrap().stored, 1);
}

#[tokio::test]
async fn a_writer_keeps_at_most_max_rows_while_flushes_fail() {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    let limited = |config: &mut llm_observatory_storage::StorageConfig| {
        (config.writer.batch_rows, config.writer.max_rows) = (2, 3);
    };
    let writer = LogWriter::new(database.pool_with(limited).await.unwrap());
    client.batch_execute("ALTER TABLE logs RENAME TO away").await.unwrap();
    ok(writer.write_log(rows::log(1, rows::now())).await);
    for id in 2..10 {
        writer.write_log(rows::log(id, rows::now())).await.unwrap_err();
    }
    client.batch_execute("ALTER TABLE away RENAME TO logs").await.unwrap();
    assert_eq!(writer.flush().await.unwrap().stored, 3);
}

fn llm_span() -> LlmSpan {
    LlmSpan {
        project_id: ProjectId::DEFAULT,
        trace_id: rows::trace_id(1),
        span_id: rows::span_id(2),
        parent_span_id: Some(rows::span_id(1)),
        name: "chat gpt".into(),
        service_name: "assistant".into(),
        start_time: MIDNIGHT,
        end_time: UnixNanos(MIDNIGHT.0 + 1_000_000),
        status_code: StatusCode::OK,
        status_message: Text::EMPTY,
        reading: LlmReading {
            operation: Some("chat".into()),
            provider: Some("openai".into()),
            request_model: Some("gpt".into()),
            session_id: Some("s-1".into()),
            usage: TokenUsage { input: Some(10), output: Some(0), ..TokenUsage::default() },
            ..LlmReading::new(LlmKind::Llm, Dialect::OtelGenai)
        },
        content: LlmContent::default(),
        attributes: vec![Attribute::new("temperature", 0.5)],
    }
}

#[tokio::test]
async fn an_llm_call_becomes_a_span_with_the_names_of_opentelemetry() {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    let writer = TraceWriter::new(database.pool().await);
    let row = writer.write_span_from_llm(llm_span()).await.unwrap();
    assert_eq!(writer.flush().await.unwrap().stored, 1);
    let found = TraceRepository::new(database.pool().await).span(row.trace_id, row.span_id).await.unwrap();
    let found = found.unwrap().row;
    assert_eq!((&found.name, found.end_time, found.scope_id), (&row.name, row.end_time, row.scope_id));

    let span = &stored(&client, "trace_spans").await[0];
    let columns = json!({
        "name": "chat gpt", "service_name": "assistant", "kind": 3, "status_code": 1, "duration_nanos": 1_000_000,
        "parent_span_id": "\\x0000000000000001",
    });
    for (column, value) in columns.as_object().unwrap() {
        assert_eq!(&span[column], value, "{column}");
    }
    let view = &stored(&client, "spans").await[0];
    let attributes = json!({
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt",
        "session.id": "s-1", "gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 0, "temperature": 0.5,
    });
    for (key, value) in attributes.as_object().unwrap() {
        assert_eq!(&view["attributes"][key], value, "{key}");
    }
    let llm = LlmRepository::new(database.pool().await);
    let reading = llm.get(row.trace_id, row.start_time, row.span_id).await.unwrap().unwrap().reading;
    assert_eq!(*reading, llm_span().reading);
    assert_eq!(view["resource"], json!({"service.name": "assistant"}));
    assert_eq!(view["scope_name"], "llm-observatory");
    assert_eq!(view["span_id_hex"], "0000000000000002");
    assert_eq!(view["trace_id_hex"], "00000000000000000000000000000001");
}

#[tokio::test]
async fn a_trace_is_written_as_spans_or_as_a_summary() {
    for method in [WriteMethod::Insert, WriteMethod::Copy] {
        let database = TestDatabase::new().await;
        let client = database.client().await;
        let writer = TraceWriter::new(pool(&database, method).await);
        let spans = vec![Span::from(rows::span(1, 1, MIDNIGHT)), Span::from(rows::span(1, 2, MIDNIGHT))];
        ok(writer.write_trace(spans).await);
        let mut summary = TraceRow::of(&rows::span(1, 3, MIDNIGHT));
        (summary.span_count, summary.services) = (0, vec!["known before its spans".into()]);
        ok(writer.write_trace(summary).await);
        assert_eq!(writer.flush().await.unwrap().stored, 2);
        let stored = &stored(&client, "traces").await[0];
        assert_eq!(stored["span_count"], 2);
        assert!(stored["services"].to_string().contains("known before its spans"), "{stored}");
    }
}

#[tokio::test]
async fn a_batch_of_points_or_records_can_be_written_directly() {
    for method in [WriteMethod::Insert, WriteMethod::Copy] {
        let database = TestDatabase::new().await;
        let client = database.writer().await;
        let dictionary = Dictionary::default();
        let point = |value| rows::point(1, rows::now(), PointValue::Int(value));
        let points = vec![point(1), point(2)];
        let batches = [MetricBatch { points, ..MetricBatch::default() }];
        let first = commit(&client, &dictionary, &batches, method).await.unwrap();
        let second = commit(&client, &dictionary, &batches, method).await.unwrap();
        assert_eq!((first.stored, second.stored, second.duplicates), (2, 0, 2));
        let batch = LogBatch { logs: vec![rows::log(1, rows::now())], ..LogBatch::default() };
        assert_eq!(commit(&client, &dictionary, &[batch.clone(), batch], method).await.unwrap().stored, 2);
    }
}

#[tokio::test]
async fn a_dictionary_row_is_sent_once() {
    let database = TestDatabase::new().await;
    let client = database.client().await;
    let batch = |id| TraceBatch {
        resources: vec![ResourceRow::of_service(ProjectId::DEFAULT, "chat"); 2],
        scopes: vec![ScopeRow::named(ProjectId::DEFAULT, "lib"); 2],
        spans: vec![rows::span(1, id, rows::now()).into()],
        ..TraceBatch::default()
    };
    let write = async |writer: &TraceWriter, id| {
        ok(writer.write(batch(id)).await);
        writer.flush().await.unwrap();
    };
    let writer = TraceWriter::new(database.pool().await);
    write(&writer, 1).await;
    assert_eq!((count(&client, "resources").await, count(&client, "scopes").await), (1, 1));
    // This writer remembers its rows and does not send them again. Another writer sends them, which changes no stored row.
    client.batch_execute("DELETE FROM scopes; UPDATE resources SET schema_url = 'first'").await.unwrap();
    write(&writer, 2).await;
    assert_eq!(count(&client, "scopes").await, 0);
    write(&TraceWriter::new(database.pool().await), 3).await;
    assert_eq!(count(&client, "scopes").await, 1);
    assert_eq!(stored(&client, "resources").await[0]["schema_url"], "first");
    assert_eq!(count(&client, "resources").await, 1);
}
