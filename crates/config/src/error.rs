//! Why a configuration can't be loaded.

use std::path::PathBuf;

use crate::problem::Problem;

/// Why a configuration can't be loaded.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be opened.
    #[error("configuration file {path}: {error}")]
    File {
        /// Path of the file.
        path: PathBuf,
        /// The operating system's reason. It is part of the message and therefore not a `source`: it would show twice.
        error: std::io::Error,
    },
    /// The file does not parse as the format that its ending names, or its ending names no format.
    #[error("configuration file {path}: {message}")]
    Syntax {
        /// Path of the file.
        path: PathBuf,
        /// What does not parse, and where.
        message: String,
    },
    /// One or more settings are wrong; every one of them is listed.
    #[error("invalid configuration:{}", lines(.0))]
    Invalid(Vec<Problem>),
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("\n  {problem}")).collect()
}
