//! What the tables of a daemon hold, and locks on them.

use std::collections::BTreeSet;

use harness::eventually;
use tokio_postgres::Client;

/// The one number that `query` gives.
pub(crate) async fn number(client: &Client, query: &str) -> i64 {
    client.query_one(query, &[]).await.unwrap().get(0)
}

/// The rows of a table.
pub(crate) async fn count(client: &Client, table: &str) -> i64 {
    number(client, &format!("SELECT count(*) FROM {table}")).await
}

/// The ids of all stored spans.
pub(crate) async fn span_ids(client: &Client) -> BTreeSet<Vec<u8>> {
    let rows = client.query("SELECT span_id FROM trace_spans", &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// Keeps all other sessions from `table` until the client sends COMMIT or ends.
pub(crate) async fn lock(client: &Client, table: &str) {
    let statement = format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE");
    client.batch_execute(&statement).await.unwrap();
}

/// Waits until a writer of the daemon is blocked by the locked `table`.
pub(crate) async fn wait_for_a_blocked_writer(client: &Client, table: &str) {
    let query = format!(
        "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database \
         WHERE datname = current_database() AND relation = '{table}'::regclass AND NOT granted"
    );
    eventually("a writer waits for the locked table", async || match number(client, &query).await {
        0 => Err("none does yet"),
        _ => Ok(()),
    })
    .await;
}
