//! A disk that fills up: PostgreSQL fails, and the daemon refuses requests with RetryInfo. Once there is room again,
//! everything that was acknowledged is stored, once.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use harness::connection::try_connect;
use harness::daemon::Options;
use harness::eventually::deadline;
use harness::postgres::WriteAheadLog;
use harness::raw::{LOGS, TRACES};
use harness::telemetry::{record, records, span, spans, text};
use harness::{Daemon, Postgres, eventually};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::caller::{Caller, assert_retryable};
use crate::run::Run;

const DISK_BYTES: u64 = 160 << 20;
/// A file of this size takes up room until the test deletes it.
const BALLAST_BYTES: usize = 48 << 20;
const EXPORTERS: u64 = 8;
const REQUEST_RECORDS: u64 = 100;

/// Exporters, half of spans and half of log records, that send one request after the other and each until it is taken.
struct Load {
    exporters: JoinSet<Vec<u64>>,
    sent: Arc<Sent>,
}

#[derive(Default)]
struct Sent {
    acknowledged: AtomicUsize,
    refused: AtomicU32,
    /// True once no exporter may begin another request.
    enough: AtomicBool,
}

impl Load {
    async fn on(daemon: &Daemon) -> Self {
        let mut load = Self { exporters: JoinSet::new(), sent: Arc::default() };
        for exporter in 0..EXPORTERS {
            let connection = Caller::to(daemon).await;
            let sent = load.sent.clone();
            load.exporters.spawn(async move {
                let mut acknowledged = Vec::new();
                for request in (exporter..).step_by(EXPORTERS as usize) {
                    if sent.enough.load(Ordering::Relaxed) {
                        break;
                    }
                    let (method, body) = encoded(request);
                    while let Err(status) = connection.send(method, body.clone()).await {
                        sent.refused.fetch_add(1, Ordering::Relaxed);
                        tokio::time::sleep(assert_retryable(&status)).await;
                    }
                    sent.acknowledged.fetch_add(1, Ordering::Relaxed);
                    acknowledged.push(request);
                }
                acknowledged
            });
        }
        load
    }

    async fn until_refused(&self, times: u32) {
        eventually("the daemon refuses", async || match self.sent.refused.load(Ordering::Relaxed) {
            refused if refused >= times => Ok(()),
            refused => Err(format!("{refused} refusals, {:?} requests stored", self.sent.acknowledged)),
        })
        .await;
    }

    /// Waits until every request that was begun is acknowledged, and returns the numbers of all acknowledged requests.
    async fn end(self) -> BTreeSet<u64> {
        self.sent.enough.store(true, Ordering::Relaxed);
        let acknowledged = timeout(deadline(), self.exporters.join_all()).await;
        acknowledged.expect("what was begun is taken in the end").into_iter().flatten().collect()
    }
}

/// Even requests hold spans and odd ones log records, each record numbered.
fn encoded(request: u64) -> (&'static str, Bytes) {
    let filler = "x".repeat(800);
    let numbers = request * REQUEST_RECORDS..(request + 1) * REQUEST_RECORDS;
    if request.is_multiple_of(2) {
        let numbered = numbers.map(|n| Span {
            attributes: vec![text("filler", &filler)],
            ..span(u128::from(request) + 1, n + 1)
        });
        (TRACES, spans("shop", numbered.collect()).encode_to_vec().into())
    } else {
        let numbered = numbers
            .map(|n| LogRecord { attributes: vec![text("filler", &filler)], ..record(&n.to_string()) });
        (LOGS, records("shop", numbered.collect()).encode_to_vec().into())
    }
}

/// A file that takes up room until it is removed.
struct Ballast(PathBuf);

impl Ballast {
    fn on(postgres: &Postgres) -> Self {
        let path = postgres.disk().join("ballast");
        std::fs::write(&path, vec![0; BALLAST_BYTES]).unwrap();
        Self(path)
    }

