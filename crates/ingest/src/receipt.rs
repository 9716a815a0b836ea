//! Receipts: requests in flight, and who waits for the outcome of which.
//!
//! The same request that comes again while it is in flight waits for the outcome of the first one.
//!
//! A client that got no answer within its patience sends the same bytes again while they are perhaps being written. It
//! costs nothing but the wait.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use llm_observatory_core::ids::ProjectId;
use tokio::sync::watch;
use uuid::Uuid;

use crate::outcome::Outcome;

/// What a request is known by within its signal.
pub(crate) type Key = (ProjectId, Uuid);

type Flights = Arc<Mutex<HashMap<Key, Arc<watch::Sender<Option<Outcome>>>>>>;

/// The requests of one signal that are in flight. It needs no bound of its own: each holds a part of a budget.
#[derive(Debug, Clone, Default)]
pub(crate) struct InFlight {
    flights: Flights,
}

/// The right to hear the outcome of a request.
pub(crate) struct Awaited(watch::Receiver<Option<Outcome>>);

/// The right and duty to tell the outcome of a request, once. When it is dropped untold, the outcome is
/// [`Outcome::Abandoned`].
#[derive(Debug)]
pub(crate) struct Receipt {
    key: Key,
    flights: Flights,
    outcome: Arc<watch::Sender<Option<Outcome>>>,
    told: bool,
}

impl InFlight {
    /// Joins the request that is in flight already, or puts it in flight: then there is a receipt too.
    pub(crate) fn join(&self, key: Key) -> (Awaited, Option<Receipt>) {
        let mut flights = lock(&self.flights);
        if let Some(outcome) = flights.get(&key) {
            return (Awaited(outcome.subscribe()), None);
        }
        let (outcome, awaited) = watch::channel(None);
        let outcome = Arc::new(outcome);
        flights.insert(key, outcome.clone());
        drop(flights);
        (Awaited(awaited), Some(Receipt { key, flights: self.flights.clone(), outcome, told: false }))
    }
}

impl Awaited {
    /// The outcome, once it is known.
    pub(crate) async fn outcome(&mut self) -> Outcome {
        match self.0.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone().unwrap_or(Outcome::Abandoned),
            Err(_) => Outcome::Abandoned,
        }
    }
}

impl Receipt {
    /// Tells the outcome to all who wait for it.
    pub(crate) fn tell(mut self, outcome: Outcome) {
        self.tell_once(outcome);
    }

    /// Whether no caller waits any more. Then the flight is over: the same request, should it come again, opens another.
    pub(crate) fn is_abandoned(&self) -> bool {
        let mut flights = lock(&self.flights);
        let abandoned = self.outcome.receiver_count() == 0;
        if abandoned {
            self.close(&mut flights);
        }
        abandoned
    }

    fn tell_once(&mut self, outcome: Outcome) {
        self.close(&mut lock(&self.flights));
        self.outcome.send_replace(Some(outcome));
        self.told = true;
    }

    /// Takes the flight away, if it is still this one.
    fn close(&self, flights: &mut HashMap<Key, Arc<watch::Sender<Option<Outcome>>>>) {
        if flights.get(&self.key).is_some_and(|outcome| Arc::ptr_eq(outcome, &self.outcome)) {
            flights.remove(&self.key);
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

fn lock<T>(flights: &Mutex<T>) -> MutexGuard<'_, T> {
    // Entries come and go one at a time, so a panic elsewhere leaves none half-made.
    flights.lock().unwrap_or_else(PoisonError::into_inner)
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
        assert!(in_flight.join(KEY).1.is_some(), "the next one opens a flight of its own");
    }

    #[tokio::test]
    async fn a_flight_that_nobody_awaits_is_over() {
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
            "the old receipt does not speak for the new flight"
        );
    }

    #[tokio::test]
    async fn a_dropped_receipt_tells_those_who_wait() {
        let in_flight = InFlight::default();
        let receipt = in_flight.join(KEY).1.unwrap();
        let mut second = in_flight.join(KEY).0;
        drop(receipt);
        assert!(matches!(second.outcome().await, Outcome::Abandoned));
    }
}
