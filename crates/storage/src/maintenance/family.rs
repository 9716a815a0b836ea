//! Families of tables whose day partitions are created and dropped together.

use llm_observatory_core::signal::Signal;

/// The partitioned tables of one signal. They have partitions for the same days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// Traces, their spans, span events and readings of LLM spans.
    Traces,
    /// Metric data points.
    Metrics,
    /// Log records.
    Logs,
}

impl Family {
    /// All families.
    pub const ALL: [Self; 3] = [Self::Traces, Self::Metrics, Self::Logs];

    /// Names of its tables.
    pub const fn tables(self) -> &'static [&'static str] {
        match self {
            Self::Traces => &["traces", "trace_spans", "trace_events", "trace_llm_spans"],
            Self::Metrics => &["metric_data_points"],
            Self::Logs => &["logs"],
        }
    }
}

impl From<Signal> for Family {
    fn from(signal: Signal) -> Self {
        match signal {
            Signal::Traces => Self::Traces,
            Signal::Metrics => Self::Metrics,
            Signal::Logs => Self::Logs,
        }
    }
}
