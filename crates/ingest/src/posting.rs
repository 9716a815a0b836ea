//! The entry of one request in the books, from its arrival to its answer.

use llm_observatory_core::ids::ProjectId;
use llm_observatory_core::signal::Signal;

use crate::answer::Answer;
use crate::books::{Books, Entry};
use crate::outcome::CommittedRequest;

/// Why records count as refused whose client hung up before it was answered.
const CLIENT_LEFT: &str = "client_left";

/// The records of one request, which are answered for exactly once. When its client leaves before that, the drop of this
/// answers for them.
#[derive(Debug)]
pub(crate) struct Posting {
    books: Books,
    signal: Signal,
    project_id: ProjectId,
    records: u64,
    answered: bool,
}

impl Posting {
    /// Enters the records as received.
    pub(crate) fn new(books: Books, signal: Signal, project_id: ProjectId, records: u64) -> Self {
        let posting = Self { books, signal, project_id, records, answered: false };
        posting.enter(Entry::Received(records));
        posting
    }

    /// The records are committed, or rejected. Returns what the client hears.
    pub(crate) fn committed(&mut self, request: &CommittedRequest) -> Answer {
        self.answered = true;
        self.enter(Entry::Stored(request.claim()));
        let rejections = request.rejections();
        for (reason, records) in rejections.by_reason() {
            self.enter(Entry::Rejected(reason.name(), records));
        }
        Answer { rejected: rejections.count(), message: rejections.message() }
    }

    /// The request is refused.
    pub(crate) fn refused(&mut self, reason: &'static str) {
        self.answered = true;
        self.enter(Entry::Refused(reason, self.records));
    }

    fn enter(&self, entry: Entry) {
        self.books.enter(self.signal, self.project_id, entry);
    }
}

impl Drop for Posting {
    fn drop(&mut self) {
        if !self.answered {
            self.enter(Entry::Refused(CLIENT_LEFT, self.records));
        }
    }
}
