//! Counts of LLM spans, for metrics.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use llm_observatory_core::llm::{Dialect, LlmKind};

use crate::models::LlmRow;

/// What the writers of this process stored, in LLM spans.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LlmCounts {
    /// Stored LLM spans.
    pub spans: BTreeMap<(Dialect, LlmKind), u64>,
    /// Billable calls that succeeded and told no tokens.
    pub usage_missing: u64,
    /// Billable calls that told tokens and have no cost.
    pub without_price: u64,
    /// Traces that wait to be settled, as the job last counted them; `None` before.
    pub settling: Option<u64>,
}

impl LlmCounts {
    /// Counts the rows.
    pub(crate) fn of<'r>(rows: impl IntoIterator<Item = &'r LlmRow>) -> Self {
        let mut counts = Self::default();
        for row in rows {
            *counts.spans.entry((row.reading.dialect, row.reading.kind)).or_default() += 1;
            counts.usage_missing += u64::from(row.usage_missing);
            let costs = row.billable && row.reading.usage.is_told();
            counts.without_price += u64::from(costs && row.cost.is_none());
        }
        counts
    }

    fn add(&mut self, other: Self) {
        other.spans.into_iter().for_each(|(key, count)| *self.spans.entry(key).or_default() += count);
        self.usage_missing += other.usage_missing;
        self.without_price += other.without_price;
    }
}

/// The counts of all writers of a pool. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct LlmTally {
    counts: Arc<Mutex<LlmCounts>>,
}

impl LlmTally {
    /// The counts.
    pub fn counts(&self) -> LlmCounts {
        self.lock().clone()
    }

    pub(crate) fn add(&self, counts: LlmCounts) {
        self.lock().add(counts);
    }

    /// The counts of an ended transaction, which begins anew.
    pub(crate) fn take(&self) -> LlmCounts {
        std::mem::take(&mut *self.lock())
    }

    pub(crate) fn settling(&self, traces: u64) {
        self.lock().settling = Some(traces);
    }

    fn lock(&self) -> MutexGuard<'_, LlmCounts> {
        // Counts are only added, so a panic elsewhere leaves nothing half-entered.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
