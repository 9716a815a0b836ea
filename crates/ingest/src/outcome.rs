//! What became of a request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use llm_observatory_core::ids::ProjectId;
use llm_observatory_core::signal::Signal;
use llm_observatory_storage::writers::RecordCounts;

use crate::books::{Books, Entry};
use crate::decode::rejection::Rejections;

/// What became of a request. Every caller that waits for the request gets a clone.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    /// Its records are committed, except the rejected ones.
    Committed(CommittedRequest),
    /// It could not be written; its client should try again.
    Unavailable,
    /// Its receipt was dropped before it was written.
    Abandoned,
}

/// A committed request. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct CommittedRequest(Arc<Shared>);

/// The first caller to answer its client claims the counts for the books. If no caller does, because all clients were
/// refused or left, dropping this enters the stored records as late.
#[derive(Debug)]
struct Shared {
    books: Books,
    signal: Signal,
    project_id: ProjectId,
    counts: RecordCounts,
    rejections: Rejections,
    is_claimed: AtomicBool,
}

impl CommittedRequest {
    pub(crate) fn new(
        books: Books,
        signal: Signal,
        project_id: ProjectId,
        counts: RecordCounts,
        rejections: Rejections,
    ) -> Self {
        let is_claimed = AtomicBool::new(false);
        Self(Arc::new(Shared { books, signal, project_id, counts, rejections, is_claimed }))
    }

    /// The rejected records of the request.
    pub(crate) fn rejections(&self) -> &Rejections {
        &self.0.rejections
    }

    /// The counts for the books. The first caller gets what was written; every other one gets all of it as duplicates.
    pub(crate) fn claim(&self) -> RecordCounts {
        let counts = self.0.counts;
        match self.0.is_claimed.swap(true, Ordering::AcqRel) {
            false => counts,
            true => RecordCounts { stored: 0, duplicates: counts.stored + counts.duplicates, completed: 0 },
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if !*self.is_claimed.get_mut() {
            self.books.enter(self.signal, self.project_id, Entry::Late(self.counts.stored));
        }
    }
}
