//! Why the pool could not open its last connection.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bb8::{CustomizeConnection, ErrorSink};
use tokio_postgres::Client;

use crate::error::Error;

/// Remembers the error of the last attempt to connect, until one succeeds: the pool itself tells only that time ran out.
/// Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cause(Arc<Mutex<Option<(Instant, String)>>>);

impl Cause {
    /// Why connecting failed within the last `age`, if it did.
    pub(crate) fn within(&self, age: Duration) -> Option<String> {
        self.lock().as_ref().filter(|(at, _)| at.elapsed() <= age).map(|(_, cause)| cause.clone())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(Instant, String)>> {
        // The value is replaced as a whole, so a panic elsewhere can't have left it half-changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ErrorSink<tokio_postgres::Error> for Cause {
    fn sink(&self, error: tokio_postgres::Error) {
        let cause = match Error::from(error) {
            Error::Unavailable(cause) => cause,
            other => other.to_string(),
        };
        tracing::debug!(%cause, "the pool can't connect to PostgreSQL");
        *self.lock() = Some((Instant::now(), cause));
    }

    fn boxed_clone(&self) -> Box<dyn ErrorSink<tokio_postgres::Error>> {
        Box::new(self.clone())
    }
}

impl CustomizeConnection<Client, tokio_postgres::Error> for Cause {
    fn on_acquire<'a>(
        &'a self,
        _: &'a mut Client,
    ) -> Pin<Box<dyn Future<Output = Result<(), tokio_postgres::Error>> + Send + 'a>> {
        *self.lock() = None;
        Box::pin(async { Ok(()) })
    }
}
