//! Waiting for something to become true, never longer than a deadline.

use std::fmt::Display;
use std::time::{Duration, Instant};

/// The environment variable with the longest wait, in seconds.
const DEADLINE: &str = "OBSERVATORY_TEST_DEADLINE_S";

const DEFAULT_DEADLINE: Duration = Duration::from_secs(60);
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

/// Repeats `attempt` until it succeeds, and returns its value. Panics with its last error once the deadline is over.
pub async fn eventually<T, E: Display>(what: &str, mut attempt: impl AsyncFnMut() -> Result<T, E>) -> T {
    let mut patience = Patience::new();
    loop {
        match attempt().await {
            Ok(value) => return value,
            Err(error) => tokio::time::sleep(patience.pause(what, &error)).await,
        }
    }
}

/// [`eventually`] without a runtime, for starting servers that several runtimes share.
pub(crate) fn eventually_blocking<T, E: Display>(what: &str, mut attempt: impl FnMut() -> Result<T, E>) -> T {
    let mut patience = Patience::new();
    loop {
        match attempt() {
            Ok(value) => return value,
            Err(error) => std::thread::sleep(patience.pause(what, &error)),
        }
    }
}

/// The longest that anything is waited for.
pub fn deadline() -> Duration {
    let seconds = std::env::var(DEADLINE).ok().and_then(|seconds| seconds.parse().ok());
    seconds.map_or(DEFAULT_DEADLINE, Duration::from_secs)
}

struct Patience {
    until: Instant,
    next: Duration,
}

impl Patience {
    fn new() -> Self {
        Self { until: Instant::now() + deadline(), next: FIRST_PAUSE }
    }

    fn pause(&mut self, what: &str, error: &dyn Display) -> Duration {
        assert!(Instant::now() < self.until, "{what}: not within {:?}: {error}", deadline());
        let pause = self.next;
        self.next = (pause * 2).min(LONGEST_PAUSE);
        pause
    }
}
