//! Connections: their limits, and how the daemon accepts them.

mod config;
mod incoming;
mod limit;

pub(crate) use config::ConnectionsConfig;
pub(crate) use incoming::accept;
pub(crate) use limit::Connections;
