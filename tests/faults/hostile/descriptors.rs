//! A daemon that may open few files: connections that it can't accept don't make it spin.

use std::time::Duration;

use harness::eventually;

use super::http2::tcp_from;
use super::{MAX_REQUEST_BYTES, Siege};
use crate::caller::Caller;
use crate::run::Run;

const DESCRIPTORS: u32 = 64;
/// More than it can accept, and no more than wait in the kernel: others would not even be completed.
const CONNECTIONS: u8 = 120;
/// Longer than the test: these connections stay.
const FIRST_BYTES_MS: (&str, &str) = ("CONNECTIONS__FIRST_BYTES_MS", "600000");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_cannot_be_accepted_cost_no_cpu() {
    let run = Run::of("no descriptor left");
    let limit = format!("ulimit -n {DESCRIPTORS} || exit 1");
    let siege = Siege::with(&[FIRST_BYTES_MS], |options| options.prelude(limit)).await;
    let mut connections = Vec::new();
    for n in 1..=CONNECTIONS {
        // The kernel completes them, whether or not the daemon accepts them.
        connections.push(tcp_from([127, 0, 1, n], &siege.daemon).await.unwrap());
    }
    eventually("the daemon has no descriptor left", async || {
        let open = siege.daemon.process().descriptors();
        if open + 2 >= DESCRIPTORS as usize { Ok(()) } else { Err(format!("{open} are open")) }
    })
    .await;

    let window = run.pick(Duration::from_secs(2), Duration::from_secs(20));
    let before = siege.daemon.process().cpu();
    tokio::time::sleep(window).await;
    let share = (siege.daemon.process().cpu() - before).as_secs_f64() / window.as_secs_f64();
    println!("out of descriptors: the daemon takes {:.0} % of a core", 100.0 * share);
    assert!(share < 0.5, "it spins: {:.0} % of a core", 100.0 * share);
    siege.serves_honest_clients().await;

    drop(connections);
    eventually("a new connection is accepted and served", async || {
        let exporter = Caller::try_to(&siege.daemon).await.map_err(|error| error.to_string())?;
        siege.serves(&exporter).await;
        Ok::<_, String>(())
    })
    .await;
    siege.ends("120 connections with 64 descriptors", MAX_REQUEST_BYTES).await;
}
