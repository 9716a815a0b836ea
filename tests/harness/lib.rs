//! What the tests share: real servers that start and end with the test process, databases cloned from a template, OTLP
//! requests of every shape, the built daemon, clients of it, and the comparison of our decoder with prost's.
//!
//! A helper that cannot do its work panics with a sentence, since a test could only panic too.

pub mod admin;
pub mod command;
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
pub mod recordings;
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
