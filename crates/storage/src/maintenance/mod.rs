//! Upkeep of the tables beside writing rows: partitions are made, and bookkeeping that is old is cleared away.

mod family;
pub mod job;
pub mod partitions;
pub mod retention;

use crate::statement::Statement;

pub use family::Family;

/// The statements of this room, module by module.
pub(crate) const STATEMENTS: &[&[&Statement]] = &[partitions::STATEMENTS, retention::STATEMENTS];
