//! The commands: one file each, with its options and a `run`.

mod check;
mod failure;
mod logging;
mod migrate;
mod moment;
mod options;
mod output;
mod prices;
mod query;
mod run;
mod serve;
mod signals;
mod stats;
mod table;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use check::Check;
pub use failure::Failure;

/// LLM Observatory stores the traces, metrics and logs of LLM applications in PostgreSQL.
///
/// `observatory serve` receives them from OpenTelemetry SDKs and Collectors and answers queries. `query` and `stats` ask a
/// running daemon; `migrate`, `check`, `reprice` and `reread` work on its database; `prices` does both.
#[derive(Debug, Parser)]
#[command(name = "observatory", version, max_term_width = 100)]
pub struct Command {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run the daemon: receive OTLP and answer queries. It starts a private PostgreSQL unless you configure a database.
    Serve(serve::Serve),
    /// Create or update the tables, or show which migrations the database has.
    Migrate(migrate::Migrate),
    /// Check the configuration, the databases and the schema, and print what is wrong.
    Check(Check),
    /// Show traces and LLM calls that a running observatory has stored.
    Query(query::Query),
    /// Show what models cost, and set it.
    Prices(prices::Prices),
    /// Compute the cost of stored LLM spans anew, by the prices of now. The daemon may go on meanwhile.
    ///
    /// The work is done in small transactions. A run that is interrupted goes on where it stopped when the same command is
    /// given again.
    Reprice(run::Reprice),
    /// Read stored spans and log records anew, by the LLM dialects that this version knows. The daemon may go on meanwhile.
    ///
    /// Traces are read whole: all of a day of which a part is asked for. The work is done in small transactions. A run that is
    /// interrupted goes on where it stopped when the same command is given again.
    Reread(run::Reread),
    /// Show how many records a running observatory has received, stored, rejected and refused since it started.
    Stats(stats::Stats),
}

impl Command {
    /// Runs the command to its end.
    ///
    /// # Errors
    /// [`Failure`]; its variants say when, and with which exit code.
    pub async fn run(self) -> Result<(), Failure> {
        match self.verb {
            Verb::Serve(serve) => serve.run().await,
            Verb::Migrate(migrate) => migrate.run().await,
            Verb::Check(check) => check.run().await,
            Verb::Query(query) => query.run().await,
            Verb::Prices(prices) => prices.run().await,
            Verb::Reprice(reprice) => reprice.run().await,
            Verb::Reread(reread) => reread.run().await,
            Verb::Stats(stats) => stats.run().await,
        }
    }
}

/// Runs a command, prints on standard error why it failed, and returns its exit code.
pub fn run(command: impl Future<Output = Result<(), Failure>>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match runtime.map_err(Failure::from).and_then(|runtime| runtime.block_on(command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::complain(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Command::command().debug_assert();
    }
}
