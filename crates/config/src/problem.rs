//! One wrong setting.

use std::fmt;

/// One wrong setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Path of the setting: `storage.database.port`.
    pub key: String,
    /// What the value must be. It never quotes the value, which may be a secret.
    pub message: String,
    /// The file, environment variable or flag that set the value. None for a default.
    pub source: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.key, self.message)?;
        self.source.as_ref().map_or(Ok(()), |source| write!(f, " (from {source})"))
    }
}
