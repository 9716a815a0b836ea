//! Bookkeeping that is old enough is deleted: the ledger of requests, and the dead letters.

use std::time::{Duration, SystemTime};

use tokio_postgres::Client;

use crate::config::RetentionConfig;
use crate::error::Error;

const REQUESTS: &str = "/* retention: requests */ \
    DELETE FROM ingest_requests WHERE (hash, project_id, signal) IN \
    (SELECT hash, project_id, signal FROM ingest_requests WHERE received_at < $1 LIMIT $2)";
const REJECTIONS: &str = "/* retention: rejections */ \
    DELETE FROM ingest_rejections WHERE (request_hash, project_id, signal, ordinal) IN \
    (SELECT request_hash, project_id, signal, ordinal FROM ingest_rejections WHERE rejected_at < $1 LIMIT $2)";

/// The statements of this module, with their names.
pub const STATEMENTS: &[(&str, &str)] =
    &[("retention: requests", REQUESTS), ("retention: rejections", REJECTIONS)];

/// Deletes what is older than its retention, at most `retention.delete_rows` rows at a time, so that no transaction is long.
/// Returns how many rows were deleted. Several daemons may do so at once.
///
/// # Errors
/// What PostgreSQL says; what was deleted until then stays deleted.
pub async fn clear(client: &Client, retention: &RetentionConfig, now: SystemTime) -> Result<u64, Error> {
    let mut deleted = 0;
    for (statement, seconds) in [(REQUESTS, retention.requests_s), (REJECTIONS, retention.rejections_s)] {
        let Some(horizon) = now.checked_sub(Duration::from_secs(seconds)) else { continue };
        loop {
            let rows = client.execute(statement, &[&horizon, &i64::from(retention.delete_rows)]).await?;
            deleted += rows;
            if rows < u64::from(retention.delete_rows) {
                break;
            }
        }
    }
    Ok(deleted)
}
