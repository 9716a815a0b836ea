//! Dead letters: records that can never be stored, with their bytes and the reason.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use llm_observatory_core::ids::ProjectId;
use llm_observatory_core::time::UnixNanos;
use uuid::Uuid;

use super::connection::WriterConnection;
use crate::error::Error;
use crate::models::row::{Row, RowEncoder, Table};

const PLACES: &str = "/* rejection: places */ \
    SELECT place FROM ingest_rejections WHERE request_hash = $1 AND project_id = $2 AND signal = $3 AND reason = $4 \
    ORDER BY ordinal LIMIT $5";

/// The statements of this module, with their names.
pub const STATEMENTS: &[(&str, &str)] = &[("rejection: places", PLACES)];

/// The reason of a record that PostgreSQL refused.
pub const REFUSED: &str = "refused";

/// Most places that are looked up of one request.
const MOST_PLACES: i64 = 100;

/// Where the records of a request stand that PostgreSQL refused, as far as that was kept.
pub(super) async fn refused_places(
    connection: &WriterConnection,
    request_hash: Uuid,
    project_id: ProjectId,
    signal: i16,
) -> Result<Vec<String>, Error> {
    let statement = connection.statement(PLACES).await?;
    let rows = connection
        .query(&statement, &[&request_hash, &project_id.0, &signal, &REFUSED, &MOST_PLACES])
        .await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// A row of `ingest_rejections`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectionRow {
    /// When it was rejected.
    pub rejected_at: SystemTime,
    /// The project.
    pub project_id: ProjectId,
    /// 1 traces, 2 metrics, 3 logs.
    pub signal: i16,
    /// The hash of the request that it came with.
    pub request_hash: Uuid,
    /// Its number among the rejected records of the request, from 0.
    pub ordinal: i32,
    /// Where it stands in the request.
    pub place: String,
    /// Why, in one word.
    pub reason: &'static str,
    /// Why, for people.
    pub detail: String,
    /// The record as it came, or its beginning.
    pub record: Bytes,
    /// Length of the record as it came.
    pub record_bytes: usize,
}

impl Row for RejectionRow {
    const TABLE: Table = Table {
        name: "ingest_rejections",
        columns: &[
            "rejected_at",
            "project_id",
            "ordinal",
            "record_bytes",
            "signal",
            "request_hash",
            "place",
            "reason",
            "detail",
            "record",
        ],
    };

    fn encode(&self, to: &mut RowEncoder<'_>) {
        let nanos = self.rejected_at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        to.time(UnixNanos(u64::try_from(nanos).unwrap_or(u64::MAX)));
        to.i32(self.project_id.0);
        to.i32(self.ordinal);
        to.i32(i32::try_from(self.record_bytes).unwrap_or(i32::MAX));
        to.i16(self.signal);
        to.uuid(self.request_hash);
        to.text(self.place.as_bytes());
        to.text(self.reason.as_bytes());
        to.text(self.detail.as_bytes());
        to.bytes(&self.record);
    }
}
