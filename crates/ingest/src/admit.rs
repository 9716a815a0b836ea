//! One budget of bytes a signal: memory is bounded whatever clients send.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The budget is counted in these units, since a semaphore counts in 32 bits at a time.
const UNIT: usize = 1024;

/// What a request is estimated to hold in memory, for each of its bytes: itself, its JSON, its rows, its part of a COPY.
const MEMORY_PER_BYTE: usize = 3;

/// A budget that requests hold a part of, from arrival to answer.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    units: Arc<Semaphore>,
    all: u32,
}

/// A part of the budget; given back when dropped.
#[derive(Debug)]
pub(crate) struct Admission {
    _units: OwnedSemaphorePermit,
}

impl Budget {
    pub(crate) fn new(bytes: usize) -> Self {
        let all = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).max(1);
        Self { units: Arc::new(Semaphore::new(all as usize)), all }
    }

    /// A part for a request of this size, waiting at most `patience`; `None` when there was none in that time.
    ///
    /// A request that alone would need more than the whole budget takes all of it.
    pub(crate) async fn admit(&self, request_bytes: usize, patience: Duration) -> Option<Admission> {
        let units =
            u32::try_from(request_bytes.saturating_mul(MEMORY_PER_BYTE).div_ceil(UNIT)).unwrap_or(u32::MAX);
        let wait = self.units.clone().acquire_many_owned(units.clamp(1, self.all));
        // The semaphore is never closed, so the inner result is always a permit.
        let units = tokio::time::timeout(patience, wait).await.ok()?.ok()?;
        Some(Admission { _units: units })
    }

    /// Bytes of the budget that are taken.
    #[cfg(test)]
    fn taken(&self) -> usize {
        (self.all as usize - self.units.available_permits()) * UNIT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_does_not_fit_waits_and_is_then_refused() {
        let budget = Budget::new(30 * UNIT);
        let patience = Duration::from_secs(2);
        let first = budget.admit(9 * UNIT, patience).await.unwrap();
        assert_eq!(budget.taken(), 27 * UNIT);
        assert!(budget.admit(2 * UNIT, patience).await.is_none(), "refused after its patience");
        drop(first);
        assert!(budget.admit(1000 * UNIT, patience).await.is_some(), "a giant takes all, alone");
    }
}
