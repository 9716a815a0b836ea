//! The figure of the OpenTelemetry Collector's own retry test: 10,000 items a second in batches of 10, and a backend that
//! answers 70 % of the calls with UNAVAILABLE. Here it does so after it has committed them.

use std::time::Duration;

use harness::TestDatabase;
use llm_observatory_core::Signal;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval};

use crate::exporter::{Answers, Connection, daemon_on};
use crate::lossy::LossyProxy;
use crate::oracle::Oracle;
use crate::run::Run;

const ITEMS_PER_SECOND: u64 = 10_000;
const BATCH: u64 = 10;
const LOST_PERCENT: u64 = 70;
const TICK: Duration = Duration::from_millis(10);
const REQUESTS_PER_TICK: u64 = ITEMS_PER_SECOND / BATCH / 100;
const CONNECTIONS: u64 = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn seventy_percent_of_the_answers_are_lost_after_the_commit() {
    let run = Run::of("70 % of the answers lost after COMMIT");
    let database = TestDatabase::new().await;
    let daemon = daemon_on(database.url()).start();
    let lossy = LossyProxy::before(run, daemon.ingest()).await;
    let (oracle, answers) = (Oracle::of(run), Answers::default());
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut connection = Connection::to(&lossy.target(), &answers);
        connection.deliver(&oracle, &oracle.new_request(Signal::Traces, 1)).await;
        connections.push(connection);
    }

    let (losing, in_all) = run.pick((150, 200), (500, 700));
    // Made before the clock starts: the figure is about the daemon.
    let ticks: Vec<Vec<_>> = (0..in_all)
        .map(|tick| {
            let signals = (0..REQUESTS_PER_TICK).map(|number| Signal::ALL[(tick + number) as usize % 3]);
            signals.map(|signal| oracle.new_request(signal, BATCH)).collect()
        })
        .collect();
    let mut sending = JoinSet::new();
    let (begin, mut clock) = (Instant::now(), interval(TICK));
    lossy.loses(LOST_PERCENT);
    for (tick, requests) in ticks.into_iter().enumerate() {
        clock.tick().await;
        if tick as u64 == losing {
            lossy.loses(0);
        }
        for (number, request) in requests.into_iter().enumerate() {
            let (oracle, mut connection) = (oracle.clone(), connections[number % connections.len()].clone());
            sending.spawn(async move { connection.deliver(&oracle, &request).await });
        }
    }
    let sent = begin.elapsed();
    sending.join_all().await;
    let (lost, passed) = lossy.lost_and_passed();
    println!("sent in {sent:?}, all acknowledged after {:?}; answers: {answers}", begin.elapsed());
    println!("answers lost after COMMIT {lost}, passed on {passed}");
    assert!(lost > 0);

    let audit = oracle.audit(&database.client().await).await;
    println!("{audit}");
    audit.assert_exact();
    assert_eq!(audit.stored(), in_all * REQUESTS_PER_TICK * BATCH + CONNECTIONS);
}
