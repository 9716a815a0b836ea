//! What became of a request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use llm_observatory_core::ids::ProjectId;
use llm_observatory_core::signal::Signal;
use llm_observatory_storage::writers::RecordCounts;

use crate::books::{Books, Entry};
use crate::decode::rejection::Rejections;

/// What became of a request, told to everyone who waits for it.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    /// Its records are committed, but for those that never can be.
    Committed(CommittedRequest),
    /// It could not be written now.
    Unavailable,
    /// Its receipt was dropped before it was written.
    Abandoned,
}

/// A committed request. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct CommittedRequest(Arc<Shared>);

/// The first caller that answers for the request claims its counts for the books. When no caller does, since all clients were
/// told to try again or left, the records were written late.
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

    /// What of the request could not be stored.
    pub(crate) fn rejections(&self) -> &Rejections {
        &self.0.rejections
    }

    /// What was written, for the first caller. For all others everything was there already.
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
