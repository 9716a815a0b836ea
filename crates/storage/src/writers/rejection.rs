//! Dead letters: rejected records, with their bytes and the reason.

use std::time::SystemTime;

use bytes::Bytes;
use llm_observatory_core::ids::ProjectId;
use llm_observatory_core::signal::Signal;
use uuid::Uuid;

use crate::error::Error;
use crate::models::column::{Bytea, Id, Int2, Int4, Timestamp, Utf8};
use crate::models::row::row;
use crate::postgres::writer::WriterConnection;
use crate::statement::Statement;

static PLACES: Statement = Statement::fixed(
    "rejection: places",
    "SELECT place FROM ingest_rejections WHERE request_hash = $1 AND project_id = $2 AND signal = $3 AND reason = $4 \
     ORDER BY ordinal LIMIT $5",
);

/// The statements of this module.
pub(super) const STATEMENTS: &[&Statement] = &[&PLACES];

/// The reason of a record that PostgreSQL does not take.
pub const UNSTORABLE: &str = "unstorable";

/// Most places that are read per request.
const MAX_PLACES: i64 = 100;

/// The places of the records of a request that PostgreSQL did not take, as far as their dead letters are stored.
pub(super) async fn unstorable_places(
    connection: &WriterConnection,
    request_hash: Uuid,
    project_id: ProjectId,
    signal: Signal,
) -> Result<Vec<String>, Error> {
    let statement = connection.statement(PLACES.sql()).await?;
    let rows = connection
        .query(&statement, &[&request_hash, &project_id.0, &signal.column(), &UNSTORABLE, &MAX_PLACES])
        .await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// A row of `ingest_rejections`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectionRow {
    /// Time of the rejection.
    pub rejected_at: SystemTime,
    /// Project of the record.
    pub project_id: ProjectId,
    /// Signal of the record.
    pub signal: Signal,
    /// Hash of the request of the record.
    pub request_hash: Uuid,
    /// Number of the record among the rejected records of its request, from 0.
    pub ordinal: i32,
    /// Place of the record in its request.
    pub place: String,
    /// Reason in one word.
    pub reason: &'static str,
    /// Reason for people.
    pub detail: String,
    /// Bytes of the record as received, or the first of them.
    pub record: Bytes,
    /// Length of the whole record as received, in bytes.
    pub record_bytes: usize,
}

row! {
    RejectionRow, "ingest_rejections", |rejection|
    [
        rejected_at: Timestamp = rejection.rejected_at.into(),
        project_id: Int4 = rejection.project_id.0,
        ordinal: Int4 = rejection.ordinal,
        record_bytes: Int4 = i32::try_from(rejection.record_bytes).unwrap_or(i32::MAX),
        signal: Int2 = rejection.signal.column(),
        request_hash: Id = rejection.request_hash,
        place: Utf8 = rejection.place.as_bytes(),
        reason: Utf8 = rejection.reason.as_bytes(),
        detail: Utf8 = rejection.detail.as_bytes(),
        record: Bytea = &rejection.record,
    ]
}
