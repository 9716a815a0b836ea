//! Connections between the daemon and PostgreSQL break where it hurts.

use std::time::Duration;

use harness::admin::get;
use harness::{Daemon, Postgres};

use crate::exporter::{Exporters, Target, daemon_on, deliver_fresh_records};
use crate::oracle::Oracle;
use crate::proxy::{Fault, Manner, Proxy, Server};
use crate::run::Run;

/// A limit that a test can wait for.
const COMMIT_WITHIN: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_connections() {
    let run = Run::of("cut connections to PostgreSQL");
    let postgres = Postgres::durable();
    let proxy = Proxy::before(Server::Unix(postgres.socket())).await;
    let daemon = daemon_on(proxy.url("postgres")).start();
    let (oracle, target) = (Oracle::of(run), Target::at(daemon.ingest()));
    let exporters = Exporters::start(run, &oracle, &target);
    let mut random = run.random(0);
    for _ in 0..run.pick(8, 100) {
        let mut faults = Fault::ALL;
        random.shuffle(&mut faults);
        for fault in faults {
            proxy.delays(Duration::from_millis(random.within(0..20)));
            oracle.sees_progress(random.within(1..300)).await;
            proxy.breaks(fault).await;
        }
    }
    println!("answers: {}", exporters.finish().await);
    deliver_fresh_records(&oracle, &target).await;

    let [in_copy, before, after] = Fault::ALL.map(|fault| proxy.struck(fault));
    let delayed = proxy.delayed();
    println!(
        "cut in COPY {in_copy}, before COMMIT {before}, between COMMIT and its answer {after}; delayed {delayed}"
    );
    println!("commits in doubt, as the daemon counts them: {}", in_doubt(&daemon).await);
    assert!(in_copy > 0 && before > 0 && after > 0 && delayed > 0);
    let audit = oracle.audit(&postgres.connect().await).await;
    println!("{audit}");
    audit.assert_exact();
}

/// PostgreSQL's machine is there and says nothing any more, at any point: the transaction has a limit.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_connections() {
    let run = Run::of("silent connections to PostgreSQL");
    let postgres = Postgres::durable();
    let proxy = Proxy::before(Server::Unix(postgres.socket())).await;
    let daemon = daemon_on(proxy.url("postgres"))
        .environment("OBSERVATORY_INGEST__COMMIT_WITHIN_MS", COMMIT_WITHIN.as_millis().to_string())
        .start();
    proxy.breaks_by(Manner::Silence);
    let (oracle, target) = (Oracle::of(run), Target::at(daemon.ingest()));
    let exporters = Exporters::start(run, &oracle, &target);
    let mut random = run.random(0);
    for _ in 0..run.pick(1, 8) {
        for fault in Fault::ALL {
            oracle.sees_progress(random.within(1..300)).await;
            proxy.breaks(fault).await;
        }
    }
    println!("answers: {}", exporters.finish().await);
    deliver_fresh_records(&oracle, &target).await;
    println!("commits in doubt, as the daemon counts them: {}", in_doubt(&daemon).await);
    let audit = oracle.audit(&postgres.connect().await).await;
    println!("{audit}");
    audit.assert_exact();
}

/// How often a COMMIT was in doubt, as the daemon counts.
pub(crate) async fn in_doubt(daemon: &Daemon) -> u64 {
    let (_, metrics) = get(daemon.admin(), "/metrics").await;
    let counters =
        metrics.lines().filter(|line| line.starts_with("observatory_ingest_commits_in_doubt_total"));
    counters.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}
