//! Figures that PostgreSQL counts: spans stored, WAL, disk, and its settings.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::Serialize;
use tokio_postgres::{Client, NoTls};

use crate::processes;

/// A connection that is open before the clock starts.
pub(crate) struct Database {
    client: Client,
    /// The postmaster's process id, if it runs on this machine.
    pub(crate) postmaster: Option<u32>,
}

/// The settings of PostgreSQL on which speed and durability rest.
#[derive(Serialize)]
pub(crate) struct Settings(pub(crate) BTreeMap<String, String>);

impl Database {
    pub(crate) async fn connect(url: &str) -> Result<Self> {
        let (client, connection) =
            tokio_postgres::connect(url, NoTls).await.context("connecting to PostgreSQL")?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                eprintln!("the connection to PostgreSQL broke: {error}");
            }
        });
        let row = client
            .query_one(
                "SELECT pg_backend_pid(), coalesce(inet_server_addr() <<= '127.0.0.0/8' \
                 OR inet_server_addr() = '::1', true)",
                &[],
            )
            .await?;
        let (backend, local): (i32, bool) = (row.get(0), row.get(1));
        let postmaster = local.then(|| processes::postmaster_of(backend as u32)).flatten();
        Ok(Self { client, postmaster })
    }

    /// Runs statements that answer nothing.
    pub(crate) async fn execute(&self, statements: &str) -> Result<()> {
        self.client.batch_execute(statements).await.context("running SQL")
    }

    /// One number.
    pub(crate) async fn number(&self, query: &str) -> Result<i64> {
        Ok(self.client.query_one(query, &[]).await.context("running SQL")?.try_get(0)?)
    }

    /// From now on this connection sees what is committed at this moment and nothing later.
    pub(crate) async fn freeze(&self) -> Result<()> {
        // The first statement after BEGIN takes the snapshot.
        self.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT 1").await
    }

    /// Ends what `freeze` began.
    pub(crate) async fn thaw(&self) -> Result<()> {
        self.execute("COMMIT").await
    }

    /// Spans stored.
    pub(crate) async fn spans(&self) -> Result<i64> {
        self.number("SELECT count(*) FROM trace_spans").await
    }

    /// Bytes of WAL ever written.
    pub(crate) async fn wal(&self) -> Result<i64> {
        self.number("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint").await
    }

    /// Bytes on disk of the daemon's tables (all partitions), with their indexes and TOAST.
    pub(crate) async fn size(&self) -> Result<i64> {
        self.number(
            "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint \
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE c.relkind = 'r' AND n.nspname NOT LIKE 'pg\\_%' \
             AND n.nspname NOT IN ('information_schema', 'load_baseline')",
        )
        .await
    }

    /// Leaves no work of one measurement for the next: vacuums what may be vacuumed, and checkpoints.
    pub(crate) async fn settle(&self, owned: bool) -> Result<()> {
        if owned {
            self.execute("VACUUM (ANALYZE)").await?;
        }
        if let Err(error) = self.client.batch_execute("CHECKPOINT").await {
            eprintln!("no checkpoint before the measurement: {error}");
        }
        Ok(())
    }

    pub(crate) async fn settings(&self) -> Result<Settings> {
        let rows = self
            .client
            .query(
                "SELECT name, current_setting(name) FROM pg_settings WHERE name IN ('server_version', 'fsync', \
                 'full_page_writes', 'synchronous_commit', 'wal_level', 'wal_compression', 'shared_buffers', \
                 'max_wal_size', 'default_toast_compression')",
                &[],
            )
            .await?;
        Ok(Settings(rows.iter().map(|row| (row.get(0), row.get(1))).collect()))
    }
}
