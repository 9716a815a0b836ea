//! Remembers why the pool could not open its last connection.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use bb8::{CustomizeConnection, ErrorSink};
use tokio_postgres::Client;

use crate::error::Error;

/// The error of the last attempt to connect, until one succeeds. The pool itself only reports that time ran out. Clones
/// share the error.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cause(Arc<Mutex<Option<String>>>);

impl Cause {
    /// That error, if the last attempt failed.
    pub(crate) fn last(&self) -> Option<String> {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        // The value is replaced as a whole, so a panic elsewhere leaves it whole.
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
        *self.lock() = Some(cause);
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
