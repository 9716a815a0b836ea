//! Room for requests that are still arriving, or that have arrived and wait to be admitted.
//!
//! Many requests that each hold a part of what they need, and wait for the rest, would stop one another. So a request of
//! ordinary size gets room for all that it announces before it is read, in the order of arrival, and whoever waits holds
//! next to nothing. So does a larger one, from room of their own that is as large as the largest request: an announcement
//! may be a lie, and must not cost those of ordinary size anything.

use tokio::time::Instant;

use crate::admit::{Budget, Charge};
use crate::config::{IngestConfig, ORDINARY_BYTES};

/// Room for the first frame of a request, which tells how large it is: a stream's window of unread bytes, by default.
const FIRST_FRAME_BYTES: usize = 64 * 1024;

/// A request that turned out larger than it announced gets room for this multiple of what it has by then: it may go on.
const SURPRISE: usize = 4;

/// Room for arriving requests of one signal.
#[derive(Debug)]
pub struct Arriving {
    first_frames: Budget,
    ordinary: Budget,
    large: Budget,
}

impl Arriving {
    /// Room as large as configured.
    pub fn new(config: &IngestConfig) -> Self {
        Self {
            first_frames: Budget::new(config.arriving_bytes / 2),
            ordinary: Budget::new(config.arriving_bytes),
            large: Budget::new(config.max_request_bytes),
        }
    }

    /// Room for the first frame of a request.
    pub async fn begin(&self, deadline: Instant) -> Option<Charge> {
        self.first_frames.take(FIRST_FRAME_BYTES, deadline).await
    }

    /// Room for a request that announces this number of bytes; `None` when there is none until the deadline.
    pub async fn announce(&self, bytes: usize, deadline: Instant) -> Option<Charge> {
        let room = if bytes > ORDINARY_BYTES { &self.large } else { &self.ordinary };
        room.take(bytes, deadline).await
    }

    /// Grows the charge to at least `bytes` for a request that turned out larger than it announced; returns false if there is
    /// no room before the deadline.
    ///
    /// One that is no longer of ordinary size, or finds no room among its like, who may all wait for what the others hold,
    /// moves to the room of the large ones.
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

    /// Bytes that are taken.
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
