//! Connections to PostgreSQL: TLS, opening, retries and time limits, and the connection of a writer.
//!
//! These modules do not know the pool and the writers, which use them.

pub(crate) mod cause;
mod connector;
mod patience;
pub(crate) mod retry;
mod tls;
pub(crate) mod writer;

pub(crate) use connector::Connector;
pub use patience::within;
pub use retry::backoff;
pub use writer::{WriterConnection, unsafe_settings};

use crate::statement::Statement;

/// The statements of the submodules.
pub(crate) const STATEMENTS: &[&[&Statement]] = &[connector::STATEMENTS, writer::STATEMENTS];
