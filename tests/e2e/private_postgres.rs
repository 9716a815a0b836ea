//! The daemon's own PostgreSQL dies under it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use harness::admin::get;
use harness::connection::{connect, try_connect};
use harness::daemon::Options;
use harness::eventually;
use harness::retry::delay_asked_by;
use harness::telemetry::{span, spans, trace_id};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::task::JoinSet;

use crate::client::{Exporter, Reader};
use crate::database::{count, span_ids};
use crate::durability::postmaster;

const EXPORTERS: u64 = 4;

/// Exports one span a request until `stop`, and repeats each until it is acknowledged; every refusal must ask for that.
async fn export(
    exporter: Exporter,
    first: u64,
    acknowledged: Arc<Mutex<BTreeSet<u64>>>,
    stop: Arc<Mutex<bool>>,
) {
    for id in (first..).step_by(EXPORTERS as usize) {
        let request = spans("shop", vec![span(u128::from(id), id)]);
        while let Err(status) = exporter.spans(request.clone()).await {
            assert!(delay_asked_by(&status).is_some(), "{status}");
        }
        acknowledged.lock().unwrap().insert(id);
        if *stop.lock().unwrap() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_private_postgresql_that_is_killed_is_started_again_and_loses_nothing() {
    // PostgreSQL stays away long enough, and the daemon looks often enough, that the test sees the time between.
    let mut daemon = Options::private()
        .environment("OBSERVATORY_PRIVATE_POSTGRES__RESTART_INITIAL_BACKOFF_MS", "1000")
        .environment("OBSERVATORY_HEALTH__INTERVAL_MS", "50")
        .start();
    let (acknowledged, stop) = (Arc::new(Mutex::new(BTreeSet::new())), Arc::new(Mutex::new(false)));
    let mut exporters = JoinSet::new();
    for first in 1..=EXPORTERS {
        exporters.spawn(export(Exporter::to(&daemon).await, first, acknowledged.clone(), stop.clone()));
    }
    let at_least = async |count: usize| {
        eventually("spans are acknowledged", async || match acknowledged.lock().unwrap().len() {
            few if few < count => Err(format!("{few} so far")),
            _ => Ok(()),
        })
        .await;
    };
    at_least(50).await;

    let first = postmaster(&daemon).await;
    kill(Pid::from_raw(first.parse().unwrap()), Signal::SIGKILL).unwrap();
    eventually("the daemon says that it is not ready, and why", async || {
        match get(daemon.admin(), "/readyz").await {
            (503, cause) if cause.contains("private PostgreSQL ended (signal: 9") => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    assert!(daemon.log().contains("it is started again"), "the daemon logs it at once");
    eventually("the daemon is ready again", async || match get(daemon.admin(), "/readyz").await {
        (200, _) => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    let before = acknowledged.lock().unwrap().len();
    at_least(before + 50).await;
    *stop.lock().unwrap() = true;
    exporters.join_all().await;

    assert_ne!(postmaster(&daemon).await, first);
    let client = connect(daemon.database()).await;
    let stored = span_ids(&client).await;
    let acknowledged: BTreeSet<_> =
        acknowledged.lock().unwrap().iter().map(|id| id.to_be_bytes().to_vec()).collect();
    assert_eq!(stored, acknowledged, "each was sent until it was acknowledged");
    assert_eq!(
        count(&client, "trace_spans").await,
        i64::try_from(stored.len()).unwrap(),
        "each is stored once"
    );
    assert_eq!(Reader::of(&daemon).await.trace(&trace_id(1)).await.unwrap().len(), 1);

    let url = daemon.database().to_owned();
    assert_eq!(daemon.terminate().code(), Some(0));
    assert!(try_connect(&url).await.is_err(), "the new one stops with it, too");
}
