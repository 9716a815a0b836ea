//! What a client hears of a request that was taken.

/// The answer to a request whose records are committed, but for those that never can be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// Records that can never be stored.
    pub rejected: u64,
    /// Which those are and why, and what else the client should know; empty when all is well.
    pub message: String,
}
