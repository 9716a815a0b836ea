//! How PostgreSQL reads rows: the plan of a query, and the number of rows that it reads.

use harness::{TestDatabase, eventually};
use llm_observatory_storage::StoragePool;
use serde_json::Value as Json;
use tokio_postgres::{Client, SimpleQueryMessage};

/// The nodes of a plan that read a table or an index.
pub(crate) struct Plan(Vec<Scan>);

/// A node that reads a table or an index.
#[derive(Debug)]
pub(crate) struct Scan {
    /// `Seq Scan`, `Index Scan`, `Bitmap Index Scan` ...
    pub(crate) node: String,
    /// The table, or the index of a bitmap.
    pub(crate) relation: String,
    /// The index, if it uses one.
    pub(crate) index: Option<String>,
}

impl Plan {
    /// The plan of PostgreSQL for a query.
    pub(crate) async fn of(client: &Client, query: &str) -> Self {
        let lines = client.simple_query(&format!("EXPLAIN (FORMAT JSON) {query}")).await.unwrap();
        let text: String = lines
            .iter()
            .filter_map(|line| match line {
                SimpleQueryMessage::Row(row) => row.get(0),
                _ => None,
            })
            .collect();
        let json: Json = serde_json::from_str(&text).unwrap();
        let mut scans = Vec::new();
        gather(&json[0]["Plan"], &mut scans);
        Self(scans)
    }

    /// The scans of a table and of its partitions.
    pub(crate) fn scans(&self, table: &str) -> Vec<&Scan> {
        self.0.iter().filter(|scan| scan.relation.starts_with(table)).collect()
    }

    /// The table and partitions that the plan reads, without their indexes.
    pub(crate) fn tables(&self, table: &str) -> Vec<String> {
        let read =
            self.0.iter().filter(|scan| scan.relation.starts_with(table) && !scan.is_bitmap_of_index());
        read.map(|scan| scan.relation.clone()).collect()
    }
}

impl Scan {
    fn is_bitmap_of_index(&self) -> bool {
        self.node == "Bitmap Index Scan"
    }
}

fn gather(node: &Json, scans: &mut Vec<Scan>) {
    let text = |name: &str| node[name].as_str().map(str::to_owned);
    let index = text("Index Name");
    if let Some(relation) = text("Relation Name").or_else(|| index.clone()) {
        scans.push(Scan { node: text("Node Type").unwrap(), relation, index });
    }
    node["Plans"].as_array().into_iter().flatten().for_each(|child| gather(child, scans));
}

/// Counts of reads from a table and its partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reads {
    /// Number of sequential scans.
    pub(crate) seq_scans: i64,
    /// Number of rows that scans of any kind read.
    pub(crate) rows: i64,
}

/// The result of `work`, and its reads of the table. The database must have no session besides `client`.
pub(crate) async fn reads<T>(
    database: &TestDatabase,
    client: &Client,
    table: &str,
    work: impl AsyncFnOnce(StoragePool) -> T,
) -> (T, Reads) {
    let before = total(client, table).await;
    let given = work(database.pool().await).await;
    let after = total(client, table).await;
    let reads = Reads { seq_scans: after.seq_scans - before.seq_scans, rows: after.rows - before.rows };
    (given, reads)
}

/// The reads of the table by all ended sessions. A session reports its counts when it ends, and seldom before.
async fn total(client: &Client, table: &str) -> Reads {
    let others = "
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'";
    eventually("other sessions end", async || {
        match client.query_one(others, &[]).await.unwrap().get::<_, i64>(0) {
            0 => Ok(()),
            open => Err(format!("{open} are open")),
        }
    })
    .await;
    let counts = "
        SELECT sum(seq_scan)::bigint, sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint
        FROM pg_stat_all_tables
        WHERE relid = $1::text::regclass OR relid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = $1::text::regclass)";
    let row = client.query_one(counts, &[&table]).await.unwrap();
    Reads { seq_scans: row.get(0), rows: row.get(1) }
}
