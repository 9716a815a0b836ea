//! What can go wrong, by who must act.

use llm_observatory_storage::Error as StorageError;
use llm_observatory_storage::error::Failure;
use llm_observatory_storage::models::attributes::Inconsistent;

/// Why a question has no answer. The text is for the caller, and tells nothing of our insides; those are the source.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The question is wrong: the caller must change it.
    #[error("{0}")]
    InvalidArgument(String),
    /// What is asked for is not stored.
    #[error("{0}")]
    NotFound(String),
    /// The database can't work now: the caller may try again.
    #[error("the database is not available; try again")]
    Unavailable(#[source] StorageError),
    /// The question takes too long to answer: the caller must ask for less.
    #[error("the query took longer than it may; ask for a shorter time range or fewer rows")]
    TimedOut(#[source] StorageError),
    /// A mistake of ours.
    #[error("internal error")]
    Internal(#[source] StorageError),
}

impl From<StorageError> for Error {
    fn from(error: StorageError) -> Self {
        match error.failure() {
            Failure::Unavailable | Failure::Conflict => Self::Unavailable(error),
            Failure::TimedOut => Self::TimedOut(error),
            Failure::Duplicate | Failure::Data | Failure::NoPartition | Failure::Bug => Self::Internal(error),
        }
    }
}

impl From<Inconsistent> for Error {
    fn from(error: Inconsistent) -> Self {
        Self::Internal(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_hears_nothing_of_our_insides() {
        let error = Error::from(StorageError::Unavailable("10.0.0.7:5432 refused".to_owned()));
        assert!(matches!(error, Error::Unavailable(_)));
        assert_eq!(error.to_string(), "the database is not available; try again");
        assert_eq!(Error::from(Inconsistent::Layout).to_string(), "internal error");
    }
}
