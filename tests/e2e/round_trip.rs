//! Queries return all that OTLP allows as it was sent, but for the differences that ARCHITECTURE.md lists.
//!
//! A failure prints its seed; `PROPTEST_RNG_SEED` runs it again.

use std::fmt::Debug;

use harness::daemon::Options;
use harness::otlp::{self, normalise};
use harness::telemetry::now;
use harness::{Daemon, TestDatabase};
use llm_observatory_proto::v1::{ListDataPointsRequest, ListLogsRequest};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::ResourceSpans;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};
use tokio::runtime::Runtime;
use tokio_postgres::Client;

use crate::client::{BEGINNING, END, Exporter, Reader};

const CASES: u32 = 32;

/// A daemon with its clients, for one property.
struct World {
    exporter: Exporter,
    reader: Reader,
    client: Client,
    _daemon: Daemon,
    _database: TestDatabase,
}

impl World {
    async fn new() -> Self {
        let database = TestDatabase::new().await;
        let daemon = Options::on(database.url()).start();
        Self {
            exporter: Exporter::to(&daemon).await,
            reader: Reader::of(&daemon).await.large(),
            client: database.client().await,
            _daemon: daemon,
            _database: database,
        }
    }

    /// Deletes the telemetry of the case before, which a list would find again. Resources, scopes and streams stay, since the
    /// daemon remembers that they are stored.
    async fn forget(&self) {
        let tables = ["traces", "trace_spans", "trace_events", "metric_data_points", "logs"];
        let statements = tables.map(|table| format!("DELETE FROM {table};")).concat();
        self.client.batch_execute(&statements).await.unwrap();
    }
}

/// Tries requests of this strategy; `case` gives what was sent and what came back, in one form.
fn comes_back<R: Debug>(
    strategy: impl Strategy<Value = R>,
    case: impl AsyncFn(&World, R) -> (Vec<String>, Vec<String>),
) {
    let mut config =
        Config { cases: CASES, failure_persistence: None, max_shrink_time: 30_000, ..Config::default() };
    if let RngSeed::Random = config.rng_seed {
        config.rng_seed = RngSeed::Fixed(now());
    }
    println!("PROPTEST_RNG_SEED={}", config.rng_seed);
    let runtime = Runtime::new().unwrap();
    let world = runtime.block_on(World::new());
    let result = TestRunner::new(config).run(&strategy, |request| {
        let (sent, received) = runtime.block_on(async {
            world.forget().await;
            case(&world, request).await
        });
        match sent == received {
            true => Ok(()),
            false => Err(TestCaseError::fail(difference(&sent, &received))),
        }
    });
    result.unwrap_or_else(|failure| panic!("{failure}"));
}

/// The first items that only one side has, by the lines that tell them apart.
fn difference(sent: &[String], received: &[String]) -> String {
    let only = |these: &[String], those: &[String]| {
        these.iter().find(|item| !those.contains(item)).cloned().unwrap_or_default()
    };
    let (missing, foreign) = (only(sent, received), only(received, sent));
    let lines = |item: &str, other: &str| {
        let lines = item.lines().filter(|line| !other.lines().any(|known| known == *line));
        lines.collect::<Vec<_>>().join("\n")
    };
    format!(
        "sent {}, received {}\n--- not received:\n{}\n--- not sent:\n{}\n---",
        sent.len(),
        received.len(),
        lines(&missing, &foreign),
        lines(&foreign, &missing)
    )
}

#[test]
fn spans() {
    comes_back(otlp::traces(), async |world, request| {
        let sent = normalise::spans(&request.resource_spans);
        let ids = trace_ids(&request);
        let partial = world.exporter.spans(request).await.unwrap();
        assert!(partial.is_none_or(|partial| partial.rejected_spans == 0));
        let mut received: Vec<ResourceSpans> = Vec::new();
        for id in ids {
            received.extend(world.reader.trace(&id).await.unwrap().concat());
        }
        (sent, normalise::spans(&received))
    });
}

fn trace_ids(request: &ExportTraceServiceRequest) -> Vec<Vec<u8>> {
    let scopes = request.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
    let spans = scopes.flat_map(|scope| &scope.spans);
    let mut ids: Vec<_> = spans.map(|span| span.trace_id.clone()).collect();
    ids.sort();
    ids.dedup();
    ids
}

#[test]
fn records() {
    comes_back(otlp::logs(), async |world, request| {
        let sent = normalise::records(&request.resource_logs);
        let partial = world.exporter.records(request).await.unwrap();
        assert!(partial.is_none_or(|partial| partial.rejected_log_records == 0));
        let everything =
            ListLogsRequest { start_time: BEGINNING, end_time: END, ..ListLogsRequest::default() };
        let received = world.reader.records(everything).await.unwrap();
        (sent, normalise::records(&received))
    });
}

#[test]
fn points() {
    comes_back(otlp::metrics(), async |world, request: ExportMetricsServiceRequest| {
        let sent = normalise::points(&request.resource_metrics);
        let partial = world.exporter.points(request).await.unwrap();
        assert!(partial.is_none_or(|partial| partial.rejected_data_points == 0));
        let everything = ListDataPointsRequest {
            start_time: BEGINNING,
            end_time: END,
            ..ListDataPointsRequest::default()
        };
        let received = world.reader.points(everything).await.unwrap();
        (sent, normalise::points(&received))
    });
}
