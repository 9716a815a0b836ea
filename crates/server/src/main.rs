//! `observatory`: parses the command line and runs the command.

use std::process::ExitCode;

use clap::Parser as _;
use llm_observatory_server::cli::{self, Command};

fn main() -> ExitCode {
    cli::run(Command::parse().run())
}
