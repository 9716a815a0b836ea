#![doc = include_str!("../README.md")]

pub mod config;
pub mod encode;
pub mod error;
pub mod log;
pub mod metric;
pub mod metrics;
pub mod question;
mod size;
mod sources;
pub mod token;
pub mod trace;

use std::sync::Arc;

use llm_observatory_storage::StoragePool;

pub use config::QueryConfig;
pub use encode::ValueLimit;
pub use error::Error;
pub use metrics::Metrics;
pub use question::{Caller, Page, PageSize, Paging, Period};
pub use token::PageToken;

use question::{List, Opened};
use sources::Sources;

/// Answers questions: what a face holds. Clones share everything.
#[derive(Debug, Clone)]
pub struct Query {
    sources: Sources,
    config: Arc<QueryConfig>,
    metrics: Metrics,
}

impl Query {
    /// Answers from this pool.
    pub fn new(pool: StoragePool, config: QueryConfig, metrics: Metrics) -> Self {
        Self { sources: Sources::new(pool), config: Arc::new(config), metrics }
    }

    /// What every list begins with: the question is checked and opened at its page, and whoever asks gets the sources of
    /// their own project, for as long as they wait.
    fn open<L: List>(&self, question: &L) -> Result<(Opened<L::Cursor>, Sources), Error> {
        let opened = question::open(question, &self.config)?;
        let caller = question.caller();
        Ok((opened, self.sources.of(caller, Some(self.config.patience(caller)))))
    }
}
