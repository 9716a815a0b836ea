//! The baseline: the same spans as naive rows, loaded by `psql \copy` into the same PostgreSQL.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

use crate::database::Database;
use crate::prepare::Prepared;
use crate::processes::Cpu;
use crate::report::Copy;

/// Makes the naive table, anew.
pub(crate) async fn create(database: &Database) -> Result<()> {
    drop(database).await?;
    database
        .execute(
            "CREATE SCHEMA load_baseline;
             CREATE TABLE load_baseline.naive_spans (
                 trace_id uuid NOT NULL,
                 span_id bytea NOT NULL,
                 parent_span_id bytea,
                 start_time timestamptz NOT NULL,
                 end_time timestamptz NOT NULL,
                 name text NOT NULL,
                 kind smallint NOT NULL,
                 status_code smallint NOT NULL,
                 service_name text NOT NULL,
                 attributes jsonb NOT NULL,
                 UNIQUE (trace_id, span_id, start_time));
             CREATE INDEX ON load_baseline.naive_spans USING brin (start_time)",
        )
        .await
}

/// Removes the naive table.
pub(crate) async fn drop(database: &Database) -> Result<()> {
    database.execute("DROP SCHEMA IF EXISTS load_baseline CASCADE").await
}

/// Loads every file at once, each by a `psql` of its own, and empties the table again.
pub(crate) async fn run(database: &Database, url: &str, prepared: &Prepared) -> Result<Copy> {
    let psql = psql()?;
    let wal = database.wal().await?;
    let before = Cpu::read(None, database.postmaster)?;
    let start = Instant::now();
    let mut children = Vec::new();
    for path in &prepared.files {
        let child = Command::new(&psql)
            .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url])
            .args(["-c", "\\copy load_baseline.naive_spans from pstdin"])
            .stdin(Stdio::from(File::open(path)?))
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("starting {}", psql.display()))?;
        children.push(child);
    }
    for child in &mut children {
        let status = child.wait().await?;
        ensure!(status.success(), "psql \\copy ended with {status}");
    }
    let elapsed = start.elapsed();
    let cpu = Cpu::read(None, database.postmaster)? - before;
    let wal = database.wal().await? - wal;
    let rows = database.number("SELECT count(*) FROM load_baseline.naive_spans").await?;
    ensure!(rows == prepared.spans as i64, "psql \\copy stored {rows} of {} rows", prepared.spans);
    let size = database.number("SELECT pg_total_relation_size('load_baseline.naive_spans')").await?;
    database.execute("TRUNCATE load_baseline.naive_spans").await?;
    Ok(Copy::new(prepared.spans, elapsed, cpu, wal, size))
}

/// `psql` from the path, or the newest one where Debian keeps them.
fn psql() -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if let Some(found) = std::env::split_paths(&path).map(|dir| dir.join("psql")).find(|file| file.is_file())
    {
        return Ok(found);
    }
    let debian = Path::new("/usr/lib/postgresql");
    let versions = std::fs::read_dir(debian).into_iter().flatten().flatten();
    let found = versions.map(|version| version.path().join("bin/psql")).filter(|file| file.is_file());
    found.max().context("no psql in PATH or /usr/lib/postgresql: install postgresql-client")
}
