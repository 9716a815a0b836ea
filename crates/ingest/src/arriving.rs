//! Room for requests that are still arriving, or that have arrived and wait to be admitted.
//!
//! Requests that each hold a part of the room they need, and wait for the rest, would block one another. So a request
//! gets room for all the bytes that it announces before it is read, in the order of arrival; while it waits, it holds
//! no more than the room of its first frame. Requests above ordinary size share room of their own, which is as large as
//! the largest request: an announcement may be a lie, and must not take room from requests of ordinary size.

use tokio::time::Instant;

use crate::admit::{Budget, Charge};
use crate::config::{IngestConfig, ORDINARY_BYTES};

/// Room for the first frame of a request, which announces its size: the default of `connections.stream_window_bytes`.
const FIRST_FRAME_BYTES: usize = 64 * 1024;

/// A request that outgrows what it announced gets room for this multiple of the bytes it needs so far: it may grow on.
const SURPRISE: usize = 4;

/// Room for the arriving requests of one signal.
#[derive(Debug)]
pub struct Arriving {
    first_frames: Budget,
    ordinary: Budget,
    large: Budget,
}

impl Arriving {
    /// Room of the sizes that `config` gives.
    pub fn new(config: &IngestConfig) -> Self {
        Self {
            first_frames: Budget::new(config.arriving_bytes / 2),
            ordinary: Budget::new(config.arriving_bytes),
            large: Budget::new(config.max_request_bytes),
        }
    }

    /// Takes room for the first frame of a request; `None` if there is none before `deadline`.
    pub async fn begin(&self, deadline: Instant) -> Option<Charge> {
        self.first_frames.take(FIRST_FRAME_BYTES, deadline).await
    }

    /// Takes room for a request that announces `bytes`; `None` if there is none before `deadline`.
    pub async fn announce(&self, bytes: usize, deadline: Instant) -> Option<Charge> {
        let room = if bytes > ORDINARY_BYTES { &self.large } else { &self.ordinary };
        room.take(bytes, deadline).await
    }

    /// Grows the charge to at least `bytes` for a request that turned out larger than it announced; returns false if
    /// there is no room before the deadline.
    ///
    /// A request that grows above ordinary size moves to the room of large requests. So does one that finds no ordinary
    /// room at once: requests that held a part of that room and waited for more could block one another.
    pub async fn grow(&self, charge: &mut Charge, bytes: usize, deadline: Instant) -> bool {
        if !charge.is_of(&self.ordinary) {
            return charge.grow_to(bytes, deadline).await;
        }
        if bytes <= ORDINARY_BYTES && charge.try_grow_to(bytes) {
            return true;
        }
        let Some(larger) = self.large.take(bytes.saturating_mul(SURPRISE), deadline).await else {
            return false;
        };
        *charge = larger;
        true
    }

    /// Bytes that requests hold.
    pub fn taken(&self) -> usize {
        self.first_frames.taken() + self.ordinary.taken() + self.large.taken()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn large_announcements_leave_room_for_ordinary_requests() {
        let config = IngestConfig { arriving_bytes: 2 * ORDINARY_BYTES, ..IngestConfig::default() };
        let arriving = Arriving::new(&config);
        let now = Instant::now;
        let liar = arriving.announce(config.max_request_bytes, now()).await;
        assert!(liar.is_some());
        assert!(
            arriving.announce(config.max_request_bytes, now()).await.is_none(),
            "one of the largest at a time"
        );
        let ordinary = arriving.announce(ORDINARY_BYTES, now()).await;
        assert!(ordinary.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn requests_that_turn_out_larger_do_not_wait_for_each_other() {
        let config = IngestConfig { arriving_bytes: 2 * ORDINARY_BYTES, ..IngestConfig::default() };
        let arriving = Arriving::new(&config);
        let mut charges = Vec::new();
        for _ in 0..2 {
            charges.push(arriving.announce(ORDINARY_BYTES, Instant::now()).await.unwrap());
        }
        for charge in &mut charges {
            assert!(arriving.grow(charge, 2 * ORDINARY_BYTES, Instant::now()).await);
            charge.shrink_to(2 * ORDINARY_BYTES);
        }
        assert_eq!(arriving.taken(), 4 * ORDINARY_BYTES);
        let ordinary = arriving.announce(2 * ORDINARY_BYTES, Instant::now()).await;
        assert!(ordinary.is_some(), "they gave back what they had");
        drop((charges, ordinary));
        assert_eq!(arriving.taken(), 0);
    }
}
