//! Wrong records among right ones: a poisoned record costs none of its neighbours.

mod clock;
mod partition;
mod rejected;
mod stream;

use std::collections::BTreeMap;

use harness::Daemon;
use harness::TestDatabase;
use harness::daemon::Options;
use tokio_postgres::Client;

use crate::caller::Caller;
use crate::run::Random;

/// A daemon on a database of its own, a client that exports to it, and a connection that reads its tables.
struct World {
    exporter: Caller,
    client: Client,
    daemon: Daemon,
}

impl World {
    async fn new() -> Self {
        Self::with(|options| options).await
    }

    async fn with(change: impl FnOnce(Options) -> Options) -> Self {
        let database = TestDatabase::new().await;
        let daemon = change(Options::on(database.url())).start();
        let exporter = Caller::to(&daemon).await;
        Self { exporter, client: database.client().await, daemon }
    }

    async fn count(&self, of: &str) -> usize {
        count(&self.client, of).await
    }

    /// The dead letters: reason and bytes, by request and place.
    async fn rejections(&self) -> BTreeMap<(String, String), (String, Vec<u8>)> {
        let query = "SELECT request_hash::text, place, reason || ': ' || detail, record, record_bytes FROM ingest_rejections";
        let rows = self.client.query(query, &[]).await.unwrap();
        let letters: BTreeMap<_, _> = rows
            .iter()
            .map(|row| {
                let record: Vec<u8> = row.get(3);
                assert_eq!(usize::try_from(row.get::<_, i32>(4)).unwrap(), record.len());
                ((row.get(0), row.get(1)), (row.get(2), record))
            })
            .collect();
        assert_eq!(letters.len(), rows.len(), "each is kept once");
        letters
    }
}

/// The rows of a table, or of a part of it: `trace_spans WHERE ..`.
async fn count(client: &Client, of: &str) -> usize {
    let row = client.query_one(&format!("SELECT count(*) FROM {of}"), &[]).await.unwrap();
    usize::try_from(row.get::<_, i64>(0)).unwrap()
}

/// A text that compresses badly, so that it is long in an index too.
fn long(length: usize, random: &mut Random) -> String {
    (0..length).map(|_| char::from(random.within(33..127) as u8)).collect()
}
