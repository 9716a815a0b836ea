//! Writes log lines to standard error.

use std::ffi::OsString;
use std::io::{IsTerminal as _, stderr};

use super::failure::Failure;
use crate::config::{Config, LogFormat};

/// Starts to log as configured, with colours only on a terminal.
pub(super) fn start_logging(config: &Config) -> Result<(), Failure> {
    let colours = stderr().is_terminal() && !forbids_colours(std::env::var_os("NO_COLOR"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(config.log_filter()?)
        .with_writer(stderr)
        .with_ansi(colours);
    match config.log_format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().init(),
    }
    Ok(())
}

/// Whether this value of the variable `NO_COLOR` forbids colours: any but an empty one does (<https://no-color.org>).
fn forbids_colours(no_color: Option<OsString>) -> bool {
    no_color.is_some_and(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_color_forbids_colours_unless_it_is_empty() {
        assert!(forbids_colours(Some("1".into())));
        assert!(!forbids_colours(Some("".into())));
        assert!(!forbids_colours(None));
    }
}
