//! The limits of the private PostgreSQL.

use std::time::Duration;

use llm_observatory_config::{Problems, Validate};
use serde::{Deserialize, Serialize};

/// How long the daemon waits for the private PostgreSQL, and how it restarts it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PrivatePostgresConfig {
    /// Longest wait for a started server to accept connections, in seconds. After a crash it first replays its log.
    pub start_within_s: u64,
    /// Longest time of an orderly stop, in seconds. Then the daemon stops the server at once, and the next start
    /// replays the log.
    pub stop_within_s: u64,
    /// Wait before the daemon restarts a server that ended by itself, in milliseconds. It doubles with each further
    /// attempt.
    pub restart_initial_backoff_ms: u64,
    /// Longest such wait, in milliseconds. After a server has run for longer than this, the waits start anew.
    pub restart_max_backoff_ms: u64,
}

impl Default for PrivatePostgresConfig {
    fn default() -> Self {
        Self {
            // On a slow disk, replaying `max_wal_size` takes this long.
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

    /// The wait before an attempt to restart the server, counted from 1.
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
