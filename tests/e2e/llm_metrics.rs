//! What `/metrics` tells of LLM spans.

use harness::admin::get;
use harness::daemon::Options;
use harness::telemetry::spans;
use harness::{TestDatabase, eventually};

use crate::client::Exporter;
use crate::llm_calls;

#[tokio::test]
async fn the_metrics_count_llm_spans_and_what_is_amiss_with_them() {
    let database = TestDatabase::new().await;
    let daemon =
        Options::on(database.url()).environment("OBSERVATORY_STORAGE__SETTLING__INTERVAL_MS", "50").start();
    let exporter = Exporter::to(&daemon).await;
    let (opentelemetry, openinference) = llm_calls::spans();
    for _ in 0..2 {
        // A retry counts nothing twice.
        exporter.spans(spans("chat", opentelemetry.clone())).await.unwrap();
    }
    exporter.spans(spans("agents", openinference)).await.unwrap();
    let told = [
        "observatory_ingest_llm_spans_total{dialect=\"otel_genai\",kind=\"llm\"} 3",
        "observatory_ingest_llm_spans_total{dialect=\"openinference\",kind=\"agent\"} 1",
        "observatory_ingest_llm_spans_total{dialect=\"openinference\",kind=\"llm\"} 1",
        "observatory_ingest_llm_spans_total{dialect=\"openinference\",kind=\"tool\"} 1",
        "observatory_ingest_llm_usage_missing_total 1",
        "observatory_ingest_llm_without_price_total 1",
        "# TYPE observatory_ingest_llm_settling gauge",
        "observatory_ingest_llm_settling 0",
    ];
    eventually("the metrics tell all of it", async || {
        let (status, metrics) = get(daemon.admin(), "/metrics").await;
        assert_eq!(status, 200);
        match told.iter().find(|line| !metrics.lines().any(|found| found == **line)) {
            None => Ok(()),
            Some(line) => Err(format!("{line} is not in\n{metrics}")),
        }
    })
    .await;
}

#[tokio::test]
async fn every_daemon_tells_all_traces_that_wait_to_be_settled() {
    let database = TestDatabase::new().await;
    let daemon = || {
        Options::on(database.url())
            .environment("OBSERVATORY_STORAGE__SETTLING__INTERVAL_MS", "50")
            .environment("OBSERVATORY_STORAGE__SETTLING__DELAY_MS", "3600000")
            .start()
    };
    let daemons = [daemon(), daemon()];
    let note = "INSERT INTO llm_settling (noted_at, due, from_day, to_day, project_id, asks, attempts, with_logs, trace_id)
                VALUES (now(), now(), current_date, current_date, 1, 1, 0, false, gen_random_uuid())";
    database.client().await.batch_execute(note).await.unwrap();
    for daemon in &daemons {
        eventually("it tells the trace that waits", async || {
            let (_, metrics) = get(daemon.admin(), "/metrics").await;
            let is_told = metrics.contains("observatory_ingest_llm_settling 1\n");
            let help = metrics.contains("# HELP observatory_ingest_llm_settling")
                && metrics.contains("take the max");
            if is_told && help { Ok(()) } else { Err(metrics) }
        })
        .await;
    }
}
