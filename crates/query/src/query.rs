//! The room's door: what a face holds to ask.

use std::sync::Arc;

use llm_observatory_storage::StoragePool;

use crate::config::QueryConfig;
use crate::error::Error;
use crate::metrics::Metrics;
use crate::question::{self, List, Opened};
use crate::sources::Sources;

/// Answers questions: what a face holds. Clones share everything.
#[derive(Debug, Clone)]
pub struct Query {
    pub(crate) sources: Sources,
    pub(crate) config: Arc<QueryConfig>,
    pub(crate) metrics: Metrics,
}

impl Query {
    /// Answers from this pool.
    pub fn new(pool: StoragePool, config: QueryConfig, metrics: Metrics) -> Self {
        Self { sources: Sources::new(pool), config: Arc::new(config), metrics }
    }

    /// What every list begins with: the question is checked and opened at its page, and the caller gets the sources of its
    /// own project, for as long as it waits.
    pub(crate) fn open<L: List>(&self, question: &L) -> Result<(Opened<L::Cursor>, Sources), Error> {
        let opened = question::open(question, &self.config)?;
        let caller = question.caller();
        Ok((opened, self.sources.of(caller, Some(caller.patience_within(&self.config)))))
    }
}
