//! One transaction around one batch.

use crate::error::{Error, chain};
use crate::postgres::writer::WriterConnection;

/// Runs `work` between BEGIN and COMMIT; when it fails, rolls back and returns its error.
///
/// The caller must not drop the future: run it in a task of its own, or discard the connection.
///
/// # Errors
/// The error of `work`, or [`Error::InDoubt`] when it is unknown whether the batch was committed.
pub(super) async fn run<T>(
    connection: &WriterConnection,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    // Nothing is sent along with BEGIN: if that failed, it would be committed by itself.
    connection.batch_execute("BEGIN").await?;
    match work.await {
        Ok(value) => {
            connection.commit().await?;
            Ok(value)
        }
        Err(error) => {
            roll_back(connection, "ROLLBACK").await;
            Err(error)
        }
    }
}

/// Runs `work` behind a savepoint of the transaction that is open; when it fails, all that it did is undone.
///
/// # Errors
/// The error of `work`.
pub(super) async fn nested<T>(
    connection: &WriterConnection,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    connection.batch_execute("SAVEPOINT part").await?;
    match work.await {
        Ok(value) => {
            connection.batch_execute("RELEASE part").await?;
            Ok(value)
        }
        Err(error) => {
            roll_back(connection, "ROLLBACK TO part; RELEASE part").await;
            Err(error)
        }
    }
}

async fn roll_back(connection: &WriterConnection, how: &str) {
    if let Err(lost) = connection.batch_execute(how).await {
        tracing::debug!(error = %chain(&lost), "rollback failed; the connection is gone");
    }
}
