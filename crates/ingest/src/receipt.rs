//! Receipts: the requests in flight, and the callers that wait for their outcomes.
//!
//! A client that gave up waiting sends the same bytes again, perhaps while a writer writes them. The second request
//! waits for the outcome of the first one, and takes no memory or transaction of its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use llm_observatory_core::ids::ProjectId;
use tokio::sync::watch;
use uuid::Uuid;

use crate::outcome::Outcome;

/// The project and the hash of a request, which identify it within its signal.
pub(crate) type Key = (ProjectId, Uuid);

/// The sender of each request's outcome.
type Senders = HashMap<Key, Arc<watch::Sender<Option<Outcome>>>>;

/// The requests of one signal that are in flight. It needs no bound of its own: each request holds a charge.
#[derive(Debug, Clone, Default)]
pub(crate) struct InFlight {
    senders: Arc<Mutex<Senders>>,
}

/// Waits for the outcome of a request.
pub(crate) struct Awaited(watch::Receiver<Option<Outcome>>);

/// The right and duty to tell the outcome of a request, once. If it is dropped before that, the outcome is
/// [`Outcome::Abandoned`].
#[derive(Debug)]
pub(crate) struct Receipt {
    key: Key,
    in_flight: Arc<Mutex<Senders>>,
    outcome: Arc<watch::Sender<Option<Outcome>>>,
    told: bool,
}

impl InFlight {
    /// Joins the request that is in flight already, or puts it in flight. Only in the second case there is a receipt.
    pub(crate) fn join(&self, key: Key) -> (Awaited, Option<Receipt>) {
        let mut senders = lock(&self.senders);
        if let Some(outcome) = senders.get(&key) {
            return (Awaited(outcome.subscribe()), None);
        }
        let (outcome, awaited) = watch::channel(None);
        let outcome = Arc::new(outcome);
        senders.insert(key, outcome.clone());
        drop(senders);
        (Awaited(awaited), Some(Receipt { key, in_flight: self.senders.clone(), outcome, told: false }))
    }
}

impl Awaited {
    /// Waits for the outcome and returns it.
    pub(crate) async fn outcome(&mut self) -> Outcome {
        match self.0.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone().unwrap_or(Outcome::Abandoned),
            Err(_) => Outcome::Abandoned,
        }
    }
}

impl Receipt {
    /// Tells the outcome to every caller that waits for it.
    pub(crate) fn tell(mut self, outcome: Outcome) {
        self.tell_once(outcome);
    }

    /// Whether no caller waits for the outcome any more. If so, the request is no longer in flight, and the same
    /// request starts anew when it comes again.
    pub(crate) fn is_abandoned(&self) -> bool {
        let mut senders = lock(&self.in_flight);
        let abandoned = self.outcome.receiver_count() == 0;
        if abandoned {
            self.remove(&mut senders);
        }
        abandoned
    }

    fn tell_once(&mut self, outcome: Outcome) {
        self.remove(&mut lock(&self.in_flight));
        self.outcome.send_replace(Some(outcome));
        self.told = true;
    }

    /// Removes the request from those in flight, unless a later one has taken its place.
    fn remove(&self, senders: &mut Senders) {
        if senders.get(&self.key).is_some_and(|outcome| Arc::ptr_eq(outcome, &self.outcome)) {
            senders.remove(&self.key);
        }
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        if !self.told {
            self.tell_once(Outcome::Abandoned);
        }
    }
}

fn lock<T>(senders: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each change under the lock is one insert or remove, so a panic elsewhere leaves nothing half-done.
    senders.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key = (ProjectId::DEFAULT, Uuid::from_u128(7));

    #[tokio::test]
    async fn the_same_request_shares_one_outcome() {
        let in_flight = InFlight::default();
        let (mut first, receipt) = in_flight.join(KEY);
        let (mut second, none) = in_flight.join(KEY);
        assert!(none.is_none());
        receipt.unwrap().tell(Outcome::Unavailable);
        assert!(matches!(first.outcome().await, Outcome::Unavailable));
        assert!(matches!(second.outcome().await, Outcome::Unavailable));
        assert!(in_flight.join(KEY).1.is_some(), "a third one has a receipt of its own");
    }

    #[tokio::test]
    async fn a_request_that_no_caller_awaits_is_not_in_flight() {
        let in_flight = InFlight::default();
        let (first, receipt) = in_flight.join(KEY);
        let receipt = receipt.unwrap();
        let second = in_flight.join(KEY).0;
        drop(first);
        assert!(!receipt.is_abandoned(), "the second one waits");
        drop(second);
        assert!(receipt.is_abandoned());
        let (mut third, another) = in_flight.join(KEY);
        drop(receipt);
        assert!(another.is_some());
        another.unwrap().tell(Outcome::Unavailable);
        assert!(
            matches!(third.outcome().await, Outcome::Unavailable),
            "the old receipt does not answer for the new request"
        );
    }

    #[tokio::test]
    async fn a_dropped_receipt_means_abandoned() {
        let in_flight = InFlight::default();
        let receipt = in_flight.join(KEY).1.unwrap();
        let mut second = in_flight.join(KEY).0;
        drop(receipt);
        assert!(matches!(second.outcome().await, Outcome::Abandoned));
    }
}
