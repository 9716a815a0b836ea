//! The limits of the private PostgreSQL, each by its name.

use std::time::Duration;

use llm_observatory_config::{Problems, Validate};
use serde::{Deserialize, Serialize};

/// How long the private PostgreSQL is waited for, and how it is started again.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PrivatePostgresConfig {
    /// Longest time until a server that was started accepts connections, in seconds. After a crash it replays its log first.
    pub start_within_s: u64,
    /// Longest time of an orderly stop, in seconds; then connections are cut, and the next start recovers from the log.
    pub stop_within_s: u64,
    /// Wait before a server that ended by itself is started again, in milliseconds; doubled with each further attempt.
    pub restart_initial_backoff_ms: u64,
    /// Longest such wait, in milliseconds. A server that runs for longer than this counts as well again.
    pub restart_max_backoff_ms: u64,
}

impl Default for PrivatePostgresConfig {
    fn default() -> Self {
        Self {
            // Replaying up to `max_wal_size` takes this long on a slow disk.
            start_within_s: 120,
            // A fast shutdown writes all of `shared_buffers`.
            stop_within_s: 15,
            restart_initial_backoff_ms: 200,
            restart_max_backoff_ms: 30_000,
        }
    }
}

impl Validate for PrivatePostgresConfig {
    fn validate(&self, problems: &mut Problems) {
        problems.at_least("start_within_s", self.start_within_s, 1);
        problems.at_least("restart_initial_backoff_ms", self.restart_initial_backoff_ms, 1);
        problems.not_less_than(
            "restart_max_backoff_ms",
            self.restart_max_backoff_ms,
            "restart_initial_backoff_ms",
            self.restart_initial_backoff_ms,
        );
    }
}

impl PrivatePostgresConfig {
    pub(crate) const fn start_within(&self) -> Duration {
        Duration::from_secs(self.start_within_s)
    }

    pub(crate) const fn stop_within(&self) -> Duration {
        Duration::from_secs(self.stop_within_s)
    }

    pub(crate) const fn restart_max_backoff(&self) -> Duration {
        Duration::from_millis(self.restart_max_backoff_ms)
    }

    /// The wait before the given attempt (from 1) to start the server again.
    pub(crate) fn backoff(&self, attempt: u32) -> Duration {
        let doubled = self.restart_initial_backoff_ms.saturating_mul(1 << attempt.saturating_sub(1).min(32));
        Duration::from_millis(doubled.min(self.restart_max_backoff_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_their_limit() {
        let config = PrivatePostgresConfig {
            restart_initial_backoff_ms: 200,
            restart_max_backoff_ms: 1_000,
            ..PrivatePostgresConfig::default()
        };
        let waits = [1, 2, 3, 4, u32::MAX].map(|attempt| config.backoff(attempt).as_millis());
        assert_eq!(waits, [200, 400, 800, 1_000, 1_000]);
    }
}
