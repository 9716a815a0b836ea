//! What the commands say: tables on standard output, log lines on standard error.

use std::io::IsTerminal as _;

use anyhow::Context as _;
use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table as Drawing};
use tracing_subscriber::EnvFilter;

use super::Failure;
use crate::config::{Config, LogFormat};

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
    // The migration library speaks of every step; what it did is told by us, once.
    let filter = EnvFilter::try_new(format!("refinery_core=warn,{}", config.log))
        .context("the setting `log` is not a filter like `info`")?;
    let colours = std::io::stderr().is_terminal();
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours);
    match config.log_format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().init(),
    }
    Ok(())
}
