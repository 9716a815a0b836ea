//! What the tests stand on: real servers that this process starts and that end with it, databases made from a
//! template, OTLP requests of every shape, the daemon itself, and its decoder beside prost's.
//!
//! Everything panics with a sentence when it can't do its work: a test has nobody to return an error to.

pub mod admin;
pub mod connection;
pub mod daemon;
pub mod database;
pub mod differential;
pub mod eventually;
pub mod memory_limit;
pub mod otlp;
pub mod postgres;
pub mod process;
pub mod raw;
pub mod redis;
pub mod retry;
mod scratch;
mod server;
pub mod telemetry;

pub use daemon::Daemon;
pub use database::TestDatabase;
pub use eventually::eventually;
pub use memory_limit::MemoryLimit;
pub use postgres::Postgres;
pub use redis::Redis;
