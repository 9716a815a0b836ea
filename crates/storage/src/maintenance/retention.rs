//! Deletes old rows of the ledger and old dead letters.

use tokio_postgres::Client;

use crate::config::RetentionConfig;
use crate::error::Error;
use crate::statement::Statement;

static REQUESTS: Statement = Statement::fixed(
    "retention: requests",
    "DELETE FROM ingest_requests WHERE (hash, project_id, signal) IN \
     (SELECT hash, project_id, signal FROM ingest_requests WHERE received_at < now() - $1 * interval '1 second' LIMIT $2)",
);
static REJECTIONS: Statement = Statement::fixed(
    "retention: rejections",
    "DELETE FROM ingest_rejections WHERE (request_hash, project_id, signal, ordinal) IN \
     (SELECT request_hash, project_id, signal, ordinal FROM ingest_rejections \
      WHERE rejected_at < now() - $1 * interval '1 second' LIMIT $2)",
);

/// The statements of this module.
pub(super) const STATEMENTS: &[&Statement] = &[&REQUESTS, &REJECTIONS];

/// Deletes rows of the ledger and dead letters that are older than their retention. Returns the number of deleted rows.
///
/// PostgreSQL's clock decides the age. Each statement deletes at most `retention.delete_rows` rows, so that
/// no transaction is long. Several daemons may run this at once.
///
/// # Errors
/// [`Error::Postgres`] when PostgreSQL refuses a statement, [`Error::Unavailable`] when the connection is lost. Rows of
/// earlier statements stay deleted.
pub async fn clear(client: &Client, retention: &RetentionConfig) -> Result<u64, Error> {
    let mut deleted = 0;
    for (statement, seconds) in [(&REQUESTS, retention.requests_s), (&REJECTIONS, retention.rejections_s)] {
        let seconds = seconds as f64; // SQL multiplies an interval by a double
        loop {
            let rows =
                client.execute(statement.sql(), &[&seconds, &i64::from(retention.delete_rows)]).await?;
            deleted += rows;
            if rows < u64::from(retention.delete_rows) {
                break;
            }
        }
    }
    Ok(deleted)
}
