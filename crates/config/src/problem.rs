//! One wrong setting.

use std::fmt;

/// One wrong setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Which setting, by its path: `storage.database.port`.
    pub key: String,
    /// What would be right. Never holds the value: it may be a secret.
    pub message: String,
    /// Where the value came from: a file, an environment variable or a flag. None for a default.
    pub source: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.key, self.message)?;
        self.source.as_ref().map_or(Ok(()), |source| write!(f, " (from {source})"))
    }
}
