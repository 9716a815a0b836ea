//! What became of a request, said after COMMIT to everyone who waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use llm_observatory_core::ids::ProjectId;
use llm_observatory_storage::writers::Written;

use crate::books::{Books, Entry};
use crate::decode::Rejections;

/// What became of a request.
#[derive(Debug, Clone)]
pub(crate) enum Fate {
    /// Its records are committed, but for those that never can be.
    Committed(Committed),
    /// It could not be written now.
    Unavailable,
    /// Whoever had to write it is gone, and did not.
    Left,
}

/// A committed request.
#[derive(Debug, Clone)]
pub(crate) struct Committed {
    rejections: Arc<Rejections>,
    claim: Arc<Claim>,
}

/// What was written, for the books. The first who answers for the request claims it; when nobody does, since all were told to
/// try again or left, it was written late.
#[derive(Debug)]
struct Claim {
    books: Books,
    signal: &'static str,
    project_id: ProjectId,
    written: Written,
    claimed: AtomicBool,
}

impl Committed {
    pub(crate) fn new(
        books: Books,
        signal: &'static str,
        project_id: ProjectId,
        written: Written,
        rejections: Rejections,
    ) -> Self {
        let claim = Claim { books, signal, project_id, written, claimed: AtomicBool::new(false) };
        Self { rejections: Arc::new(rejections), claim: Arc::new(claim) }
    }

    /// What of the request could not be stored.
    pub(crate) fn rejections(&self) -> &Rejections {
        &self.rejections
    }

    /// What was written, for the first who asks. For all others everything was there already.
    pub(crate) fn claim(&self) -> Written {
        let Written { stored, duplicates, .. } = self.claim.written;
        match self.claim.claimed.swap(true, Ordering::AcqRel) {
            false => self.claim.written,
            true => Written { stored: 0, duplicates: stored + duplicates, completed: 0 },
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if !*self.claimed.get_mut() {
            self.books.enter(self.signal, self.project_id, Entry::Late(self.written.stored));
        }
    }
}
