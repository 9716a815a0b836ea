//! Writes spans by binary COPY and reads them back.
//!
//! `DATABASE_URL=postgresql://user@localhost/scratch cargo run -p llm-observatory-storage --example copy_protocol`
//!
//! The example migrates the database first. It leaves its trace there.

use std::time::{Instant, SystemTime};

use anyhow::Context as _;
use llm_observatory_core::attributes::Attribute;
use llm_observatory_core::ids::{ProjectId, SpanId, TraceId};
use llm_observatory_core::time::UnixNanos;
use llm_observatory_core::trace::{SpanKind, StatusCode};
use llm_observatory_storage::models::{Attributes, EventRow, ResourceRow, ScopeRow, SpanRow};
use llm_observatory_storage::{CopyWriter, StorageConfig, StoragePool};

const SPANS: u64 = 1_000;
const SERVICE: &str = "copy-protocol-example";

const READ_BACK: &str = "
    SELECT count(*), count(*) FILTER (WHERE attributes_json::json ->> 'gen_ai.request.model' = 'example-model'),
           min(start_time)::text, sum(duration_nanos)::bigint
    FROM trace_spans WHERE trace_id = $1";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let config = StorageConfig::from_env()?;
    anyhow::ensure!(
        config.names_a_database(),
        "no database: set DATABASE_URL, for example\n  \
         DATABASE_URL=postgresql://user:password@localhost:5432/scratch\n\
         to one that this example may write to (or DB_HOST, DB_PORT, DB_NAME, DB_USER and DB_PASSWORD)"
    );
    println!("connecting to {}", config.database.address());
    let pool = StoragePool::new(config).await?;
    let applied = pool.run_migrations().await?;
    println!("schema version {} ({} migrations applied now)", applied.version, applied.applied.len());

    // A dedicated connection: COPY occupies it from the first row to the last.
    let client = pool.connect().await?;
    let now = UnixNanos::from(SystemTime::now());
    let trace_id = TraceId::from_foreign(&format!("{SERVICE} {}", now.0));
    let spans: Vec<SpanRow> =
        (1..=SPANS).map(|n| span(trace_id, n, now)).collect::<Option<_>>().context("span ids")?;
    let events: Vec<EventRow> = spans.iter().step_by(10).map(event).collect();

    let begun = Instant::now();
    let copied = CopyWriter::write_spans(&client, &spans).await?;
    println!("copied {copied} spans in {:?}", begun.elapsed());
    println!("copied {} events", CopyWriter::write_events(&client, &events).await?);

    let row = client.query_one(READ_BACK, &[&trace_id.uuid()]).await?;
    let (count, with_model): (i64, i64) = (row.get(0), row.get(1));
    println!("read back {count} spans of trace {trace_id}, {with_model} of them with a model");
    println!(
        "they start at {} and last {} ms in all",
        row.get::<_, String>(2),
        row.get::<_, i64>(3) / 1_000_000
    );

    match CopyWriter::write_spans(&client, &spans[..1]).await {
        Err(error) => println!("the same span again: {error}; COPY stores all rows or none"),
        Ok(_) => anyhow::bail!("a span was stored twice"),
    }
    Ok(())
}

fn span(trace_id: TraceId, n: u64, start_time: UnixNanos) -> Option<SpanRow> {
    let root = SpanId::from_wire(&1_u64.to_be_bytes())?;
    let is_llm = n.is_multiple_of(4);
    let attributes = if is_llm {
        Attributes::new(&[
            Attribute::new("gen_ai.request.model", "example-model"),
            Attribute::new("temperature", 0.7),
        ])
    } else {
        Attributes::new(&[Attribute::new("http.route", "/chat"), Attribute::new("n", n.cast_signed())])
    };
    Some(SpanRow {
        project_id: ProjectId::DEFAULT,
        trace_id,
        span_id: SpanId::from_wire(&n.to_be_bytes())?,
        parent_span_id: (n > 1).then_some(root),
        start_time,
        end_time: UnixNanos(start_time.0 + n * 1_000),
        name: if is_llm { "chat example-model".into() } else { "GET /chat".into() },
        service_name: SERVICE.into(),
        kind: SpanKind::CLIENT,
        status: Some(StatusCode::OK),
        status_message: Default::default(),
        trace_state: Default::default(),
        flags: 0,
        resource_id: ResourceRow::of_service(ProjectId::DEFAULT, SERVICE).id,
        scope_id: ScopeRow::named(ProjectId::DEFAULT, SERVICE).id,
        attributes,
        dropped_attributes_count: 0,
        dropped_events_count: 0,
        dropped_links_count: 0,
        links: None,
    })
}

fn event(of: &SpanRow) -> EventRow {
    EventRow {
        project_id: of.project_id,
        trace_id: of.trace_id,
        span_id: of.span_id,
        span_start_time: of.start_time,
        ordinal: 0,
        time: of.start_time,
        name: "first token".into(),
        attributes: Attributes::default(),
        dropped_attributes_count: 0,
    }
}
