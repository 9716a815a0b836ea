//! Storage on a real PostgreSQL and a real Redis, which the harness starts.

#![expect(clippy::unwrap_used, reason = "tests and their helpers panic on errors")]

mod apart;
mod exactness;
mod partitions;
mod plans;
mod pool;
mod repositories;
mod reread_logs;
mod retention;
mod round_trip;
mod rows;
mod runs;
mod schema;
mod seed;
mod services;
mod settling;
mod speakers;
mod statements;
mod statistics;
mod summaries;
mod views;
mod writers;
