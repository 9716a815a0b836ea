//! Counts connections, in all and from each address, and limits both.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::connections::config::ConnectionsConfig;

/// The open connections of one port.
#[derive(Debug)]
pub(crate) struct Connections {
    config: ConnectionsConfig,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// The place of one connection. Dropping it gives the place back.
#[derive(Debug)]
pub(super) struct Place {
    address: IpAddr,
    connections: Arc<Connections>,
}

impl Connections {
    /// A port without connections.
    pub(crate) fn new(config: ConnectionsConfig) -> Arc<Self> {
        Arc::new(Self { config, open: Mutex::default() })
    }

    pub(super) fn config(&self) -> &ConnectionsConfig {
        &self.config
    }

    /// Takes a place for a connection from this address; `None` if a limit is reached.
    pub(super) fn take(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let mut open = self.lock();
        let from_there = open.by_address.get(&address).copied().unwrap_or(0);
        if open.all >= self.config.max || from_there >= self.config.max_per_address {
            return None;
        }
        open.all += 1;
        *open.by_address.entry(address).or_default() += 1;
        drop(open);
        Some(Place { address, connections: self.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        // Both counts change together under the lock, and nothing in between can panic.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.connections.lock();
        open.all -= 1;
        if let Entry::Occupied(mut count) = open.by_address.entry(self.address) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_limited_and_given_back() {
        let config = ConnectionsConfig { max: 3, max_per_address: 2, ..ConnectionsConfig::default() };
        let connections = Connections::new(config);
        let (here, there) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([127, 0, 0, 2]));
        let first = connections.take(here).unwrap();
        let _second = connections.take(here).unwrap();
        assert!(connections.take(here).is_none(), "two from one address");
        let _third = connections.take(there).unwrap();
        assert!(connections.take(there).is_none(), "three in all");
        drop(first);
        assert!(connections.take(here).is_some());
    }
}
