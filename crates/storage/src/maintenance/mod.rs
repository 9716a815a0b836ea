//! What is done to the tables beside writing rows: partitions are made, bookkeeping that is old is cleared away, and the
//! planner's statistics are kept up.

pub mod partitions;
pub mod retention;
pub mod statistics;
