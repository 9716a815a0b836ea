//! How fast writers commit. From this follows the delay that a refusal asks its client to keep.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Least time over which a rate is measured.
const WINDOW: Duration = Duration::from_secs(1);

/// The rate at which writers commit charges, and the time of the last commit.
#[derive(Debug)]
pub(crate) struct Pace(Mutex<State>);

#[derive(Debug)]
struct State {
    window_began: Instant,
    /// Bytes committed since then.
    bytes: usize,
    /// The rate so far; 0 while it is not known.
    bytes_per_second: f64,
    /// The last commit, or the start.
    last: Instant,
}

impl Pace {
    pub(crate) fn new() -> Self {
        let now = Instant::now();
        Self(Mutex::new(State { window_began: now, bytes: 0, bytes_per_second: 0.0, last: now }))
    }

    /// Counts a charge of `bytes` as committed now.
    pub(crate) fn committed(&self, bytes: usize) {
        let mut state = self.lock();
        state.last = Instant::now();
        state.bytes += bytes;
        let elapsed = state.window_began.elapsed();
        if elapsed >= WINDOW {
            let rate = state.bytes as f64 / elapsed.as_secs_f64();
            // The former rate counts for half, so that one slow batch does not give every client a long delay.
            state.bytes_per_second =
                if state.bytes_per_second == 0.0 { rate } else { (state.bytes_per_second + rate) / 2.0 };
            (state.window_began, state.bytes) = (Instant::now(), 0);
        }
    }

    /// How long writers will take for a backlog of this size; zero while the rate is not known.
    pub(crate) fn time_for(&self, backlog_bytes: usize) -> Duration {
        let rate = self.lock().bytes_per_second;
        if rate <= 0.0 {
            return Duration::ZERO;
        }
        Duration::try_from_secs_f64(backlog_bytes as f64 / rate).unwrap_or(Duration::MAX)
    }

    /// Time since the last commit, or since the start.
    pub(crate) fn idle(&self) -> Duration {
        self.lock().last.elapsed()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Each of the four values is right by itself, so a panic elsewhere leaves nothing half-done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_delay_follows_the_backlog() {
        let pace = Pace::new();
        assert_eq!(pace.time_for(1 << 20), Duration::ZERO, "nothing is known yet");
        tokio::time::advance(WINDOW).await;
        pace.committed(1_000);
        assert_eq!(pace.time_for(3_000), Duration::from_secs(3));
        tokio::time::advance(WINDOW).await;
        pace.committed(3_000);
        assert_eq!(pace.time_for(3_000), Duration::from_millis(1_500));
    }
}
