//! Connections: how many there may be, how they are accepted, and what each may hold.

mod config;
mod incoming;
mod limit;

pub use config::ConnectionsConfig;
pub(crate) use incoming::accept;
pub(crate) use limit::Connections;
