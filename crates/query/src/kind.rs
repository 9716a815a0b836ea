//! The kinds of questions.

/// Which question is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    ListTraces,
    GetTrace,
    ListMetrics,
    ListDataPoints,
    ListLogs,
}

impl Kind {
    /// Its name in metrics and in page tokens.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ListTraces => "list_traces",
            Self::GetTrace => "get_trace",
            Self::ListMetrics => "list_metrics",
            Self::ListDataPoints => "list_data_points",
            Self::ListLogs => "list_logs",
        }
    }
}
