//! PostgreSQL is stopped in the middle of its work, and its sessions are ended under the daemon.

use harness::Postgres;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio_postgres::Client;

use crate::exporter::{Exporters, Target, daemon_on, deliver_fresh_records};
use crate::oracle::Oracle;
use crate::run::{Random, Run};

/// The server processes of the daemon's sessions.
const SESSIONS: &str =
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn immediate_stops_of_postgres() {
    let run = Run::of("immediate stops of PostgreSQL");
    let mut postgres = Postgres::durable();
    let daemon = daemon_on(postgres.url("postgres")).start();
    let (oracle, target) = (Oracle::of(run), Target::at(daemon.ingest()));
    let exporters = Exporters::start(run, &oracle, &target);
    let mut random = run.random(0);
    let (mut ended, mut killed) = (0, 0);
    for _ in 0..run.pick(3, 40) {
        oracle.sees_progress(random.within(1..2_000)).await;
        postgres.stop_immediately();
        postgres.resume();
        oracle.sees_progress(random.within(1..2_000)).await;
        ended += end_all_sessions(&postgres.connect().await).await;
        oracle.sees_progress(random.within(1..2_000)).await;
        killed += kill_a_session(&postgres.connect().await, &mut random).await;
    }
    println!("sessions ended {ended}, killed {killed}; answers: {}", exporters.finish().await);
    assert!(ended > 0 && killed > 0, "the daemon's sessions were there to be ended");
    deliver_fresh_records(&oracle, &target).await;

    let audit = oracle.audit(&postgres.connect().await).await;
    println!("{audit}");
    audit.assert_exact();
}

/// Ends the daemon's sessions, as an administrator might. Returns their number.
pub(crate) async fn end_all_sessions(client: &Client) -> usize {
    client
        .query(&format!("SELECT pg_terminate_backend(pid) FROM ({SESSIONS}) AS session"), &[])
        .await
        .unwrap()
        .len()
}

/// Kills a session's process, as the kernel does when memory is short: PostgreSQL then ends all others too, and recovers.
/// Returns the number of sessions that were killed: 1, or 0 if there was none.
async fn kill_a_session(client: &Client, random: &mut Random) -> usize {
    let sessions = client.query(SESSIONS, &[]).await.unwrap();
    if sessions.is_empty() {
        return 0;
    }
    let pid = Pid::from_raw(random.one_of(&sessions).get(0));
    kill(pid, Signal::SIGKILL).is_ok().into()
}
