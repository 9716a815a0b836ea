//! PostgreSQL is stopped in the middle of its work, and its sessions are ended under the daemon.

use harness::Postgres;
use tokio_postgres::{Client, NoTls};

use crate::exporter::{Exporters, Target, daemon_on, deliver_fresh_records};
use crate::oracle::Oracle;
use crate::run::Run;

/// Ends every session of this database but the one that asks.
const END_SESSIONS: &str = "SELECT count(*) FROM pg_stat_activity, pg_terminate_backend(pid) \
                            WHERE datname = current_database() AND pid <> pg_backend_pid()";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn immediate_stops_of_postgres() {
    let run = Run::of("immediate stops of PostgreSQL");
    let mut postgres = Postgres::durable();
    let daemon = daemon_on(postgres.url("postgres")).start();
    let (oracle, target) = (Oracle::of(run), Target::at(daemon.ingest()));
    let exporters = Exporters::start(run, &oracle, &target);
    let mut random = run.random(0);
    let mut ended = 0;
    for _ in 0..run.pick(3, 75) {
        oracle.sees_progress(random.within(1..2_000)).await;
        postgres.stop_immediately();
        postgres.resume();
        oracle.sees_progress(random.within(1..2_000)).await;
        ended += connect(&postgres).await.query_one(END_SESSIONS, &[]).await.unwrap().get::<_, i64>(0);
    }
    println!("sessions ended: {ended}; answers: {}", exporters.finish().await);
    assert!(ended > 0, "the daemon's sessions were there to be ended");
    deliver_fresh_records(&oracle, &target).await;

    let audit = oracle.audit(&connect(&postgres).await).await;
    println!("{audit}");
    audit.assert_exact();
}

async fn connect(postgres: &Postgres) -> Client {
    let (client, connection) = tokio_postgres::connect(&postgres.url("postgres"), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
