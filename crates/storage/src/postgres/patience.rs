//! Time limits.

use std::time::Duration;

use tokio::time::timeout;

use crate::error::Error;

/// Runs `work` for at most `patience`, and drops it then.
///
/// # Errors
/// [`Error::Unavailable`] after `patience`; otherwise the error of `work`.
pub async fn within<T>(patience: Duration, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    match timeout(patience, work).await {
        Ok(result) => result,
        Err(_) => Err(Error::Unavailable(format!("no answer within {} ms", patience.as_millis()))),
    }
}
