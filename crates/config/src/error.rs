//! Why there is no configuration.

use std::path::PathBuf;

use crate::problem::Problem;

/// A configuration that can't be used, with everything that is wrong with it.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be opened.
    #[error("configuration file {path}: {error}")]
    File {
        /// Which file.
        path: PathBuf,
        /// The system's reason. The message has it, so it is no `source` that would repeat it.
        error: std::io::Error,
    },
    /// The file is not what its ending says.
    #[error("configuration file {path}: {message}")]
    Syntax {
        /// Which file.
        path: PathBuf,
        /// Where it stops making sense.
        message: String,
    },
    /// One or more settings are wrong.
    #[error("invalid configuration:{}", lines(.0))]
    Invalid(Vec<Problem>),
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("\n  {problem}")).collect()
}
