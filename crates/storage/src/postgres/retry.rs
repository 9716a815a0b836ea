//! Retries with exponential backoff.

use std::time::Duration;

use crate::config::{RetryConfig, StorageConfig};
use crate::error::{Error, Failure};

/// The wait after an attempt, counted from 1: `initial_backoff_ms`, doubled with each attempt, at most
/// `max_backoff_ms`. Half of it is fixed, the other half random.
pub fn backoff(retry: &RetryConfig, attempt: u32) -> Duration {
    let doubled = retry.initial_backoff_ms.saturating_mul(1_u64 << attempt.saturating_sub(1).min(32));
    let most = doubled.min(retry.max_backoff_ms).max(1);
    Duration::from_millis(rand::random_range(most.div_ceil(2)..=most))
}

/// Calls `connect` until it succeeds, and waits between attempts while PostgreSQL is unavailable.
///
/// # Errors
/// An error that is [`Failure::Unavailable`] after `connect_retry.attempts`; any other error at once, since a wrong password or
/// a missing database needs an operator.
pub(crate) async fn until_available<T, F>(config: &StorageConfig, connect: impl Fn() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let retry = &config.connect_retry;
    let mut attempt = 1;
    loop {
        match connect().await {
            Ok(connected) => return Ok(connected),
            Err(error) if attempt >= retry.attempts || error.failure() != Failure::Unavailable => {
                return Err(error);
            }
            Err(error) => {
                let wait = backoff(retry, attempt);
                tracing::warn!(
                    database = config.database.address(),
                    attempt,
                    wait.ms = wait.as_millis(),
                    %error,
                    "PostgreSQL is not available yet; trying again"
                );
                tokio::time::sleep(wait).await;
                attempt += 1;
            }
        }
    }
}
