//! The daemon is killed, again and again.

use harness::TestDatabase;

use crate::exporter::{Exporters, Target, daemon_on, deliver_fresh_records};
use crate::oracle::Oracle;
use crate::run::Run;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_of_the_daemon() {
    let run = Run::of("kill -9 of the daemon");
    let database = TestDatabase::new().await;
    let mut daemon = daemon_on(database.url()).start();
    let (oracle, target) = (Oracle::of(run), Target::at(daemon.ingest()));
    let exporters = Exporters::start(run, &oracle, &target);
    let mut random = run.random(0);
    for _ in 0..run.pick(10, 150) {
        oracle.sees_progress(random.within(1..2_000)).await;
        daemon.restart(); // which begins with kill -9
        target.moves_to(daemon.ingest());
    }
    println!("answers: {}", exporters.finish().await);
    deliver_fresh_records(&oracle, &target).await;

    let audit = oracle.audit(&database.client().await).await;
    println!("{audit}");
    audit.assert_exact();
}
