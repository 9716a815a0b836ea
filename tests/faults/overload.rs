//! Five times the load that the daemon can carry, in 256 MiB: it carries nearly as much as before, and
//! refuses the rest with RetryInfo.
//!
//! The test compares the goodput of two phases, which take turns since the machine's speed drifts. The full form has the
//! machine for itself and asks for 80 %. Beside the short form other tests run, so it asks only that goodput does not
//! collapse.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use harness::daemon::Options;
use harness::raw::TRACES;
use harness::telemetry::{span, spans, text};
use harness::{Daemon, MemoryLimit, TestDatabase};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};
use tonic::Status;

use crate::caller::{Caller, assert_retryable, is_lost};
use crate::run::Run;

const MEMORY_BYTES: u64 = 256 << 20;
const REQUEST_SPANS: usize = 500;
const TRACE_SPANS: u64 = 10;
const OVERLOAD: f64 = 5.0;
/// The part of the unloaded rate that is carried under overload when it is for itself, and beside other tests.
const ENOUGH: f64 = 0.8;
const COLLAPSED: f64 = 0.2;
/// Both phases have as many connections as sensible exporters and as a bad day bring.
const FEW: usize = 4;
const MANY: usize = 64;
/// Requests that one connection has in flight: exporters have one or two, a Collector has ten.
const IN_FLIGHT_OF_FEW: usize = 2;
const IN_FLIGHT_OF_MANY: usize = 10;
/// A client gives up on a request that was refused this often.
const ATTEMPTS: u32 = 2;
const PATIENCE: Duration = Duration::from_secs(2);
const ANSWER_WITHIN: Duration = Duration::from_secs(4);
/// For scheduling, since clients, daemon and PostgreSQL share the machine.
const SLACK: Duration = Duration::from_secs(1);

/// One encoded request and where its ids are: a fresh request is a copy with other ids, which costs the client little.
struct Template {
    bytes: Vec<u8>,
    /// Where an id ends in eight bytes that count, and what is added to the number of the request.
    ids: Vec<(usize, u64)>,
    next: AtomicU64,
}

impl Template {
    fn new() -> Self {
        let filler = "x".repeat(900);
        let ids: Vec<(u64, u64)> = (0..REQUEST_SPANS as u64).map(|n| (n / TRACE_SPANS, n)).collect();
        let (trace, of_span) = (|id: u64| id | 1 << 62, |id: u64| id | 1 << 63);
        let sent = ids.iter().map(|&(trace_id, id)| Span {
            attributes: vec![text("filler", &filler)],
            ..span(trace(trace_id).into(), of_span(id))
        });
        let bytes = spans("shop", sent.collect()).encode_to_vec();
        let mut from = 0;
        let mut find = |mark: u64, added: u64| {
            from += bytes[from..].windows(8).position(|window| window == mark.to_be_bytes()).unwrap();
            (from, added)
        };
        let ids =
            ids.iter().flat_map(|&(trace_id, id)| [find(trace(trace_id), trace_id), find(of_span(id), id)]);
        Self { ids: ids.collect(), bytes, next: AtomicU64::new(1) }
    }

    /// A request like no other.
    fn request(&self) -> Bytes {
        let mut bytes = self.bytes.clone();
        let first = self.next.fetch_add(REQUEST_SPANS as u64, Ordering::Relaxed);
        for &(at, added) in &self.ids {
            bytes[at..at + 8].copy_from_slice(&(first + added).to_be_bytes());
        }
        bytes.into()
    }
}

/// The answers that the clients of one phase got, counted.
#[derive(Default)]
struct Answers {
    taken: AtomicU64,
    refused: AtomicU64,
    given_up: AtomicU64,
    /// Offered when the client had its hands full: its own queue drops them.
    dropped: AtomicU64,
    slowest_micros: AtomicU64,
    /// Connections were lost, as they are when the daemon ends.
    lost: AtomicU64,
}

