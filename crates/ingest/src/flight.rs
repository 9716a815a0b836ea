//! Requests in flight: the same request that comes again meanwhile waits for the fate of the first one.
//!
//! A client that got no answer within its patience sends the same bytes again while they are perhaps being written. It
//! costs nothing but the wait.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use llm_observatory_core::ids::ProjectId;
use tokio::sync::watch;
use uuid::Uuid;

use crate::receipt::Fate;

/// What a request is known by within its signal.
pub(crate) type Key = (ProjectId, Uuid);

type Flights = Arc<Mutex<HashMap<Key, Arc<watch::Sender<Option<Fate>>>>>>;

/// The requests of one signal that are in flight. It needs no bound of its own: each holds a part of a budget.
#[derive(Debug, Clone, Default)]
pub(crate) struct InFlight {
    flights: Flights,
}

/// Whoever asks for the fate of a request.
pub(crate) struct Awaited(watch::Receiver<Option<Fate>>);

/// Whoever says it, once. Dropped without a word, it says [`Fate::Left`].
#[derive(Debug)]
pub(crate) struct Receipt {
    key: Key,
    flights: Flights,
    fate: Arc<watch::Sender<Option<Fate>>>,
    told: bool,
}

impl InFlight {
    /// Waits with the request that is in flight already, or opens a flight: then the receipt is there too.
    pub(crate) fn join(&self, key: Key) -> (Awaited, Option<Receipt>) {
        let mut flights = lock(&self.flights);
        if let Some(fate) = flights.get(&key) {
            return (Awaited(fate.subscribe()), None);
        }
        let (fate, awaited) = watch::channel(None);
        let fate = Arc::new(fate);
        flights.insert(key, fate.clone());
        drop(flights);
        (Awaited(awaited), Some(Receipt { key, flights: self.flights.clone(), fate, told: false }))
    }
}

impl Awaited {
    /// The fate, when it is known.
    pub(crate) async fn fate(&mut self) -> Fate {
        match self.0.wait_for(Option::is_some).await {
            Ok(fate) => fate.clone().unwrap_or(Fate::Left),
            Err(_) => Fate::Left,
        }
    }
}

impl Receipt {
    /// Says it. Who is gone does not hear it, and need not.
    pub(crate) fn say(mut self, fate: Fate) {
        self.tell(fate);
    }

    /// Whether nobody waits any more. Then the flight is over: the same request, should it come again, opens another.
    pub(crate) fn is_abandoned(&self) -> bool {
        let mut flights = lock(&self.flights);
        let abandoned = self.fate.receiver_count() == 0;
        if abandoned {
            self.close(&mut flights);
        }
        abandoned
    }

    fn tell(&mut self, fate: Fate) {
        self.close(&mut lock(&self.flights));
        self.fate.send_replace(Some(fate));
        self.told = true;
    }

    /// Takes the flight away, if it is still this one.
    fn close(&self, flights: &mut HashMap<Key, Arc<watch::Sender<Option<Fate>>>>) {
        if flights.get(&self.key).is_some_and(|fate| Arc::ptr_eq(fate, &self.fate)) {
            flights.remove(&self.key);
        }
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        if !self.told {
            self.tell(Fate::Left);
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
    async fn the_same_request_shares_one_fate() {
        let in_flight = InFlight::default();
        let (mut first, receipt) = in_flight.join(KEY);
        let (mut second, none) = in_flight.join(KEY);
        assert!(none.is_none());
        receipt.unwrap().say(Fate::Unavailable);
        assert!(matches!(first.fate().await, Fate::Unavailable));
        assert!(matches!(second.fate().await, Fate::Unavailable));
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
        another.unwrap().say(Fate::Unavailable);
        assert!(
            matches!(third.fate().await, Fate::Unavailable),
            "the old receipt does not speak for the new flight"
        );
    }

    #[tokio::test]
    async fn who_waits_for_one_that_leaves_is_told() {
        let in_flight = InFlight::default();
        let receipt = in_flight.join(KEY).1.unwrap();
        let mut second = in_flight.join(KEY).0;
        drop(receipt);
        assert!(matches!(second.fate().await, Fate::Left));
    }
}
