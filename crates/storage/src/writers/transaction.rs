//! One transaction around one batch.

use tokio_postgres::Client;

use crate::error::Error;

/// Runs `work` between BEGIN and COMMIT; when it fails, rolls back and gives its error.
///
/// The caller must not drop the future: run it in a task of its own, or discard the connection.
///
/// # Errors
/// What `work` says, or PostgreSQL at COMMIT: then it is unknown whether the batch was committed.
pub(super) async fn run<T>(
    client: &Client,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    client.batch_execute("BEGIN").await?;
    match work.await {
        Ok(value) => {
            client.batch_execute("COMMIT").await?;
            Ok(value)
        }
        Err(error) => {
            if let Err(lost) = client.batch_execute("ROLLBACK").await {
                tracing::debug!(error = %crate::error::chain(&lost), "rollback failed; the connection is gone");
            }
            Err(error)
        }
    }
}
