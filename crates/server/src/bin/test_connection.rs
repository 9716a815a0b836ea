//! `cargo run --bin test_connection`: the steps of `observatory check`, for developers of programs on the storage
//! crate.

use std::process::ExitCode;

use clap::Parser;
use llm_observatory_server::cli::{self, Check};

/// Check the configuration, the databases and the schema, and print what is wrong, as `observatory check` does.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
struct TestConnection {
    #[command(flatten)]
    check: Check,
}

fn main() -> ExitCode {
    cli::run(TestConnection::parse().check.run())
}
