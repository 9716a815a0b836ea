//! A request in the books, from its arrival to its answer.

use llm_observatory_core::ids::ProjectId;

use crate::books::{Books, Entry};
use crate::pipeline::Accepted;
use crate::receipt::Committed;

/// Why records count as refused whose client hung up before it was answered.
const LEFT: &str = "client_left";

/// The records of one request, which are answered for exactly once: in the end when its client left.
#[derive(Debug)]
pub(crate) struct Arrival {
    books: Books,
    signal: &'static str,
    project_id: ProjectId,
    records: u64,
    answered: bool,
}

impl Arrival {
    /// Enters the records as received.
    pub(crate) fn new(books: Books, signal: &'static str, project_id: ProjectId, records: u64) -> Self {
        let arrival = Self { books, signal, project_id, records, answered: false };
        arrival.enter(Entry::Received(records));
        arrival
    }

    /// They are committed, or can never be.
    pub(crate) fn answered(&mut self, committed: &Committed) -> Accepted {
        self.answered = true;
        self.enter(Entry::Written(committed.claim()));
        let rejections = committed.rejections();
        for (reason, records) in rejections.by_reason() {
            self.enter(Entry::Rejected(reason.name(), records));
        }
        Accepted { rejected: rejections.count(), message: rejections.message() }
    }

    /// The request was refused as a whole.
    pub(crate) fn refused(&mut self, reason: &'static str) {
        self.answered = true;
        self.enter(Entry::Refused(reason, self.records));
    }

    fn enter(&self, entry: Entry) {
        self.books.enter(self.signal, self.project_id, entry);
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        if !self.answered {
            self.enter(Entry::Refused(LEFT, self.records));
        }
    }
}
