//! The books: how many records were received, and what became of them.
//!
//! For each project and signal: received = stored + duplicate + rejected + refused + pending. A lost record would stay
//! pending.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use llm_observatory_core::ids::ProjectId;
use llm_observatory_core::signal::Signal;
use llm_observatory_storage::writers::RecordCounts;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, NoLabelSet};
use prometheus_client::metrics::MetricType;

/// The account of one signal of one project, in records, since the daemon started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// Records of requests whose framing could be read.
    pub received: u64,
    /// Records that were stored and acknowledged.
    pub stored: u64,
    /// Records that had been stored before, and were acknowledged.
    pub duplicate: u64,
    /// Duplicates that were more complete than the stored record, and replaced it.
    pub completed: u64,
    /// Rejected records, by reason: they can never be stored.
    pub rejected: BTreeMap<&'static str, u64>,
    /// Records of refused requests, by reason.
    pub refused: BTreeMap<&'static str, u64>,
    /// Records that were committed after their request had been refused. When the client sends them again, they are
    /// duplicates.
    pub late: u64,
}

impl Account {
    /// Records that were received, and whose request has no answer yet.
    pub fn pending(&self) -> u64 {
        let answered = self.stored
            + self.duplicate
            + self.rejected.values().sum::<u64>()
            + self.refused.values().sum::<u64>();
        self.received.saturating_sub(answered)
    }
}

/// One entry in an account, in records.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Entry {
    Received(u64),
    Stored(RecordCounts),
    Rejected(&'static str, u64),
    Refused(&'static str, u64),
    Late(u64),
}

type Accounts = BTreeMap<(ProjectId, Signal), Account>;

/// The accounts of all projects and signals. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Books {
    accounts: Arc<Mutex<Accounts>>,
}

impl Books {
    /// Every account, by project and signal.
    pub fn accounts(&self) -> BTreeMap<(ProjectId, Signal), Account> {
        self.lock().clone()
    }

    pub(crate) fn enter(&self, signal: Signal, project_id: ProjectId, entry: Entry) {
        let mut accounts = self.lock();
        let account = accounts.entry((project_id, signal)).or_default();
        match entry {
            Entry::Received(records) => account.received += records,
            Entry::Stored(RecordCounts { stored, duplicates, completed }) => {
                account.stored += stored;
                account.duplicate += duplicates;
                account.completed += completed;
            }
            Entry::Rejected(reason, records) => *account.rejected.entry(reason).or_default() += records,
            Entry::Refused(reason, records) => *account.refused.entry(reason).or_default() += records,
            Entry::Late(records) => account.late += records,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Accounts> {
        // Each entry is one addition, so a panic elsewhere leaves nothing half-entered.
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AccountLabel {
    project: i32,
    signal: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    project: i32,
    signal: &'static str,
    reason: &'static str,
}

type Column = (&'static str, &'static str, fn(&Account) -> u64);
type ReasonColumn = (&'static str, &'static str, fn(&Account) -> &BTreeMap<&'static str, u64>);

const COLUMNS: [Column; 5] = [
    ("records_received", "Records that were received", |account| account.received),
    ("records_stored", "Records that were stored and acknowledged", |account| account.stored),
    ("records_duplicate", "Records that had been stored before and were acknowledged", |account| {
        account.duplicate
    }),
    ("records_completed", "Duplicates that replaced a less complete record", |account| account.completed),
    ("records_late", "Records committed after their request had been refused", |account| account.late),
];
const REASON_COLUMNS: [ReasonColumn; 2] = [
    ("records_rejected", "Records that can never be stored, by reason", |account| &account.rejected),
    ("records_refused", "Records whose request was refused, by reason", |account| &account.refused),
];

impl Collector for Books {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let accounts = self.accounts();
        for (name, help, value) in COLUMNS {
            let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            for ((project, signal), account) in &accounts {
                let label = AccountLabel { project: project.0, signal: signal.name() };
                metric.encode_family(&label)?.encode_counter::<NoLabelSet, _, u64>(&value(account), None)?;
            }
        }
        for (name, help, reasons) in REASON_COLUMNS {
            let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            for ((project, signal), account) in &accounts {
                for (reason, records) in reasons(account) {
                    let label = ReasonLabel { project: project.0, signal: signal.name(), reason };
                    metric.encode_family(&label)?.encode_counter::<NoLabelSet, _, u64>(records, None)?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_without_an_answer_are_pending() {
        let books = Books::default();
        let enter = |entry| books.enter(Signal::Logs, ProjectId::DEFAULT, entry);
        enter(Entry::Received(10));
        enter(Entry::Stored(RecordCounts { stored: 3, duplicates: 2, completed: 1 }));
        enter(Entry::Rejected("span_id", 1));
        enter(Entry::Refused("no_room", 2));
        let account = &books.accounts()[&(ProjectId::DEFAULT, Signal::Logs)];
        assert_eq!(account.pending(), 2);
    }
}
