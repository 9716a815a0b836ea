//! Connections to PostgreSQL: how they are encrypted, opened, waited for and opened again, and the one that a writer keeps.
//!
//! What uses these rooms (the pool, the writers) is known to none of them.

pub(crate) mod cause;
pub mod connector;
pub mod patience;
pub mod retry;
mod tls;
pub mod writer;

pub(crate) use connector::Connector;
pub use patience::within;
pub use retry::backoff;
pub use writer::{WriterConnection, unsafe_settings};

use crate::statement::Statement;

/// The statements of this room, module by module.
pub(crate) const STATEMENTS: &[&[&Statement]] = &[connector::STATEMENTS, writer::STATEMENTS];