    fn remove(self) {
        std::fs::remove_file(self.0).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_full_of_everything_loses_nothing_that_was_acknowledged() {
    fill_up(Run::of("a disk full of data and log"), WriteAheadLog::Beside).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_full_of_data_loses_nothing_that_was_acknowledged() {
    fill_up(Run::of("a disk full of data"), WriteAheadLog::Elsewhere).await;
}

/// Makes PostgreSQL begin new files of its log until there is no room for one, and it panics.
async fn panics(postgres: &Postgres) {
    eventually("PostgreSQL panics", async || {
        if postgres.log().contains("PANIC:") {
            return Ok(());
        }
        let client = try_connect(&postgres.url("postgres")).await.map_err(|error| error.to_string())?;
        match client.batch_execute("SELECT pg_switch_wal()").await {
            Ok(()) => Err("there was room for another file".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    })
    .await;
}

async fn fill_up(run: Run, log: WriteAheadLog) {
    let mut postgres = match Postgres::on_small_disk(DISK_BYTES, log) {
        Ok(postgres) => postgres,
        Err(error) => return run.did_not(&format!("mounting a small disk takes root: {error}")),
    };
    let ballast = Ballast::on(&postgres);
    postgres.resume();
    let mut daemon = Options::on(postgres.url("postgres")).start();
    let load = Load::on(&daemon).await;
    load.until_refused(1).await;
    let before = load.sent.acknowledged.load(Ordering::Relaxed);
    if log == WriteAheadLog::Beside {
        panics(&postgres).await;
    }
    // The outage itself: every refusal is checked by the exporter that hears it.
    tokio::time::sleep(run.pick(Duration::from_secs(3), Duration::from_secs(30))).await;
    load.until_refused(EXPORTERS as u32 * 2).await;
    let refused = load.sent.refused.load(Ordering::Relaxed);
    assert!(postgres.log().contains("No space left on device"), "the disk was not full");
    let panics = postgres.log().matches("PANIC:").count();

    ballast.remove();
    eventually("PostgreSQL answers", async || {
        if !postgres.is_running() {
            println!("PostgreSQL gave up on the full disk and is started again");
            postgres.resume();
        }
        try_connect(&postgres.url("postgres")).await.map(drop)
    })
    .await;
    let acknowledged = load.end().await;
    assert!(daemon.ended().is_none(), "the daemon lives through it");
    println!(
        "{before} requests acknowledged before the disk was full, {refused} refusals while it was, all \
             retryable; PostgreSQL panicked {panics} times; {} requests acknowledged in all",
        acknowledged.len()
    );
    assert_stored_once(&postgres, &acknowledged).await;
    assert!(daemon.terminate().success());
}

/// Everything that was begun was acknowledged in the end, so the tables hold exactly that.
async fn assert_stored_once(postgres: &Postgres, acknowledged: &BTreeSet<u64>) {
    let client = postgres.connect().await;
    let (of_spans, of_logs): (Vec<u64>, Vec<u64>) =
        acknowledged.iter().partition(|request| encoded(**request).0 == TRACES);
    let queries = [
        (of_spans, 1, "SELECT ('x' || encode(span_id, 'hex'))::bit(64)::bigint FROM trace_spans"),
        (of_logs, 0, "SELECT body_text::bigint FROM logs"),
    ];
    for (requests, offset, query) in queries {
        let rows = client.query(query, &[]).await.unwrap();
        let stored: BTreeSet<u64> = rows.iter().map(|row| row.get::<_, i64>(0).cast_unsigned()).collect();
        let first = |request: u64| request * REQUEST_RECORDS + offset;
        let sent: BTreeSet<u64> =
            requests.iter().flat_map(|&request| first(request)..first(request) + REQUEST_RECORDS).collect();
        let (lost, foreign) = (sent.difference(&stored).count(), stored.difference(&sent).count());
        let twice = rows.len() - stored.len();
        println!(
            "acked {}, stored {}, duplicates {twice}, lost {lost}, foreign {foreign}",
            sent.len(),
            rows.len()
        );
        assert_eq!((lost, twice, foreign), (0, 0, 0), "{query}");
    }
    let miscounted = "SELECT count(*) FROM traces WHERE span_count <> $1";
    let miscounted: i64 =
        client.query_one(miscounted, &[&REQUEST_RECORDS.cast_signed()]).await.unwrap().get(0);
    assert_eq!(miscounted, 0, "each trace is one request");
}
