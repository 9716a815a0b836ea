//! The two ways of the storage crate to write spans: on the database that `DATABASE_URL` names, or on a PostgreSQL that the
//! benchmark starts itself.
//!
//! `cargo bench --bench copy_vs_insert`. Each way writes the same batch with all that belongs to it (events, resources,
//! summaries) in one transaction, by the same code that the writers run.

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};
use harness::database::TestDatabase;
use llm_observatory_core::attributes::Attribute;
use llm_observatory_core::ids::{ProjectId, SpanId, TraceId};
use llm_observatory_core::text::Text;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_core::trace::{SpanKind, StatusCode};
use llm_observatory_storage::config::WriteMethod;
use llm_observatory_storage::models::{Attributes, ResourceRow, ScopeRow, SpanRow};
use llm_observatory_storage::writers::{Dictionary, TraceBatch, commit};
use llm_observatory_storage::{StorageConfig, StoragePool};
use rand::Rng as _;
use tokio::runtime::Runtime;

const BATCHES: &[u64] = &[100, 1_000, 5_000];
const SPANS_A_TRACE: u64 = 10;

fn main() {
    let runtime = Runtime::new().expect("a runtime");
    let pool = runtime.block_on(pool()).expect("a database");
    let client = runtime.block_on(pool.connect_writer()).expect("a connection");
    let dictionary = Dictionary::default();
    let mut criterion = Criterion::default().sample_size(10).configure_from_args();
    let mut group = criterion.benchmark_group("copy_vs_insert");
    for &spans in BATCHES {
        group.throughput(Throughput::Elements(spans));
        for (name, method) in [("copy", WriteMethod::Copy), ("insert", WriteMethod::Insert)] {
            group.bench_function(BenchmarkId::new(name, spans), |bencher| {
                bencher.to_async(&runtime).iter_batched(
                    || [batch(spans)],
                    async |batches| {
                        let written = commit(&client, &dictionary, &batches, method).await;
                        assert_eq!(written.expect("a commit").stored, spans);
                    },
                    BatchSize::PerIteration,
                );
            });
        }
    }
    group.finish();
    criterion.final_summary();
}

/// The database that `DATABASE_URL` names, brought to the schema of this program; without it, a new one.
async fn pool() -> anyhow::Result<StoragePool> {
    if std::env::var_os("DATABASE_URL").is_none() {
        return Ok(TestDatabase::new().await.pool().await);
    }
    let pool = StoragePool::new(StorageConfig::from_env()?).await?;
    pool.run_migrations().await?;
    Ok(pool)
}

/// Spans with fresh ids, about half a kilobyte of attributes each.
fn batch(spans: u64) -> TraceBatch {
    let mut random = rand::rng();
    let project = ProjectId::DEFAULT;
    let resource = ResourceRow::of_service(project, "bench");
    let scope = ScopeRow::named(project, "copy_vs_insert");
    let now = UnixNanos::from(std::time::SystemTime::now());
    let mut trace_id = random.random::<[u8; 16]>();
    let rows = (0..spans).map(|n| {
        if n % SPANS_A_TRACE == 0 {
            trace_id = random.random();
        }
        SpanRow {
            project_id: project,
            trace_id: TraceId::from_wire(&trace_id).expect("a random id is not zero"),
            span_id: SpanId::from_wire(&random.random::<[u8; 8]>()).expect("a random id is not zero"),
            parent_span_id: None,
            start_time: UnixNanos(now.0 + n),
            end_time: UnixNanos(now.0 + n + 5_000_000),
            name: Text::from("GET /orders/{id}"),
            service_name: resource.service_name.clone(),
            kind: SpanKind::SERVER,
            status: Some(StatusCode::OK),
            status_message: Text::EMPTY,
            trace_state: Text::EMPTY,
            flags: 1,
            resource_id: resource.id,
            scope_id: scope.id,
            attributes: attributes(n),
            dropped_attributes_count: 0,
            dropped_events_count: 0,
            dropped_links_count: 0,
            links: None,
        }
        .into()
    });
    TraceBatch {
        spans: rows.collect(),
        resources: vec![resource.clone()],
        scopes: vec![scope.clone()],
        ..TraceBatch::default()
    }
}

fn attributes(n: u64) -> Attributes {
    Attributes::new(&[
        Attribute::new("http.request.method", "GET"),
        Attribute::new("http.route", "/orders/{id}"),
        Attribute::new("http.response.status_code", 200),
        Attribute::new("url.full", format!("https://shop.example/orders/{n}?expand=lines&currency=EUR")),
        Attribute::new(
            "user_agent.original",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)",
        ),
        Attribute::new("server.address", "shop.example"),
        Attribute::new("server.port", 443),
        Attribute::new("network.peer.address", "203.0.113.7"),
        Attribute::new("shop.basket.total", 12.5),
    ])
}
