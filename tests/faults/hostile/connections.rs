//! Thousands of connections that do nothing: each address has its share, and those that don't even say that they speak
//! HTTP/2 are closed.

use std::time::Duration;

use harness::eventually;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::http2::{connect, tcp_from};
use super::{MIB, Siege};
use crate::caller::Caller;
use crate::run::Run;

/// The default of `connections.max_per_address`.
const PER_ADDRESS: usize = 256;
const FIRST_BYTES: Duration = Duration::from_secs(3);
const FIRST_BYTES_MS: (&str, &str) = ("CONNECTIONS__FIRST_BYTES_MS", "3000");
/// How much later than announced a connection may be closed, on a machine that has other work.
const SLACK: Duration = Duration::from_secs(2);
/// What the daemon may hold for each idle connection, with its HTTP/2 state.
const BYTES_EACH: u64 = 64 * 1024;

/// The descriptors that the tests need at once; the daemon inherits the limit.
fn allow_descriptors(needed: u64) {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    let raised = soft.max(needed);
    let answer = setrlimit(Resource::RLIMIT_NOFILE, raised, hard.max(raised));
    answer.unwrap_or_else(|error| panic!("this test needs {needed} descriptors (ulimit -n): {error}"));
}

/// A connection that says nothing, watched until the daemon closes it.
fn silent(mut tcp: TcpStream) -> JoinHandle<Instant> {
    tokio::spawn(async move {
        let mut nothing = [0; 64];
        // The daemon may greet first; all else is the end.
        while tcp.read(&mut nothing).await.is_ok_and(|read| read > 0) {}
        Instant::now()
    })
}

fn open<T>(connections: &[JoinHandle<T>]) -> usize {
    connections.iter().filter(|connection| !connection.is_finished()).count()
}

/// Waits until no more than `most` of them are open.
async fn until_at_most<T>(most: usize, connections: &[JoinHandle<T>], what: &str) {
    eventually(what, async || match open(connections) {
        open if open <= most => Ok(()),
        open => Err(format!("{open} are open")),
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_without_a_first_byte_are_closed() {
    let thousands = Run::of("silent connections").pick(2_000, 8_000);
    allow_descriptors(thousands as u64 + 2_000);
    let siege = Siege::of(&[FIRST_BYTES_MS]).await;
    let begin = Instant::now();
    let mut connections = Vec::new();
    for n in 0..thousands {
        // Eight addresses, each with as many as it can get.
        let from = [127, 0, 2, 1 + (n % 8) as u8];
        if let Ok(tcp) = tcp_from(from, &siege.daemon).await {
            connections.push(silent(tcp));
        }
        if n % 500 == 0 {
            siege.serves_honest_clients().await;
        }
    }
    let last = Instant::now();
    until_at_most(0, &connections, "all silent connections are closed").await;
    let mut closed = Vec::new();
    for connection in connections {
        closed.push(connection.await.unwrap());
    }
    let longest = closed.iter().max().unwrap().duration_since(last);
    println!(
        "{thousands} silent connections within {:.1} s, all closed {:.1} s after the last one",
        (last - begin).as_secs_f64(),
        longest.as_secs_f64()
    );
    assert!(longest <= FIRST_BYTES + SLACK, "the last one was closed after {longest:?}");
    siege.ends("thousands of silent connections", thousands as u64 * BYTES_EACH).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_has_its_share_and_no_more() {
    allow_descriptors(4_000);
    let siege = Siege::of(&[FIRST_BYTES_MS]).await;
    let crowd = PER_ADDRESS * 2;
    let (mut clients, mut connections) = (Vec::new(), Vec::new());
    for _ in 0..crowd {
        // Those with a preface are idle, but speak HTTP/2: they stay for as long as they like.
        if let Ok((client, connection)) = connect([127, 0, 3, 1], &siege.daemon).await {
            clients.push(client);
            connections.push(connection);
        }
    }
    let begin = Instant::now();
    until_at_most(PER_ADDRESS, &connections, "those over the share of their address are closed").await;
    assert!(begin.elapsed() < FIRST_BYTES, "they are closed at once, not at some deadline");
    // Longer than the deadline for first bytes: it is not for those.
    tokio::time::sleep(FIRST_BYTES + Duration::from_millis(500)).await;
    assert_eq!(open(&connections), PER_ADDRESS, "of {crowd} idle connections of one address");
    siege.serves_honest_clients().await;
    siege.serves(&Caller::to(&siege.daemon).await).await;
    println!("{crowd} idle HTTP/2 connections of one address: {PER_ADDRESS} stay");

    drop(clients);
    until_at_most(0, &connections, "the idle connections end").await;
    eventually("the address has its share again", async || {
        let (client, connection) = connect([127, 0, 3, 1], &siege.daemon).await?;
        drop(client);
        connection.await.unwrap().map_err(std::io::Error::other)
    })
    .await;
    siege.ends("idle connections of one address", 128 * MIB).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_addresses_together_have_a_limit() {
    allow_descriptors(4_000);
    // One is the honest client's.
    let most = 100;
    let siege = Siege::of(&[("CONNECTIONS__MAX", "101"), FIRST_BYTES_MS]).await;
    let (mut clients, mut connections) = (Vec::new(), Vec::new());
    for n in 0..3 * most {
        if let Ok((client, connection)) = connect([127, 0, 4, 1 + (n % 30) as u8], &siege.daemon).await {
            clients.push(client);
            connections.push(connection);
        }
    }
    until_at_most(most, &connections, "those over the limit are closed").await;
    assert_eq!(open(&connections), most);
    siege.serves_honest_clients().await;
    drop(clients);
    until_at_most(0, &connections, "the idle connections end").await;
    eventually("there is room for a new client", async || {
        let exporter = Caller::try_to(&siege.daemon).await?;
        siege.serves(&exporter).await;
        Ok::<_, tonic::transport::Error>(())
    })
    .await;
    println!("{} idle connections of 30 addresses: {most} stay", 3 * most);
    siege.ends("idle connections of many addresses", 64 * MIB).await;
}
