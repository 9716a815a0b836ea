//! The commands: one file each, with its options and a `run`.

mod check;
mod logging;
mod migrate;
mod output;
mod query;
mod serve;
mod stats;
mod table;

use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use llm_observatory_config::{ConfigError, Flag, Layers, load, variables};

use crate::config::{self, Config, Role};

pub use check::Check;

/// LLM Observatory stores the traces, metrics and logs of LLM applications in PostgreSQL.
///
/// `observatory serve` receives them from OpenTelemetry SDKs and Collectors and answers queries; the other commands look
/// after its database and ask it.
#[derive(Debug, Parser)]
#[command(name = "observatory", version, max_term_width = 100)]
pub struct Command {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run the daemon: receive OTLP and answer queries, on a PostgreSQL of its own unless you configure one.
    Serve(serve::Serve),
    /// Create or update the tables, or show which migrations the database has.
    Migrate(migrate::Migrate),
    /// Check the configuration, the databases and the schema, and say what is wrong.
    Check(Check),
    /// Show traces that a running observatory has stored.
    Query(query::Query),
    /// Count the records that a running observatory received, stored, rejected and refused.
    Stats(stats::Stats),
}

/// Why a command failed, and what the process says of it when it exits.
#[derive(Debug)]
pub enum Failure {
    /// The configuration is wrong: exit code 64, EX_USAGE.
    Configuration(ConfigError),
    /// An argument is wrong in a way that only this command knows: exit code 64, EX_USAGE.
    Usage(String),
    /// The daemon can't be asked: exit code 69, EX_UNAVAILABLE.
    Unreachable(String),
    /// Something was checked and is not well, and the report says so: exit code 1.
    Unwell(String),
    /// Everything else: exit code 1.
    Other(anyhow::Error),
}

impl Failure {
    /// The exit code of the process.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Configuration(_) | Self::Usage(_) => 64,
            Self::Unreachable(_) => 69,
            Self::Unwell(_) | Self::Other(_) => 1,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Configuration(error) => write!(f, "{error}"),
            Self::Usage(message) | Self::Unreachable(message) | Self::Unwell(message) => f.write_str(message),
            Self::Other(error) => f.write_str(&causes(error.as_ref())),
        }
    }
}

/// The error and its causes on one line. An error that already tells its cause is not told twice.
fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let told = error.to_string();
    std::iter::successors(error.source(), |cause| cause.source())
        .map(ToString::to_string)
        .fold(told, |told, cause| if told.contains(&cause) { told } else { format!("{told}: {cause}") })
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Other(error.into())
    }
}

impl Command {
    /// Runs the command to its end.
    ///
    /// # Errors
    /// [`Failure`], which knows its exit code.
    pub async fn run(self) -> Result<(), Failure> {
        match self.verb {
            Verb::Serve(serve) => serve.run().await,
            Verb::Migrate(migrate) => migrate.run().await,
            Verb::Check(check) => check.run().await,
            Verb::Query(query) => query.run().await,
            Verb::Stats(stats) => stats.run().await,
        }
    }
}

/// Runs a command, says on standard error why it failed if it did, and turns the result into an exit code.
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

/// Where the configuration comes from: the options that every command on the database has.
#[derive(Debug, Args)]
struct Options {
    /// A configuration file: YAML, TOML or JSON.
    #[arg(long, global = true, env = "OBSERVATORY_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// PostgreSQL to use, instead of a private one in --data-dir [env: DATABASE_URL or OBSERVATORY_DATABASE_URL].
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<String>,
    /// Where the private PostgreSQL lives [env: OBSERVATORY_DATA_DIR].
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<String>,
}

/// Where the daemon listens.
#[derive(Debug, Args)]
struct Listen {
    /// Where the daemon receives OTLP/gRPC [default: 127.0.0.1:4317, env: OBSERVATORY_INGEST_LISTEN].
    #[arg(long, value_name = "ADDRESS")]
    ingest_listen: Option<String>,
    /// Where it answers queries [default: 127.0.0.1:4320, env: OBSERVATORY_QUERY_LISTEN].
    #[arg(long, value_name = "ADDRESS")]
    query_listen: Option<String>,
    /// Where it serves /metrics, /healthz and /readyz [default: 127.0.0.1:9464, env: OBSERVATORY_ADMIN_LISTEN].
    #[arg(long, value_name = "ADDRESS")]
    admin_listen: Option<String>,
    /// Which halves run in this process [default: all, env: OBSERVATORY_ROLE].
    #[arg(long)]
    role: Option<Role>,
    /// Accept that whoever reaches the ports can write and read everything [env: OBSERVATORY_ALLOW_UNAUTHENTICATED].
    #[arg(long)]
    allow_unauthenticated: bool,
}

impl Options {
    fn load(&self, listen: Option<&Listen>) -> Result<Config, Failure> {
        let mut flags = Vec::new();
        let mut flag = |name, path, value: Option<String>| {
            flags.extend(value.map(|value| Flag { name, path, value }));
        };
        flag("--database-url", "storage.database.url", self.database_url.clone());
        flag("--data-dir", "data_dir", self.data_dir.clone());
        if let Some(listen) = listen {
            flag("--ingest-listen", "ingest_listen", listen.ingest_listen.clone());
            flag("--query-listen", "query_listen", listen.query_listen.clone());
            flag("--admin-listen", "admin_listen", listen.admin_listen.clone());
            flag("--role", "role", listen.role.map(|role| format!("{role:?}").to_lowercase()));
            let accepted = listen.allow_unauthenticated.then(|| "true".to_owned());
            flag("--allow-unauthenticated", "allow_unauthenticated", accepted);
        }
        let layers = Layers { file: self.config.clone(), environment: variables().collect(), flags };
        load(&layers, &config::names()).map_err(Failure::Configuration)
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;
    use clap::CommandFactory as _;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("can't read /x: {0}")]
    struct Told(#[from] std::io::Error);

    #[test]
    fn an_error_of_the_system_is_told_once() {
        let full = || std::io::Error::from_raw_os_error(28);
        let told = Failure::from(Told(full())).to_string();
        assert_eq!(told.matches("os error 28").count(), 1, "{told}");
        let context = Err::<(), _>(full()).context("can't write to standard output").unwrap_err();
        let told = Failure::from(context).to_string();
        assert_eq!(told, "can't write to standard output: No space left on device (os error 28)");
    }

    #[test]
    fn the_command_line_is_consistent() {
        Command::command().debug_assert();
    }
}
