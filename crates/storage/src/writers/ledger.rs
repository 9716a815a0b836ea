//! The ledger: the table of stored requests, by which a repeated request is recognised.
//!
//! The transaction that stores the records of a request also writes its row. If two daemons get the same request at
//! once, the second waits for the first. If the first commits, the second finds the row; if it rolls back, the second
//! stores the request.

use std::collections::HashMap;

use llm_observatory_core::ids::ProjectId;
use llm_observatory_core::signal::Signal;
use uuid::Uuid;

use crate::error::Error;
use crate::postgres::writer::WriterConnection;
use crate::statement::Statement;

/// Writes a row, or counts a duplicate. The count makes the transaction of a duplicate write WAL, so that its COMMIT
/// waits for a synchronous standby like the first one.
static RECORD: Statement = Statement::fixed(
    "ledger: record",
    "INSERT INTO ingest_requests AS known (hash, project_id, signal, received_at, records, rejected, duplicates) \
     SELECT hash, project_id, $3, now(), records, rejected, 0 \
     FROM unnest($1::uuid[], $2::integer[], $4::integer[], $5::integer[]) \
          AS arrived (hash, project_id, records, rejected) \
     ON CONFLICT (hash, project_id, signal) DO UPDATE SET duplicates = known.duplicates + 1 \
     RETURNING hash, project_id, duplicates, rejected",
);
static REJECT: Statement = Statement::fixed(
    "ledger: reject",
    "UPDATE ingest_requests SET rejected = rejected + $4 WHERE hash = $1 AND project_id = $2 AND signal = $3",
);

/// The statements of this module.
pub(super) const STATEMENTS: &[&Statement] = &[&RECORD, &REJECT];

/// The key of a request, and the numbers of its records.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) hash: Uuid,
    pub(super) project_id: ProjectId,
    /// Number of its records, with the rejected ones.
    pub(super) records: u64,
    /// Number of its rejected records.
    pub(super) rejected: u64,
}

/// The row of a request that is stored already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    /// Number of its rejected records.
    pub(super) rejected: u64,
    /// Number of its repetitions, with this one.
    pub(super) duplicates: u64,
}

/// Enters distinct requests in the ledger. Returns for each the row of the ledger if the request was stored already.
pub(super) async fn record(
    connection: &WriterConnection,
    signal: Signal,
    entries: &[Entry],
) -> Result<Vec<Option<Known>>, Error> {
    let mut sorted: Vec<&Entry> = entries.iter().collect();
    // All writers use the same order, so that they do not deadlock.
    sorted.sort_unstable_by_key(|entry| (entry.hash, entry.project_id));
    let count = |count: u64| i32::try_from(count).unwrap_or(i32::MAX);
    let hashes: Vec<_> = sorted.iter().map(|entry| entry.hash).collect();
    let projects: Vec<_> = sorted.iter().map(|entry| entry.project_id.0).collect();
    let records: Vec<_> = sorted.iter().map(|entry| count(entry.records)).collect();
    let rejected: Vec<_> = sorted.iter().map(|entry| count(entry.rejected)).collect();
    let statement = connection.statement(RECORD.sql()).await?;
    let rows =
        connection.query(&statement, &[&hashes, &projects, &signal.column(), &records, &rejected]).await?;
    let known: HashMap<(Uuid, i32), Known> = rows
        .iter()
        .filter(|row| row.get::<_, i32>(2) > 0)
        .map(|row| {
            let count = |column| u64::from(row.get::<_, i32>(column).unsigned_abs());
            ((row.get(0), row.get(1)), Known { rejected: count(3), duplicates: count(2) })
        })
        .collect();
    Ok(entries.iter().map(|entry| known.get(&(entry.hash, entry.project_id.0)).copied()).collect())
}

/// Adds to the rejected records of a request.
pub(super) async fn reject(
    connection: &WriterConnection,
    signal: Signal,
    entry: &Entry,
    rejected: usize,
) -> Result<(), Error> {
    let rejected = i32::try_from(rejected).unwrap_or(i32::MAX);
    let statement = connection.statement(REJECT.sql()).await?;
    connection.execute(&statement, &[&entry.hash, &entry.project_id.0, &signal.column(), &rejected]).await?;
    Ok(())
}
