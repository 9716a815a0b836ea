//! [`Query`], which faces hold to ask questions.

use std::sync::Arc;

use llm_observatory_storage::StoragePool;

use crate::config::QueryConfig;
use crate::error::Error;
use crate::metrics::Metrics;
use crate::question::{self, List, Opened};
use crate::sources::Sources;

/// Answers questions. Faces hold one; clones share its pool and metrics.
#[derive(Debug, Clone)]
pub struct Query {
    pub(crate) sources: Sources,
    pub(crate) config: Arc<QueryConfig>,
    pub(crate) metrics: Metrics,
}

impl Query {
    /// Answers questions from the rows behind `pool`.
    pub fn new(pool: StoragePool, config: QueryConfig, metrics: Metrics) -> Self {
        Self { sources: Sources::new(pool), config: Arc::new(config), metrics }
    }

    /// The first step of every list: checks the question, opens its page token, and limits the sources to the caller's
    /// project and patience.
    pub(crate) fn open<L: List>(&self, question: &L) -> Result<(Opened<L::Cursor>, Sources), Error> {
        let opened = question::open(question, &self.config)?;
        let caller = question.asked().caller;
        Ok((opened, self.sources.of(caller, Some(caller.patience_within(&self.config)))))
    }
}
