//! The three signals of OTLP.

use std::fmt;

/// One of OTLP's signals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i16)]
pub enum Signal {
    /// Spans, grouped into traces by their trace id.
    Traces = 1,
    /// Data points of metrics.
    Metrics = 2,
    /// Log records.
    Logs = 3,
}

impl Signal {
    /// All signals, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::Traces, Self::Metrics, Self::Logs];

    /// The name in Prometheus metrics, log lines and answers: `traces`, `metrics` or `logs`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Metrics => "metrics",
            Self::Logs => "logs",
        }
    }

    /// The number of the signal in the tables `ingest_requests` and `ingest_rejections`.
    pub const fn column(self) -> i16 {
        self as i16
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
