//! Requests that are announced and never sent, or sent a byte at a time: the daemon charges only bytes that have arrived,
//! and ends a stream whose body takes too long.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::future::poll_fn;
use std::time::Duration;

use bytes::Bytes;
use h2::SendStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, timeout};

use super::http2::{begin, call, connect, head};
use super::{MAX_REQUEST_BYTES, MIB, Siege};

const STREAMS: usize = 100;
/// Of them on one connection, which may have `connections.max_streams`.
const CONNECTION_STREAMS: usize = 10;
const ATTACKER: [u8; 4] = [127, 0, 0, 66];
const RECEIVE_WITHIN: Duration = Duration::from_secs(2);
const RECEIVE_WITHIN_MS: (&str, &str) = ("INGEST__RECEIVE_WITHIN_MS", "2000");
/// How much later than announced a stream may be ended, on a machine that has other work.
const SLACK: Duration = Duration::from_secs(2);

/// What is sent of a message after its length.
#[derive(Debug, Clone, Copy)]
enum Body {
    Nothing,
    ALittle,
    AByteASecond,
    Much,
}

impl Body {
    /// Sends it, and never ends it.
    async fn send(self, stream: &mut SendStream<Bytes>) -> Infallible {
        let sent = match self {
            Self::Nothing => Ok(()),
            Self::ALittle => stream.send_data(vec![0; 1024].into(), false),
            Self::AByteASecond => drip(stream).await,
            Self::Much => flood(stream).await,
        };
        // The daemon may have ended the stream already: its answer says so.
        drop(sent);
        std::future::pending().await
    }
}

async fn drip(stream: &mut SendStream<Bytes>) -> Result<(), h2::Error> {
    let mut second = interval(Duration::from_secs(1));
    loop {
        second.tick().await;
        stream.send_data(Bytes::from_static(&[0]), false)?;
    }
}

/// As much as the daemon takes, up to 24 MiB.
async fn flood(stream: &mut SendStream<Bytes>) -> Result<(), h2::Error> {
    let mut left = 24 * MIB as usize;
    while left > 0 {
        stream.reserve_capacity(left.min(MIB as usize));
        let Some(granted) = poll_fn(|context| stream.poll_capacity(context)).await else { break };
        let granted = granted?;
        stream.send_data(vec![0; granted].into(), false)?;
        left = left.saturating_sub(granted);
    }
    Ok(())
}

/// Announces a message of this length on each of many streams, and sends no more than `body` of it. Meanwhile something
/// else happens `beside`. The daemon ends every stream when its time is up.
async fn announce(siege: &Siege, length: u64, body: Body, beside: impl Future<Output = ()>) {
    let begun = Instant::now();
    let (mut clients, mut streams) = (Vec::new(), JoinSet::new());
    for number in 0..STREAMS {
        if number % CONNECTION_STREAMS == 0 {
            clients.push(connect(ATTACKER, &siege.daemon).await.unwrap().0);
        }
        let (answer, mut stream) = begin(clients.last().unwrap()).await.unwrap();
        stream.send_data(head(u32::try_from(length).unwrap()), false).unwrap();
        streams.spawn(async move {
            tokio::select! {
                answer = answer => (ended_by(&answer), begun.elapsed()),
                never = body.send(&mut stream) => match never {},
            }
        });
    }
    let beside = async {
        beside.await;
        siege.daemon.process().memory().reserved
    };
    let ends = timeout(RECEIVE_WITHIN + SLACK, streams.join_all());
    let (reserved, ends) = tokio::join!(beside, ends);
    let ends = ends.unwrap_or_else(|_| panic!("{body:?}: streams are still open"));
    let last = ends.iter().map(|(_, after)| after.as_secs_f64()).fold(0.0, f64::max);
    let codes: BTreeSet<_> = ends.into_iter().map(|(code, _)| code).collect();
    println!(
        "{STREAMS} times {length} bytes announced, sent: {body:?}: ended by {codes:?}, the last after {last:.1} s"
    );
    assert!(
        !codes.contains("grpc-status 2") && !codes.contains("grpc-status 13"),
        "UNKNOWN and INTERNAL say nothing"
    );
    // What is reserved and not touched counts too: machines that don't overcommit would refuse it.
    let growth = reserved.saturating_sub(siege.before.reserved);
    assert!(growth < 4 * MAX_REQUEST_BYTES, "{body:?}: {} MiB are reserved", growth / MIB);
}

/// The gRPC status, or the reason of the reset.
fn ended_by(answer: &Result<http::Response<h2::RecvStream>, h2::Error>) -> String {
    match answer {
        Ok(answer) => match answer.headers().get("grpc-status") {
            Some(code) => format!("grpc-status {}", code.to_str().unwrap()),
            None => format!("HTTP {}", answer.status()),
        },
        Err(error) => error.reason().map_or_else(|| error.to_string(), |reason| format!("{reason:?}")),
    }
}

/// Services beside OTLP's have no budgets, so their messages are small.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_services_do_not_wait_for_large_messages() {
    let siege = Siege::of(&[]).await;
    let (client, _connection) = connect(ATTACKER, &siege.daemon).await.unwrap();
    for method in ["/grpc.health.v1.Health/Check", "/llm_observatory.v1.IngestService/GetIngestStats"] {
        let (answer, mut stream) = call(&client, method).await.unwrap();
        stream.send_data(head(4 * MIB as u32 - 1), false).unwrap();
        let answer = timeout(SLACK, answer).await;
        let ended = ended_by(&answer.unwrap_or_else(|_| panic!("{method}: more is waited for")));
        assert_eq!(ended, "grpc-status 11", "{method}: out of range");
    }
    siege.ends("announcements of 4 MiB to other services", MIB * 4).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_length_that_is_declared_is_not_reserved() {
    let siege = Siege::of(&[RECEIVE_WITHIN_MS]).await;
    announce(&siege, MAX_REQUEST_BYTES, Body::Nothing, siege.serves_honest_clients()).await;
    siege.ends("100 times 64 MiB declared, nothing sent", MAX_REQUEST_BYTES).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_little_of_what_was_declared_is_not_waited_for() {
    let siege = Siege::of(&[RECEIVE_WITHIN_MS]).await;
    announce(&siege, MAX_REQUEST_BYTES, Body::ALittle, siege.serves_honest_clients()).await;
    siege.ends("100 times 64 MiB declared, 1 KiB sent", MAX_REQUEST_BYTES).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_byte_a_second_is_not_waited_for() {
    let siege = Siege::of(&[RECEIVE_WITHIN_MS]).await;
    announce(&siege, 1_000, Body::AByteASecond, siege.serves_honest_clients()).await;
    siege.ends("100 bodies at a byte a second", MAX_REQUEST_BYTES).await;
}

/// What has arrived is memory, so it is charged to `ingest.arriving_bytes` for all streams together.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_arrives_and_is_never_finished_has_one_budget() {
    let siege = Siege::of(&[RECEIVE_WITHIN_MS]).await;
    // Here the daemon may refuse an honest client for now, until the time of the others is up.
    announce(&siege, MAX_REQUEST_BYTES, Body::Much, siege.serves_clients_that_retry()).await;
    siege.ends("100 times 64 MiB declared, up to 24 MiB sent", 2 * MAX_REQUEST_BYTES).await;
}
