//! Runs the work of a writer in a transaction or behind a savepoint.

use crate::error::{Error, chain};
use crate::postgres::writer::WriterConnection;

/// Runs `work` between BEGIN and COMMIT. If it fails, rolls back and returns its error.
///
/// A caller that drops the future must discard the connection, since its transaction is still open.
///
/// # Errors
/// The error of `work`; those of [`WriterConnection::commit`]; [`Error::Unavailable`] when the connection is lost
/// at BEGIN.
pub(crate) async fn run<T>(
    connection: &WriterConnection,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    // Wait for the answer to BEGIN: if BEGIN failed, PostgreSQL would commit each pipelined statement by itself.
    connection.begin().await?;
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

/// Runs `work` behind a savepoint of the open transaction. If it fails, rolls back to the savepoint and returns its
/// error.
///
/// # Errors
/// The error of `work`, or [`Error::Unavailable`] when the connection is lost.
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
