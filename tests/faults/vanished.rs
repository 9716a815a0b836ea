//! The machine of a daemon is gone in the middle of a transaction, and PostgreSQL is not told: what its session holds is free
//! again as soon as PostgreSQL has asked for a sign of life and has got none.

use harness::Postgres;
use llm_observatory_core::Signal;
use tokio::time::Instant;

use crate::exporter::{Answers, Connection, Target, daemon_on};
use crate::oracle::Oracle;
use crate::proxy::{Fault, Manner, Proxy, Server};
use crate::run::Run;

/// By default it is ten seconds.
const SILENCE_MS: &str = "2000";

/// Transactions of sessions over TCP.
const OPEN_TRANSACTIONS: &str =
    "SELECT count(*) FROM pg_stat_activity WHERE client_port > 0 AND xact_start IS NOT NULL";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_daemon_takes_over_what_a_vanished_one_had_begun() {
    let run = Run::of("a machine that vanishes");
    let (postgres, address) = Postgres::durable_on_tcp();
    let oracle = Oracle::of(run);
    let survivor = daemon_on(postgres.url("postgres")).start();
    for round in 0..run.pick(1, 5) {
        let proxy = Proxy::before(Server::Tcp(address)).await;
        if !proxy.may_vanish().await {
            return run.did_not("it takes root (CAP_NET_ADMIN) to close a socket without a word");
        }
        let mut daemon = daemon_on(proxy.url("postgres"))
            .environment("OBSERVATORY_STORAGE__DATABASE__TCP_USER_TIMEOUT_MS", SILENCE_MS)
            .start();
        proxy.breaks_by(Manner::Vanish);
        // In COPY PostgreSQL waits for the client, and no timeout of a statement or a transaction counts.
        let fault = [Fault::InCopy, Fault::BeforeCommit][round % 2];
        let request = oracle.new_request(Signal::Traces, 50);
        let mut first = Connection::to(&Target::at(daemon.ingest()), &Answers::default());
        tokio::select! {
            () = proxy.breaks(fault) => {}
            answer = first.attempt(&oracle, &request) => panic!("{fault:?} did not come: {answer:?}"),
        }
        daemon.kill9();
        drop(first);
        let open: i64 = postgres.connect().await.query_one(OPEN_TRANSACTIONS, &[]).await.unwrap().get(0);
        assert!(open > 0, "PostgreSQL does not know that the daemon is gone");

        let (begin, answers) = (Instant::now(), Answers::default());
        Connection::to(&Target::at(survivor.ingest()), &answers).deliver(&oracle, &request).await;
        println!("{fault:?}: taken over within {:.1} s; answers: {answers}", begin.elapsed().as_secs_f64());
    }
    let audit = oracle.audit(&postgres.connect().await).await;
    println!("{audit}");
    audit.assert_exact();
}
