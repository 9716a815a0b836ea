//! Why a command failed, and with which exit code.

use std::fmt;

use llm_observatory_config::ConfigError;

/// Why a command failed. Its text goes to standard error.
#[derive(Debug)]
pub enum Failure {
    /// The configuration is wrong: exit code 64, EX_USAGE.
    Configuration(ConfigError),
    /// An argument is wrong that is no setting, or a check found that the configuration is wrong: exit code 64, EX_USAGE.
    Usage(String),
    /// No daemon answers, or it can't answer now: exit code 69, EX_UNAVAILABLE.
    Unreachable(String),
    /// A check failed, there is no database, or the daemon answered with an error: exit code 1.
    Unwell(String),
    /// A signal stopped the command: exit code 130, as shells have it.
    Interrupted(String),
    /// Everything else: exit code 1.
    Other(anyhow::Error),
}

impl Failure {
    /// The exit code of the process.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Configuration(_) | Self::Usage(_) => 64,
            Self::Unreachable(_) => 69,
            Self::Interrupted(_) => 130,
            Self::Unwell(_) | Self::Other(_) => 1,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Configuration(error) => write!(f, "{error}"),
            Self::Usage(message)
            | Self::Unreachable(message)
            | Self::Unwell(message)
            | Self::Interrupted(message) => f.write_str(message),
            Self::Other(error) => f.write_str(&causes(error.as_ref())),
        }
    }
}

/// The error and its causes on one line, without the causes that the text before them contains already.
pub(super) fn causes(error: &(dyn std::error::Error + 'static)) -> String {
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

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("can't read /x: {0}")]
    struct Told(#[from] std::io::Error);

    #[test]
    fn an_error_of_the_system_is_printed_once() {
        let full = || std::io::Error::from_raw_os_error(28);
        let told = Failure::from(Told(full())).to_string();
        assert_eq!(told.matches("os error 28").count(), 1, "{told}");
        let context = Err::<(), _>(full()).context("can't write to standard output").unwrap_err();
        let told = Failure::from(context).to_string();
        assert_eq!(told, "can't write to standard output: No space left on device (os error 28)");
    }
}
