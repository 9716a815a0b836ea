//! `observatory`: parse, run, and turn the result into an exit code.

use std::process::ExitCode;

use clap::Parser as _;
use llm_observatory_server::cli::Command;

fn main() -> ExitCode {
    let command = Command::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("observatory: no runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(command.run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("observatory: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}
