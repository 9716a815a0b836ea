//! The answer to a stored request.

/// The answer to a request whose records are committed, except the rejected ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// Number of rejected records: they can never be stored.
    pub rejected: u64,
    /// Names the first rejected records and their reasons, and counts what was changed in others. Empty if there are
    /// none.
    pub message: String,
}
