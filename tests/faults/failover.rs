//! The primary is lost and its standby takes over: with synchronous replication everything acknowledged is there, and
//! daemons that know both addresses go on by themselves.

use harness::{Postgres, eventually};
use tokio_postgres::Client;

use crate::exporter::{Exporters, Target, daemon_on, deliver_fresh_records};
use crate::oracle::Oracle;
use crate::postgres_killed::end_all_sessions;
use crate::run::Run;
use crate::severed::in_doubt;

const WAITING_FOR_STANDBY: &str = "FROM pg_stat_activity WHERE wait_event = 'SyncRep'";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_standby_takes_over() {
    let run = Run::of("failover");
    let (mut primary, mut standby) = (Postgres::durable(), Postgres::prepare_durable());
    let daemon = daemon_on(Postgres::address_of_both(&primary, &standby, "postgres")).start();
    let (oracle, target) = (Oracle::of(run), Target::at(daemon.ingest()));
    let exporters = Exporters::start(run, &oracle, &target);
    let mut random = run.random(0);
    for _ in 0..run.pick(2, 8) {
        standby.follow(&primary);
        let client = primary.connect().await;
        wait_for_standby_from_now_on(&client).await;
        oracle.sees_progress(random.within(1..2_000)).await;
        // Daemons look for their server again: it is the one that takes writes, whichever is named first.
        end_all_sessions(&client).await;
        oracle.sees_progress(random.within(1..2_000)).await;

        // What is committed here from now on is nowhere else. An administrator ends the wait for the standby, and COMMIT
        // succeeds with a warning: if the daemon acknowledged that, it would be lost.
        forget_primary(&standby.connect().await).await;
        let before = in_doubt(&daemon).await;
        eventually("a COMMIT without a standby is in doubt", async || {
            client
                .execute(&format!("SELECT pg_cancel_backend(pid) {WAITING_FOR_STANDBY}"), &[])
                .await
                .unwrap();
            if in_doubt(&daemon).await > before { Ok(()) } else { Err("none so far") }
        })
        .await;

        primary.stop_immediately();
        standby.connect().await.query_one("SELECT pg_promote()", &[]).await.unwrap();
        std::mem::swap(&mut primary, &mut standby);
        oracle.sees_progress(random.within(1..2_000)).await;
    }
    println!("commits in doubt, as the daemon counts them: {}", in_doubt(&daemon).await);
    println!("answers: {}", exporters.finish().await);
    deliver_fresh_records(&oracle, &target).await;

    let audit = oracle.audit(&primary.connect().await).await;
    println!("{audit}");
    audit.assert_exact();
}

/// From now on COMMIT waits for the standby. When this returns, the standby has all that was committed before.
async fn wait_for_standby_from_now_on(primary: &Client) {
    change(primary, "ALTER SYSTEM SET synchronous_standby_names = '*'").await;
    eventually("the standby is synchronous", async || {
        let synchronous = "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'";
        if primary.query(synchronous, &[]).await.unwrap().is_empty() { Err("not yet") } else { Ok(()) }
    })
    .await;
    // A transaction like any other, which comes back when the standby has it and all before it.
    primary.batch_execute("SELECT pg_logical_emit_message(true, 'a test', '')").await.unwrap();
}

/// Cuts the standby off from its primary.
async fn forget_primary(standby: &Client) {
    change(standby, "ALTER SYSTEM SET primary_conninfo = ''").await;
    eventually("the standby lets go of its primary", async || {
        let receivers = standby.query("SELECT 1 FROM pg_stat_wal_receiver", &[]).await.unwrap();
        if receivers.is_empty() { Ok(()) } else { Err("it still receives") }
    })
    .await;
}

async fn change(client: &Client, statement: &str) {
    client.batch_execute(statement).await.unwrap();
    client.batch_execute("SELECT pg_reload_conf()").await.unwrap();
}
