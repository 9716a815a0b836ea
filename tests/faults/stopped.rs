//! The daemon is asked to stop under load, again and again.

use std::time::{Duration, Instant};

use harness::TestDatabase;

use crate::exporter::{Exporters, Target, daemon_on, deliver_fresh_records};
use crate::oracle::Oracle;
use crate::run::Run;

/// The promise of `OBSERVATORY_SHUTDOWN_S`.
const SHUTDOWN: Duration = Duration::from_secs(25);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_under_load() {
    let run = Run::of("SIGTERM under load");
    let database = TestDatabase::new().await;
    let client = database.client().await;
    let mut daemon = daemon_on(database.url()).start();
    let (oracle, target) = (Oracle::of(run), Target::at(daemon.ingest()));
    let exporters = Exporters::start(run, &oracle, &target);
    let mut random = run.random(0);
    let mut longest = Duration::ZERO;
    let times = run.pick(3, 50);
    for _ in 0..times {
        oracle.sees_progress(random.within(1..1_000)).await;
        let begin = Instant::now();
        assert_eq!(daemon.terminate().code(), Some(0));
        longest = longest.max(begin.elapsed());
        let audit = oracle.audit(&client).await;
        audit.assert_exact();
        // What it has stored it has also answered, even if the last answers have yet to be read.
        oracle.sees_acknowledged(audit.stored()).await;
        daemon.restart();
        target.moves_to(daemon.ingest());
    }
    println!("stopped {times} times, at most in {longest:?}; answers: {}", exporters.finish().await);
    assert!(longest < SHUTDOWN);
    deliver_fresh_records(&oracle, &target).await;

    let audit = oracle.audit(&client).await;
    println!("{audit}");
    audit.assert_exact();
}
