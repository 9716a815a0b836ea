//! Each request arrives several times at once.

use harness::TestDatabase;
use llm_observatory_core::Signal;
use tokio::task::JoinSet;

use crate::exporter::{Answers, Connection, Target, daemon_on};
use crate::oracle::Oracle;
use crate::run::Run;

/// Requests of each signal that are under way at once.
const AT_ONCE: u64 = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_to_five_times_at_once_to_two_daemons() {
    let run = Run::of("each request 1 to 5 times at once to two daemons");
    let database = TestDatabase::new().await;
    let daemons = [daemon_on(database.url()).start(), daemon_on(database.url()).start()];
    let (oracle, answers) = (Oracle::of(run), Answers::default());
    let connections = daemons.each_ref().map(|daemon| Connection::to(&Target::at(daemon.ingest()), &answers));
    let mut random = run.random(0);
    for _ in 0..run.pick(30, 300) {
        let mut sending = JoinSet::new();
        for number in 0..AT_ONCE * 3 {
            let signal = Signal::ALL[number as usize % 3];
            let request = oracle.new_request(signal, random.within(1..50));
            for _ in 0..random.within(1..6) {
                let mut connection = random.one_of(&connections).clone();
                let (oracle, request) = (oracle.clone(), request.clone());
                sending.spawn(async move { connection.deliver(&oracle, &request).await });
            }
        }
        // Each of them hears OK in the end.
        sending.join_all().await;
    }
    println!("answers: {answers}");

    let audit = oracle.audit(&database.client().await).await;
    println!("{audit}");
    audit.assert_exact();
}
