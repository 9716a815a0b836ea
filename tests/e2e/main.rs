//! The daemon as its users have it: the built binary, real clients, a real PostgreSQL.
//!
//! `cargo build -p llm-observatory-server` comes first; see `harness::daemon::binary`.

#![expect(clippy::unwrap_used, reason = "a test: what fails here should panic, in helpers too")]

mod client;
mod command;
mod database;

mod books;
mod cli;
mod coding_agents;
mod connection;
mod durability;
mod hostile_llm;
mod ingest;
mod limits;
mod llm;
mod llm_calls;
mod llm_cli;
mod llm_metrics;
mod llm_runs;
mod mending;
mod partial_answers;
mod partition;
mod ports;
mod private_postgres;
mod query;
mod recordings;
mod refusal;
mod round_trip;
mod terminal;
