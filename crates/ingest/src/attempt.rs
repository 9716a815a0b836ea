//! What a writer does next with a group of requests that it could not commit. Pure: it holds counts and does no I/O.

use llm_observatory_storage::error::{Error, Failure};

/// The failed attempts to commit a group of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Attempts {
    /// Most failed attempts after each of which missing partitions are created: `ingest.partition_attempts`.
    partition_attempts: u32,
    /// Failed attempts.
    failed: u32,
    /// Failed attempts whose rows found no partition.
    without_partition: u32,
    /// Whether a failed attempt may have been committed all the same.
    in_doubt: bool,
    /// Whether the group is one request whose records are tried apart from each other.
    isolating: bool,
}

/// What to do after a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Wait, and try again. The wait follows from the number of failed attempts, which this holds.
    Again(u32),
    /// Create the missing partitions, and try again.
    RestorePartitions,
    /// Commit the two halves of the group apart.
    Halve,
    /// Search the one request for the records that PostgreSQL does not take, and commit the others.
    Isolate,
    /// Refuse the requests; their clients try again.
    GiveUp,
}

impl Attempts {
    /// No attempt has failed yet.
    pub(crate) fn new(partition_attempts: u32) -> Self {
        Self { partition_attempts, failed: 0, without_partition: 0, in_doubt: false, isolating: false }
    }

    /// Counts a failed attempt to commit a group of this number of requests. Returns what to do next.
    pub(crate) fn fail(&mut self, error: &Error, requests: usize) -> Next {
        self.in_doubt |= matches!(error, Error::InDoubt(_));
        self.fail_with(error.failure(), requests)
    }

    fn fail_with(&mut self, failure: Failure, requests: usize) -> Next {
        self.failed = self.failed.saturating_add(1);
        match failure {
            Failure::Unavailable | Failure::Conflict | Failure::TimedOut => Next::Again(self.failed),
            Failure::NoPartition if self.without_partition < self.partition_attempts => {
                self.without_partition += 1;
                Next::RestorePartitions
            }
            // A partition that is missing again after each attempt was taken away on purpose.
            Failure::NoPartition | Failure::Data | Failure::Duplicate => self.divide(requests),
            Failure::Bug if requests > 1 => Next::Halve,
            Failure::Bug => Next::GiveUp,
        }
    }

    fn divide(&mut self, requests: usize) -> Next {
        if requests > 1 {
            return Next::Halve;
        }
        match std::mem::replace(&mut self.isolating, true) {
            false => Next::Isolate,
            true => Next::GiveUp,
        }
    }

    /// The attempts of one half of the group. Only the count of missing partitions carries over.
    pub(crate) fn of_half(self) -> Self {
        Self { without_partition: self.without_partition, ..Self::new(self.partition_attempts) }
    }

    /// The same attempts with nothing in doubt: the daemon stops, and no client waits for the answer.
    pub(crate) fn without_doubt(self) -> Self {
        Self { in_doubt: false, ..self }
    }

    /// Whether a failed attempt may have been committed all the same.
    pub(crate) fn in_doubt(self) -> bool {
        self.in_doubt
    }

    /// Whether the records of the one request are tried apart from each other.
    pub(crate) fn is_isolating(self) -> bool {
        self.isolating
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_tried_again_with_growing_waits() {
        let mut attempts = Attempts::new(5);
        assert_eq!(attempts.fail_with(Failure::Unavailable, 3), Next::Again(1));
        assert_eq!(attempts.fail_with(Failure::Conflict, 3), Next::Again(2));
        assert_eq!(attempts.fail_with(Failure::TimedOut, 3), Next::Again(3));
        assert!(!attempts.in_doubt());
    }

    #[test]
    fn a_row_that_postgres_does_not_take_is_searched_by_halves_then_by_records() {
        let mut attempts = Attempts::new(5);
        assert_eq!(attempts.fail_with(Failure::Data, 2), Next::Halve);
        let mut half = attempts.of_half();
        assert_eq!(half.fail_with(Failure::Data, 1), Next::Isolate);
        assert!(half.is_isolating());
        assert_eq!(half.fail_with(Failure::Unavailable, 1), Next::Again(2));
        assert!(half.is_isolating(), "a lost connection changes nothing about the record");
        assert_eq!(half.fail_with(Failure::Data, 1), Next::GiveUp);
    }

    #[test]
    fn a_missing_partition_is_created_again_and_then_costs_its_records_only() {
        let mut attempts = Attempts::new(2);
        assert_eq!(attempts.fail_with(Failure::NoPartition, 2), Next::RestorePartitions);
        assert_eq!(attempts.fail_with(Failure::NoPartition, 2), Next::RestorePartitions);
        assert_eq!(attempts.fail_with(Failure::NoPartition, 2), Next::Halve);
        let mut half = attempts.of_half();
        assert_eq!(half.fail_with(Failure::NoPartition, 1), Next::Isolate, "it was created often enough");
    }

    #[test]
    fn doubt_stays_until_it_no_longer_matters() {
        let mut attempts = Attempts::new(5);
        let lost = Error::InDoubt("the connection was lost".to_owned());
        assert_eq!(attempts.fail(&lost, 1), Next::Again(1));
        assert_eq!(attempts.fail_with(Failure::Conflict, 1), Next::Again(2));
        assert!(attempts.in_doubt());
        assert!(!attempts.without_doubt().in_doubt());
    }

    #[test]
    fn a_mistake_of_ours_costs_its_request_only() {
        let mut attempts = Attempts::new(5);
        assert_eq!(attempts.fail_with(Failure::Bug, 2), Next::Halve);
        assert_eq!(attempts.fail_with(Failure::Bug, 1), Next::GiveUp);
    }
}
