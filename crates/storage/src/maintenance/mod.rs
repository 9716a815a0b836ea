//! Upkeep of the tables beside writing rows: partitions are made, bookkeeping that is old is cleared away, and tables are
//! analysed as they grow.

mod family;
pub mod job;
pub mod partitions;
pub mod retention;
pub mod statistics;

use crate::statement::Statement;

pub use family::Family;

/// The statements of this room, module by module.
pub(crate) const STATEMENTS: &[&[&Statement]] =
    &[partitions::STATEMENTS, retention::STATEMENTS, statistics::STATEMENTS];
