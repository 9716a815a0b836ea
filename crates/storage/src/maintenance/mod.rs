//! What is done to the tables beside writing rows: partitions are made, and bookkeeping that is old is cleared away.

pub mod job;
pub mod partitions;
pub mod retention;
