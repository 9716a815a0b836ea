//! How the commands print, and how they ask a running observatory.

use std::io::{ErrorKind, Write as _, stderr, stdout};
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use serde::Serialize;
use tonic::transport::Channel;
use tonic::{Code, Status};

use super::failure::Failure;
use super::table::Table;

/// How long an observatory may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Address on which an observatory answers queries by default.
const QUERY_ADDRESS: &str = "127.0.0.1:4320";

/// The format of an answer.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
}

/// Whom to ask, and how to print the answer.
#[derive(Debug, Args)]
pub(super) struct Ask {
    /// Address on which the observatory answers queries.
    #[arg(
        long,
        global = true,
        help_heading = "General options",
        value_name = "ADDRESS",
        env = "OBSERVATORY_QUERY_ADDRESS",
        default_value = QUERY_ADDRESS
    )]
    query_address: String,
    /// Output format; a trace in JSON has the form of OTLP/JSON.
    #[arg(long, global = true, help_heading = "General options", value_enum, default_value_t = Format::Table)]
    pub(super) format: Format,
}

impl Ask {
    /// Connects to the observatory.
    ///
    /// # Errors
    /// Those of [`connect`].
    pub(super) async fn connect(&self) -> Result<Channel, Failure> {
        connect(&self.query_address, "--query-address", QUERY_ADDRESS).await
    }
}

/// Prints `text` and a new line on standard output. It is no error when the reader has gone, as `head` does.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = stdout().lock();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written.context("can't write to standard output")?),
    }
}

/// Prints `table` as wide as the terminal.
pub(super) fn print_table(table: &Table) -> Result<(), Failure> {
    print(&table.draw(width()))
}

/// Prints a list; if it is empty, also `hint` on standard error.
pub(super) fn print_list(table: &Table, hint: &str) -> Result<(), Failure> {
    print_table(table)?;
    if table.is_empty() {
        note(hint);
    }
    Ok(())
}

/// The width of the terminal; `None` without one.
pub(super) fn width() -> Option<u16> {
    comfy_table::Table::new().width()
}

/// Prints `value` as JSON.
pub(super) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    print(&serde_json::to_string_pretty(value)?)
}

/// Prints on standard error why the command failed, if standard error can be written.
pub(super) fn complain(failure: &Failure) {
    note(&failure.to_string());
}

/// Prints something beside the answer on standard error, if that can be written.
pub(super) fn note(text: &str) {
    let _ = writeln!(stderr(), "observatory: {text}");
}

/// Connects to a running observatory at `address`, which may begin with `http://`. `flag` is the option that gave the
/// address, and `example` one of its right values.
///
/// # Errors
/// [`Failure::Usage`] when `address` is malformed, [`Failure::Unreachable`] when no observatory accepts the connection.
pub(super) async fn connect(address: &str, flag: &str, example: &str) -> Result<Channel, Failure> {
    let url = if address.contains("://") { address.to_owned() } else { format!("http://{address}") };
    let endpoint = Channel::from_shared(url).ok().filter(|endpoint| endpoint.uri().host().is_some());
    let endpoint = endpoint
        .ok_or_else(|| Failure::Usage(format!("{flag} must be an address with a port, like {example}")))?;
    endpoint.connect_timeout(CONNECT_TIMEOUT).connect().await.map_err(|_| {
        Failure::Unreachable(format!(
            "no observatory answers at {address}: start one with `observatory serve`, or give its address with {flag}"
        ))
    })
}

/// An error with which the observatory answered a call.
pub(super) struct CallFailed(pub(super) Status);

impl From<CallFailed> for Failure {
    fn from(CallFailed(status): CallFailed) -> Self {
        let told = match status.message() {
            "" => status.code().description().to_owned(),
            message => message.to_owned(),
        };
        match status.code() {
            Code::Unavailable => Self::Unreachable(told),
            Code::InvalidArgument => Self::Usage(told),
            _ => Self::Unwell(told),
        }
    }
}
