//! Retries in other groupings: what a Collector with a persistent queue and batching sends after a crash. It has forgotten
//! some of what was acknowledged, and splits and merges requests as it sees fit.

use std::sync::Arc;

use harness::TestDatabase;
use llm_observatory_core::Signal;
use tokio::task::JoinSet;

use crate::exporter::{Answers, Connection, Target, daemon_on};
use crate::lossy::LossyProxy;
use crate::oracle::{Oracle, Request};
use crate::run::{Random, Run};

/// Records of each signal in one queue.
const QUEUE: u64 = 1_000;
/// What a Collector sends at once, of each signal.
const COLLECTORS: usize = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retries_split_and_merged() {
    let run = Run::of("retries split and merged");
    let database = TestDatabase::new().await;
    let daemons = [daemon_on(database.url()).start(), daemon_on(database.url()).start()];
    let lossy = LossyProxy::before(run, daemons[0].ingest()).await;
    lossy.loses(50);
    let (oracle, answers) = (Oracle::of(run), Answers::default());
    let connection = |target| Connection::to(&target, &answers);
    let first = [connection(lossy.target()), connection(Target::at(daemons[1].ingest()))];
    let again = daemons.each_ref().map(|daemon| connection(Target::at(daemon.ingest())));
    let mut random = run.random(0);
    for _ in 0..run.pick(3, 40) {
        let mut queue = Vec::new();
        for signal in Signal::ALL {
            let ids: Vec<_> = oracle.issue(signal, QUEUE).collect();
            queue.extend(batches(&oracle, signal, &ids, &mut random));
        }
        let forgotten = send_once(&oracle, &first, queue, &mut random).await;
        deliver_rebatched(&oracle, &again, forgotten, &mut random).await;
    }
    let (lost, passed) = lossy.lost_and_passed();
    println!("answers: {answers}; lost after COMMIT {lost}, passed on {passed}");
    assert!(lost > 0 && passed > 0);

    let audit = oracle.audit(&database.client().await).await;
    println!("{audit}");
    audit.assert_exact_but_for_repeated_logs(); // which are documented
}

/// These records in requests of any size, which begin and end within resources.
fn batches(oracle: &Oracle, signal: Signal, mut ids: &[u64], random: &mut Random) -> Vec<Request> {
    let mut batches = Vec::new();
    while !ids.is_empty() {
        let (batch, rest) = ids.split_at(ids.len().min(random.within(1..80) as usize));
        batches.push(oracle.request(signal, batch.to_vec()));
        ids = rest;
    }
    batches
}

/// Sends all requests at once, without a retry. Returns those that the Collector has to send again: all that were not
/// acknowledged, and half of the others.
async fn send_once(
    oracle: &Arc<Oracle>,
    connections: &[Connection],
    queue: Vec<Request>,
    random: &mut Random,
) -> Vec<Request> {
    let mut sending = JoinSet::new();
    for request in queue {
        let (oracle, mut connection) = (oracle.clone(), random.one_of(connections).clone());
        sending.spawn(async move { (connection.attempt(&oracle, &request).await.is_ok(), request) });
    }
    let sent = sending.join_all().await;
    sent.into_iter()
        .filter(|(acknowledged, _)| !acknowledged || random.percent(50))
        .map(|(_, request)| request)
        .collect()
}

/// Sends the records of these requests in new groupings, a different one from each Collector, all at once.
async fn deliver_rebatched(
    oracle: &Arc<Oracle>,
    connections: &[Connection],
    requests: Vec<Request>,
    random: &mut Random,
) {
    let mut sending = JoinSet::new();
    for signal in Signal::ALL {
        let ids = requests.iter().filter(|request| request.signal == signal).flat_map(|request| &request.ids);
        let mut ids: Vec<_> = ids.copied().collect();
        for collector in 0..COLLECTORS {
            // One keeps the order of its queue, the other one none.
            if collector > 0 {
                random.shuffle(&mut ids);
            }
            for request in batches(oracle, signal, &ids, random) {
                let (oracle, mut connection) = (oracle.clone(), random.one_of(connections).clone());
                sending.spawn(async move { connection.deliver(&oracle, &request).await });
            }
        }
    }
    sending.join_all().await;
}
