//! Metrics of LLM spans: what the writers of this process stored, and what waits to be settled.

use std::fmt;

use llm_observatory_storage::tally::LlmTally;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// Tells the counts of the storage when metrics are asked for.
#[derive(Debug)]
pub(crate) struct LlmMetrics {
    pub(crate) tally: LlmTally,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SpanLabel {
    dialect: &'static str,
    kind: &'static str,
}

impl Collector for LlmMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let counts = self.tally.counts();
        let about = "LLM spans that were stored, by dialect and kind";
        let mut spans = encoder.encode_descriptor("llm_spans", about, None, MetricType::Counter)?;
        for ((dialect, kind), count) in &counts.spans {
            let label = SpanLabel { dialect: dialect.name(), kind: kind.name() };
            spans.encode_family(&label)?.encode_counter::<NoLabelSet, _, u64>(count, None)?;
        }
        let calls = [
            (
                "llm_usage_missing",
                "Calls that were stored, succeeded, and told no tokens; log records may tell them later",
                counts.usage_missing,
            ),
            (
                "llm_without_price",
                "Calls that were stored and told tokens, of models without a known price",
                counts.without_price,
            ),
        ];
        for (name, about, count) in calls {
            let counter = ConstCounter::new(count);
            counter.encode(encoder.encode_descriptor(name, about, None, MetricType::Counter)?)?;
        }
        if let Some(waiting) = counts.settling {
            let about = "Traces in the database that wait to be settled; each daemon that ingests tells all: take the max, not the sum";
            let gauge = ConstGauge::new(i64::try_from(waiting).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor("llm_settling", about, None, MetricType::Gauge)?)?;
        }
        Ok(())
    }
}
