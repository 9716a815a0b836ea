//! The kinds of questions.

/// The kind of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    ListTraces,
    GetTrace,
    ListMetrics,
    ListDataPoints,
    ListLogs,
    GetLlmSpan,
    ListLlmSpans,
    ExplainCost,
    ListModels,
    ListPrices,
}

impl Kind {
    /// The name in metrics and in page tokens.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ListTraces => "list_traces",
            Self::GetTrace => "get_trace",
            Self::ListMetrics => "list_metrics",
            Self::ListDataPoints => "list_data_points",
            Self::ListLogs => "list_logs",
            Self::GetLlmSpan => "get_llm_span",
            Self::ListLlmSpans => "list_llm_spans",
            Self::ExplainCost => "explain_cost",
            Self::ListModels => "list_models",
            Self::ListPrices => "list_prices",
        }
    }
}
