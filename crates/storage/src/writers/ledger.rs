//! The ledger: which requests are stored, so that one that comes again stores nothing.
//!
//! A row is written in the transaction that stores the records of its request. So when two daemons get the same request at
//! once, the later one waits for the first: if that commits, the request is known; if not, the later one stores it.

use std::collections::HashMap;

use llm_observatory_core::ids::ProjectId;
use llm_observatory_core::signal::Signal;
use uuid::Uuid;

use crate::error::Error;
use crate::postgres::writer::WriterConnection;
use crate::statement::Statement;

/// Every assignment is to a parameter or a count, and the count makes a duplicate write WAL too: its COMMIT waits for a
/// synchronous standby as the first one did.
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

/// What a request is known by, and how much is in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) hash: Uuid,
    pub(super) project_id: ProjectId,
    pub(super) records: u64,
    pub(super) rejected: u64,
}

/// A request that the ledger knew already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    /// How many of its records can never be stored.
    pub(super) rejected: u64,
    /// How often it has come again by now.
    pub(super) duplicates: u64,
}

/// Enters the requests, no two of which may be the same. Returns for each what is known of it, if it was there already.
pub(super) async fn record(
    connection: &WriterConnection,
    signal: Signal,
    entries: &[Entry],
) -> Result<Vec<Option<Known>>, Error> {
    let mut sorted: Vec<&Entry> = entries.iter().collect();
    // In one order everywhere, so that no two writers wait for each other.
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

/// Counts further records of a request that can never be stored.
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
