//! What keeps the tables in shape.

pub mod partitions;
