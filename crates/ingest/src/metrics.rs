//! Metrics of ingest: the books, refused requests, batches and commits.

use llm_observatory_storage::tally::LlmTally;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::books::Books;
use crate::llm_metrics::LlmMetrics;

/// The metrics of all signals. Clones share them.
#[derive(Debug, Clone)]
pub struct Metrics {
    pub(crate) books: Books,
    pub(crate) requests_refused: Family<ReasonLabel, Counter>,
    pub(crate) commits_in_doubt: Family<SignalLabel, Counter>,
    pub(crate) batch_records: Histograms,
    pub(crate) commit_seconds: Histograms,
}

/// Label of a metric that differs by signal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct SignalLabel {
    pub(crate) signal: &'static str,
}

/// Labels of a metric that differs by signal and reason.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct ReasonLabel {
    pub(crate) signal: &'static str,
    pub(crate) reason: &'static str,
}

/// Buckets for the records in a batch: 1 to 16,384, each four times the one before.
fn sizes() -> Histogram {
    Histogram::new(exponential_buckets(1.0, 4.0, 8))
}

/// Buckets for the seconds of a commit: 0.0005 to 8.192, each twice the one before.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.0005, 2.0, 15))
}

type Histograms = Family<SignalLabel, Histogram, fn() -> Histogram>;

impl Metrics {
    /// Registers the metrics under the prefix `observatory_ingest`. `llm` counts the LLM spans that the writers store.
    pub fn register(registry: &mut Registry, llm: LlmTally) -> Self {
        let metrics = Self {
            books: Books::default(),
            requests_refused: Family::default(),
            commits_in_doubt: Family::default(),
            batch_records: Family::new_with_constructor(sizes),
            commit_seconds: Family::new_with_constructor(seconds),
        };
        let registry = registry.sub_registry_with_prefix("observatory_ingest");
        registry.register_collector(Box::new(metrics.books.clone()));
        registry.register_collector(Box::new(LlmMetrics { tally: llm }));
        registry.register(
            "requests_refused",
            "Requests that were refused, by reason",
            metrics.requests_refused.clone(),
        );
        registry.register(
            "commits_in_doubt",
            "COMMITs without an answer, whose transactions were run again",
            metrics.commits_in_doubt.clone(),
        );
        registry.register("batch_records", "Records in one transaction", metrics.batch_records.clone());
        registry.register(
            "commit_seconds",
            "Time from taking a batch to its commit",
            metrics.commit_seconds.clone(),
        );
        metrics
    }

    /// The books of all signals.
    pub fn books(&self) -> &Books {
        &self.books
    }
}
