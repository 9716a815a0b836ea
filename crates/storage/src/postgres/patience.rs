//! Waiting, but not for ever.

use std::time::Duration;

use tokio::time::timeout;

use crate::error::Error;

/// Waits for `work` for at most `patience`.
///
/// # Errors
/// [`Error::Unavailable`] when the time is over; else the error of `work`.
pub async fn within<T>(patience: Duration, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    match timeout(patience, work).await {
        Ok(result) => result,
        Err(_) => Err(Error::Unavailable(format!("no answer within {} ms", patience.as_millis()))),
    }
}
