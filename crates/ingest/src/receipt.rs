//! The answer that a request waits for: what became of its records, said once, after COMMIT.

use tokio::sync::oneshot;

/// What became of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Its records are committed.
    Committed,
    /// PostgreSQL can't hold one of its values, and will not the next time either.
    Refused,
    /// It could not be written now.
    Unavailable,
}

/// The writer's half: every request that a writer takes hears its fate through here.
#[derive(Debug)]
pub(crate) struct Receipt(oneshot::Sender<Fate>);

/// The caller's half.
pub(crate) type Awaited = oneshot::Receiver<Fate>;

pub(crate) fn receipt() -> (Receipt, Awaited) {
    let (sender, receiver) = oneshot::channel();
    (Receipt(sender), receiver)
}

impl Receipt {
    /// Says it. A caller that is gone does not hear it, and need not.
    pub(crate) fn say(self, fate: Fate) {
        let _ = self.0.send(fate);
    }

    /// Whether the caller gave up: it was answered, or its connection is gone.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.0.is_closed()
    }
}
