//! Budgets of bytes: they bound the memory that requests take, whatever clients send.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// Bytes in one unit of a budget. A semaphore hands out a `u32` of units at a time, which would be too few single
/// bytes.
const UNIT: usize = 1024;

/// A number of bytes of which requests hold charges. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    units: Arc<Semaphore>,
    /// Units of the whole budget, taken or not.
    all: u32,
}

/// The part of a memory budget that a request holds. Dropping it gives that part back.
#[derive(Debug)]
pub struct Charge {
    budget: Budget,
    /// Bytes that the request asked for: more than it holds if it asked for more than the whole budget.
    bytes: usize,
    units: OwnedSemaphorePermit,
}

impl Budget {
    /// A budget of `bytes`, rounded up to whole units.
    pub(crate) fn new(bytes: usize) -> Self {
        let all = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).max(1);
        Self { units: Arc::new(Semaphore::new(all as usize)), all }
    }

    /// Takes `bytes` of the budget; `None` if it has no room before `deadline`.
    ///
    /// A request that needs more than the whole budget gets the whole budget.
    pub(crate) async fn take(&self, bytes: usize, deadline: Instant) -> Option<Charge> {
        let units = self.acquire(self.units_of(bytes), deadline).await?;
        Some(Charge { budget: self.clone(), bytes, units })
    }

    /// Bytes that charges hold.
    pub(crate) fn taken(&self) -> usize {
        (self.all as usize - self.units.available_permits()) * UNIT
    }

    /// Bytes of the whole budget.
    pub(crate) fn bytes(&self) -> usize {
        self.all as usize * UNIT
    }

    fn units_of(&self, bytes: usize) -> u32 {
        u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).clamp(1, self.all)
    }

    async fn acquire(&self, units: u32, deadline: Instant) -> Option<OwnedSemaphorePermit> {
        // The semaphore is never closed, so the inner result is always a permit.
        timeout_at(deadline, self.units.clone().acquire_many_owned(units)).await.ok()?.ok()
    }
}

impl Charge {
    /// Grows the charge to at least `bytes`; returns false if the budget has no room before `deadline`.
    pub(crate) async fn grow_to(&mut self, bytes: usize, deadline: Instant) -> bool {
        let bytes = self.bytes.max(bytes);
        let more = self.missing(bytes);
        if more > 0 {
            let Some(units) = self.budget.acquire(more, deadline).await else { return false };
            self.units.merge(units);
        }
        self.bytes = bytes;
        true
    }

    /// Grows the charge to at least `bytes` without waiting; returns false if the budget has no room now.
    pub(crate) fn try_grow_to(&mut self, bytes: usize) -> bool {
        let bytes = self.bytes.max(bytes);
        let more = self.missing(bytes);
        if more > 0 {
            let Ok(units) = self.budget.units.clone().try_acquire_many_owned(more) else { return false };
            self.units.merge(units);
        }
        self.bytes = bytes;
        true
    }

    /// Units that the charge lacks for `bytes`.
    fn missing(&self, bytes: usize) -> u32 {
        self.budget.units_of(bytes).saturating_sub(self.units.num_permits() as u32)
    }

    /// Gives back what the charge holds beyond `bytes`.
    pub fn shrink_to(&mut self, bytes: usize) {
        let bytes = self.bytes.min(bytes);
        let less = self.units.num_permits().saturating_sub(self.budget.units_of(bytes) as usize);
        drop(self.units.split(less));
        self.bytes = bytes;
    }

    /// Whether this is a charge of `budget`.
    pub(crate) fn is_of(&self, budget: &Budget) -> bool {
        Arc::ptr_eq(&self.budget.units, &budget.units)
    }

    /// Bytes that the request asked for.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_does_not_fit_waits_and_is_then_refused() {
        let budget = Budget::new(30 * UNIT);
        let soon = || Instant::now() + Duration::from_secs(2);
        let first = budget.take(27 * UNIT, soon()).await.unwrap();
        assert_eq!(budget.taken(), 27 * UNIT);
        let begin = Instant::now();
        assert!(budget.take(4 * UNIT, soon()).await.is_none());
        assert_eq!(begin.elapsed(), Duration::from_secs(2));
        drop(first);
        assert!(budget.take(1000 * UNIT, soon()).await.is_some(), "a giant gets the whole budget");
    }

    #[tokio::test(start_paused = true)]
    async fn a_charge_grows_by_what_arrives() {
        let budget = Budget::new(4 * UNIT);
        let mut charge = budget.take(0, Instant::now()).await.unwrap();
        for arrived in 1..=8 {
            assert!(charge.grow_to(arrived * UNIT / 2, Instant::now()).await);
        }
        assert_eq!((charge.bytes(), budget.taken()), (4 * UNIT, 4 * UNIT));
        assert!(charge.grow_to(5 * UNIT, Instant::now()).await, "it has the whole budget already");
        drop(charge);
        assert_eq!(budget.taken(), 0);
    }
}
