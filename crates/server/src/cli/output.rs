//! What the commands say: tables on standard output, log lines on standard error.

use std::io::IsTerminal as _;
use std::time::Duration;

use clap::ValueEnum;
use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table as Drawing};
use tonic::transport::Channel;
use tonic::{Code, Status};

use super::Failure;
use crate::config::{Config, LogFormat};

/// How an answer is shown.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
}

/// A connection to a running observatory.
pub(super) async fn connect(address: &str, flag: &str) -> Result<Channel, Failure> {
    let endpoint = Channel::from_shared(address.to_owned())?.connect_timeout(Duration::from_secs(5));
    endpoint.connect().await.map_err(|_| {
        Failure::Unreachable(format!(
            "no observatory answers at {address}: start one with `observatory serve`, or say where it is with {flag}"
        ))
    })
}

/// An answer that is none.
pub(super) struct Refused(pub(super) Status);

impl From<Refused> for Failure {
    fn from(Refused(status): Refused) -> Self {
        match status.code() {
            Code::Unavailable => Self::Unreachable(status.message().to_owned()),
            _ => Self::Unwell(status.message().to_owned()),
        }
    }
}

/// A table of texts under named columns.
#[derive(Debug)]
pub(super) struct Table(Drawing);

impl Table {
    pub(super) fn new(columns: &[&str]) -> Self {
        let mut drawing = Drawing::new();
        drawing.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        drawing.set_header(columns);
        Self(drawing)
    }

    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.0.add_row(cells);
    }
}

/// Prints the table; a line never ends in spaces.
pub(super) fn print_table(table: &Table) {
    println!("{}", table.0.trim_fmt());
}

/// Log lines from now on, as configured.
pub(super) fn start_logging(config: &Config) -> Result<(), Failure> {
    let filter = config.log_filter()?;
    // https://no-color.org: set, and not empty.
    let is_plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let colours = std::io::stderr().is_terminal() && !is_plain;
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours);
    match config.log_format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().init(),
    }
    Ok(())
}
