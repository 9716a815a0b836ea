//! The records of one request in the books: entered as received, and later by what became of them.

use llm_observatory_core::ids::ProjectId;
use llm_observatory_core::signal::Signal;

use crate::answer::Answer;
use crate::books::{Books, Entry};
use crate::outcome::CommittedRequest;

/// The reason for which records count as refused if their client leaves before it is answered.
const CLIENT_LEFT: &str = "client_left";

/// The records of one request. What became of them is entered exactly once: if the client leaves before it is answered,
/// dropping this enters them as refused.
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

    /// Enters the records as stored, duplicate or rejected. Returns the answer for the client.
    pub(crate) fn committed(&mut self, request: &CommittedRequest) -> Answer {
        self.answered = true;
        self.enter(Entry::Stored(request.claim()));
        let rejections = request.rejections();
        for (reason, records) in rejections.by_reason() {
            self.enter(Entry::Rejected(reason.name(), records));
        }
        Answer { rejected: rejections.count(), message: rejections.message() }
    }

    /// Enters the records as refused for `reason`.
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
