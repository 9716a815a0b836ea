//! Keeps the server running: restarts it when it ends by itself.

use std::convert::Infallible;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::server::PrivatePostgres;

impl PrivatePostgres {
    /// Watches the server, and restarts it each time it ends by itself, after a wait that doubles with each further
    /// attempt. When `stop` is cancelled, returns the server, in any state, so that the caller can [stop](Self::stop)
    /// it.
    pub async fn keep(mut self, stop: CancellationToken) -> Self {
        _ = stop.run_until_cancelled(self.keep_running()).await;
        self
    }

    async fn keep_running(&mut self) -> Infallible {
        let mut attempt = 0;
        loop {
            let since = Instant::now();
            let status = self.postmaster.ended().await;
            if since.elapsed() > self.options.config.restart_max_backoff() {
                attempt = 0;
            }
            let trouble = match self.layout.last_words(self.postmaster.log_start()) {
                Some(words) => format!("private PostgreSQL ended ({status}): {words}"),
                None => format!("private PostgreSQL ended ({status})"),
            };
            tracing::error!(
                postgres.pid = self.postmaster.pid(),
                log_file = %self.layout.log_file.display(),
                "{trouble}; it is started again"
            );
            self.trouble.send_replace(Some(trouble));
            self.start_again(&mut attempt).await;
            tracing::info!(postgres.pid = self.postmaster.pid(), attempt, "private PostgreSQL runs again");
            self.trouble.send_replace(None);
        }
    }

    /// Tries to start the server until it accepts connections.
    async fn start_again(&mut self, attempt: &mut u32) {
        loop {
            *attempt = attempt.saturating_add(1);
            let wait = self.options.config.backoff(*attempt);
            sleep(wait).await;
            match self.restart().await {
                Ok(()) => return,
                Err(error) => {
                    tracing::error!(attempt, %error, "private PostgreSQL can't be started; trying again");
                    self.trouble.send_replace(Some(format!("private PostgreSQL can't be started: {error}")));
                }
            }
        }
    }
}
