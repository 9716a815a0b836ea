//! Hostile clients, and broken ones that act alike. The daemon's memory stays bounded, and it serves honest clients: those
//! that were connected before the attack, and those that connect later.

mod bomb;
mod connections;
mod descriptors;
mod empties;
mod http2;
mod resets;
mod stall;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use harness::daemon::Options;
use harness::process::Memory;
use harness::raw::TRACES;
use harness::telemetry::{span, spans};
use harness::{Daemon, TestDatabase};
use prost::Message as _;
use tokio::time::{Instant, timeout};

use crate::caller::Caller;

const MIB: u64 = 1 << 20;
/// The defaults of `ingest.max_request_bytes`, `ingest.budget_bytes` and `ingest.arriving_bytes`.
const MAX_REQUEST_BYTES: u64 = 64 * MIB;
/// `ingest.answer_within_ms`, and some time for a machine that has other work.
const DEADLINE: Duration = Duration::from_secs(6);

/// A daemon under attack, and an honest client that was there before.
struct Siege {
    daemon: Daemon,
    honest: Caller,
    sent: AtomicU64,
    before: Memory,
    database: TestDatabase,
}

impl Siege {
    /// A daemon with these settings, `(name, value)` without `OBSERVATORY_`, that has served its honest client once.
    async fn of(settings: &[(&str, &str)]) -> Self {
        Self::with(settings, |options| options).await
    }

    async fn with(settings: &[(&str, &str)], change: impl FnOnce(Options) -> Options) -> Self {
        let database = TestDatabase::new().await;
        let options = settings.iter().fold(Options::on(database.url()), |options, (name, value)| {
            options.environment(format!("OBSERVATORY_{name}"), *value)
        });
        let daemon = change(options).start();
        let honest = Caller::to(&daemon).await;
        let mut siege =
            Self { before: daemon.process().memory(), daemon, honest, sent: AtomicU64::new(0), database };
        siege.serves_honest_clients().await;
        siege.before = siege.daemon.process().memory();
        siege
    }

    /// Exports on the connection that was open before the attack; the daemon must answer OK in time.
    async fn serves_honest_clients(&self) {
        self.serves(&self.honest).await;
    }

    /// The same for a client that the daemon may refuse for now.
    async fn serves_clients_that_retry(&self) {
        let (refusals, answer) = self.honest.send_until_taken(TRACES, self.honest_request()).await;
        assert_eq!(answer.unwrap(), None);
        println!("an honest client was refused for now {refusals} times");
    }

    fn honest_request(&self) -> Bytes {
        let number = self.sent.fetch_add(1, Ordering::Relaxed) + 1;
        spans("honest", vec![span(number.into(), number)]).encode_to_vec().into()
    }

    async fn serves(&self, exporter: &Caller) {
        let begin = Instant::now();
        let answer = timeout(DEADLINE, exporter.send(TRACES, self.honest_request())).await;
        let answer = answer.unwrap_or_else(|_| panic!("no answer to an honest client within {DEADLINE:?}"));
        assert_eq!(answer.unwrap_or_else(|status| panic!("after {:?}: {status:?}", begin.elapsed())), None);
    }

    /// The attack is over: a new client is served too, everything honest is stored, and the daemon took no more memory
    /// than `most` for all of it.
    async fn ends(mut self, attack: &str, most: u64) {
        assert!(self.daemon.ended().is_none(), "{attack}: the daemon ended");
        self.serves_honest_clients().await;
        self.serves(&Caller::to(&self.daemon).await).await;
        let after = self.daemon.process().memory();
        let growth = after.peak.saturating_sub(self.before.peak);
        println!(
            "{attack}: memory before ({}), after ({after}); the peak grew by {} of at most {} MiB",
            self.before,
            growth / MIB,
            most / MIB
        );
        assert!(growth < most, "{attack}: the daemon took {} MiB", growth / MIB);
        let client = self.database.client().await;
        let query = "SELECT count(*) FROM trace_spans WHERE service_name = 'honest'";
        let stored: i64 = client.query_one(query, &[]).await.unwrap().get(0);
        assert_eq!(stored.cast_unsigned(), self.sent.load(Ordering::Relaxed), "{attack}");
    }
}