impl Answers {
    /// Sends once, and checks when and how it is answered.
    async fn attempt(&self, exporter: &Caller, body: Bytes) -> Result<(), Status> {
        let begin = Instant::now();
        let answer = exporter.send(TRACES, body).await;
        let took = begin.elapsed();
        self.slowest_micros.fetch_max(took.as_micros() as u64, Ordering::Relaxed);
        assert!(took <= PATIENCE + ANSWER_WITHIN + SLACK, "an answer took {took:?}: {answer:?}");
        assert_eq!(answer?, None);
        self.taken.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Sends as SDKs do: waits as told, and gives up after some attempts.
    async fn send(&self, exporter: &Caller, body: Bytes) {
        for _ in 0..ATTEMPTS {
            match self.attempt(exporter, body.clone()).await {
                Ok(()) => return,
                Err(status) if is_lost(&status) => {
                    self.lost.fetch_add(1, Ordering::Relaxed);
                    return;
                }
                Err(status) => {
                    self.refused.fetch_add(1, Ordering::Relaxed);
                    sleep(assert_retryable(&status)).await;
                }
            }
        }
        self.given_up.fetch_add(1, Ordering::Relaxed);
    }

    fn count(counter: &AtomicU64) -> u64 {
        counter.load(Ordering::Relaxed)
    }
}

/// Acknowledged spans a second over the length of a phase, which begins when the load has settled.
async fn goodput(run: Run, answers: &Answers) -> f64 {
    sleep(run.pick(Duration::from_secs(2), Duration::from_secs(5))).await;
    let (begin, before) = (Instant::now(), Answers::count(&answers.taken));
    sleep(run.pick(Duration::from_secs(4), Duration::from_secs(10))).await;
    let taken = Answers::count(&answers.taken) - before;
    taken as f64 * REQUEST_SPANS as f64 / begin.elapsed().as_secs_f64()
}

/// Few clients, each of which sends its next request when the last one is answered.
async fn unloaded(run: Run, daemon: &Daemon, template: &Arc<Template>) -> f64 {
    let answers = Arc::new(Answers::default());
    let mut senders = JoinSet::new();
    for _ in 0..FEW {
        let exporter = Caller::to(daemon).await;
        for _ in 0..IN_FLIGHT_OF_FEW {
            let (exporter, answers, template) = (exporter.clone(), answers.clone(), template.clone());
            senders.spawn(async move {
                while Answers::count(&answers.lost) == 0 {
                    answers.send(&exporter, template.request()).await;
                }
            });
        }
    }
    let rate = tokio::select! {
        rate = goodput(run, &answers) => rate,
        sender = senders.join_next() => panic!("a client ended: {sender:?}"),
    };
    senders.shutdown().await;
    let refused = Answers::count(&answers.refused);
    println!("unloaded: {rate:.0} spans/s acknowledged, {refused} refusals");
    rate
}

/// Many clients that get new requests at a fixed rate, answered or not. Returns the goodput, and how many requests were
/// lost with their connection.
async fn overloaded(run: Run, daemon: &Daemon, template: &Arc<Template>, rate: f64) -> (f64, u64) {
    let answers = Arc::new(Answers::default());
    let every = Duration::from_secs_f64(MANY as f64 * REQUEST_SPANS as f64 / rate);
    let offered = Arc::new(AtomicU64::new(0));
    let mut clients = JoinSet::new();
    for client in 0..MANY {
        let exporter = Caller::to(daemon).await;
        let (answers, template, offered) = (answers.clone(), template.clone(), offered.clone());
        // They don't beat in step.
        let first = Instant::now() + every.mul_f64(client as f64 / MANY as f64);
        clients.spawn(async move {
            let (room, mut sending) = (Arc::new(Semaphore::new(IN_FLIGHT_OF_MANY)), JoinSet::new());
            sleep_until(first).await;
            let mut beat = interval(every);
            beat.set_missed_tick_behavior(MissedTickBehavior::Burst);
            loop {
                tokio::select! {
                    _ = beat.tick() => {}
                    Some(sent) = sending.join_next() => { sent.unwrap(); continue }
                }
                offered.fetch_add(1, Ordering::Relaxed);
                let Ok(place) = room.clone().try_acquire_owned() else {
                    answers.dropped.fetch_add(1, Ordering::Relaxed);
                    continue;
                };
                let (exporter, answers, body) = (exporter.clone(), answers.clone(), template.request());
                sending.spawn(async move {
                    answers.send(&exporter, body).await;
                    drop(place);
                });
            }
        });
    }
    let begin = Instant::now();
    let goodput = tokio::select! {
        rate = goodput(run, &answers) => rate,
        client = clients.join_next() => panic!("a client ended: {client:?}"),
    };
    let offered = Answers::count(&offered) as f64 * REQUEST_SPANS as f64 / begin.elapsed().as_secs_f64();
    clients.shutdown().await;
    println!(
        "overloaded: {offered:.0} spans/s offered, {goodput:.0} acknowledged; {} requests taken, {} refusals, \
             {} given up, {} dropped by clients that had {IN_FLIGHT_OF_MANY} in flight; slowest answer {:.2} s",
        Answers::count(&answers.taken),
        Answers::count(&answers.refused),
        Answers::count(&answers.given_up),
        Answers::count(&answers.dropped),
        Duration::from_micros(Answers::count(&answers.slowest_micros)).as_secs_f64(),
    );
    (goodput, Answers::count(&answers.lost))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_times_the_load_costs_little_of_what_is_carried() {
    let run = Run::of("overload");
    let limit = MemoryLimit::new(MEMORY_BYTES);
    println!("the daemon's memory is limited to {limit}");
    let database = TestDatabase::new().await;
    let mut daemon = Options::on(database.url())
        .environment("OBSERVATORY_INGEST__PATIENCE_MS", PATIENCE.as_millis().to_string())
        .environment("OBSERVATORY_INGEST__ANSWER_WITHIN_MS", ANSWER_WITHIN.as_millis().to_string())
        .prelude(limit.prelude())
        .start();
    let template = Arc::new(Template::new());

    if run.is_full() {
        println!("not counted, since a young database is faster:");
        unloaded(run, &daemon, &template).await;
    }
    let (mut rate, mut carried) = (0.0, 0.0);
    for _ in 0..run.pick(1, 3) {
        let unloaded = unloaded(run, &daemon, &template).await;
        let (begin, cpu) = (Instant::now(), daemon.process().cpu());
        let (overloaded, lost) = overloaded(run, &daemon, &template, unloaded * OVERLOAD).await;

        assert_eq!(limit.kills(), 0, "the kernel ended the daemon for want of memory");
        assert!(daemon.ended().is_none(), "the daemon ended");
        assert_eq!(lost, 0, "connections were lost");
        let cpu = (daemon.process().cpu() - cpu).as_secs_f64() / begin.elapsed().as_secs_f64();
        println!("goodput {:.2} of the unloaded rate; the daemon took {cpu:.2} cores", overloaded / unloaded);
        rate += unloaded;
        carried += overloaded;
    }
    let (ratio, memory) = (carried / rate, daemon.process().memory());
    println!("goodput {ratio:.2} of the unloaded rate in all; the daemon's memory: {memory}");
    assert!(memory.peak < MEMORY_BYTES, "{memory}");
    let enough = run.pick(COLLAPSED, ENOUGH);
    assert!(ratio >= enough, "goodput fell to {ratio:.2} of the unloaded rate, below {enough}");
}
