//! The code examples of the project's specification: they compile unchanged and store their rows.
//!
//! `StorageConfig::from_env` reads the environment of its process. So the test runs itself in a second process, whose
//! environment names a database of the harness.

use std::process::Command;

use harness::TestDatabase;
use llm_observatory_core::ids::ProjectId;
use llm_observatory_core::llm::{Dialect, LlmContent, LlmKind, LlmReading, LlmSpan, TokenUsage};
use llm_observatory_core::metric::MetricKind;
use llm_observatory_core::text::Text;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_core::trace::StatusCode;
use llm_observatory_storage::models::metric::PointValue;
use llm_observatory_storage::models::{DataPointRow, EventRow, LogRow, MetricRow, SpanRow, TraceRow};
use llm_observatory_storage::repositories::trace::TraceFilter;
use llm_observatory_storage::{CopyWriter, StorageConfig, StoragePool, TraceRepository, TraceWriter};

use crate::rows::{self, count};

/// Set in the process that runs the examples.
const INSIDE: &str = "OBSERVATORY_TEST_SEED";

#[tokio::test]
async fn the_lines_of_the_seed_work() {
    if std::env::var_os(INSIDE).is_some() {
        return from_env().await.unwrap();
    }
    let database = TestDatabase::empty().await;
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "seed::the_lines_of_the_seed_work"])
        .env(INSIDE, "yes")
        .env("DATABASE_URL", database.url())
        .env("OBSERVATORY_STORAGE__DATABASE__ALLOW_UNSAFE_DURABILITY", "true")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    assert_stored(&database).await;
}

#[tokio::test]
async fn the_lines_of_the_seed_work_with_variables_that_are_given() {
    let database = TestDatabase::empty().await;
    let variables = [
        ("DATABASE_URL".to_owned(), database.url()),
        ("OBSERVATORY_STORAGE__DATABASE__ALLOW_UNSAFE_DURABILITY".to_owned(), "true".to_owned()),
    ];
    lines(StorageConfig::from_vars(variables).unwrap()).await.unwrap();
    assert_stored(&database).await;
}

async fn from_env() -> anyhow::Result<()> {
    let config = StorageConfig::from_env()?;
    lines(config).await
}

/// The examples, apart from `from_env`.
async fn lines(config: StorageConfig) -> anyhow::Result<()> {
    let pool = StoragePool::new(config).await?;
    pool.run_migrations().await?;

    let writer = TraceWriter::new(pool.clone());
    let llm_span = llm_span();
    let stored: SpanRow = writer.write_span_from_llm(llm_span.clone()).await?;
    assert_eq!((stored.trace_id, stored.span_id), (llm_span.trace_id, llm_span.span_id));
    let trace = TraceRow::of(&rows::span(2, 2, rows::now()));
    writer.write_trace(trace).await?;
    writer.flush().await?;

    let (client, _handle) = pool.get_tokio_postgres_client().await?;
    let span = rows::span(3, 3, rows::now());
    let traces: Vec<TraceRow> = vec![TraceRow::of(&span)];
    let events: Vec<EventRow> = vec![rows::event(&span, 0, "e")];
    let spans: Vec<SpanRow> = vec![span];
    let metrics: Vec<MetricRow> = vec![rows::metric(1, MetricKind::Gauge)];
    let data_points: Vec<DataPointRow> = vec![rows::point(1, rows::now(), PointValue::Int(1))];
    let logs: Vec<LogRow> = vec![rows::log(1, rows::now())];
    CopyWriter::write_traces(&client, traces).await?;
    CopyWriter::write_spans(&client, spans).await?;
    CopyWriter::write_events(&client, events).await?;
    CopyWriter::write_metrics(&client, metrics).await?;
    CopyWriter::write_data_points(&client, data_points).await?;
    CopyWriter::write_logs(&client, logs).await?;

    let repo = TraceRepository::new(pool.clone());
    let filters = TraceFilter { service: Some("assistant".into()), ..TraceFilter::default() };
    let found = repo.list(filters).await?;
    assert_eq!(found.items.iter().map(|trace| trace.trace_id).collect::<Vec<_>>(), [llm_span.trace_id]);
    let all = repo.list(TraceFilter::default()).await?;
    assert_eq!(all.items.len(), 3);
    Ok(())
}

/// Counts the rows of the examples, on another connection.
async fn assert_stored(database: &TestDatabase) {
    let client = database.client().await;
    let tables = [
        ("traces", 3),
        ("trace_spans", 2),
        ("trace_events", 1),
        ("trace_llm_spans", 1),
        ("metrics", 1),
        ("metric_data_points", 1),
        ("logs", 1),
    ];
    for (table, rows) in tables {
        assert_eq!(count(&client, table).await, rows, "{table}");
    }
}

fn llm_span() -> LlmSpan {
    let now = rows::now();
    LlmSpan {
        project_id: ProjectId::DEFAULT,
        trace_id: rows::trace_id(1),
        span_id: rows::span_id(1),
        parent_span_id: None,
        name: "chat gpt".into(),
        service_name: "assistant".into(),
        start_time: now,
        end_time: UnixNanos(now.0 + 1_000_000),
        status_code: StatusCode::OK,
        status_message: Text::EMPTY,
        reading: LlmReading {
            operation: Some("chat".into()),
            usage: TokenUsage { input: Some(10), ..TokenUsage::default() },
            ..LlmReading::new(LlmKind::Llm, Dialect::OtelGenai)
        },
        content: LlmContent::default(),
        attributes: vec![],
    }
}
