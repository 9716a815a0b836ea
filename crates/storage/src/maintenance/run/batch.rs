//! What a run is about, and what one of its transactions did.

use llm_observatory_core::ids::ProjectId;
use llm_observatory_core::text::Text;
use llm_observatory_core::time::UnixNanos;

use super::stretch::Cursor;

/// What a run does with each row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunKind {
    /// Computes the cost of LLM spans by the prices of now.
    Reprice,
    /// Reads spans by the dialects of now, with their log records, and decides which calls are billable.
    Reread,
}

impl RunKind {
    /// Its name in `llm_runs`.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Reprice => "reprice",
            Self::Reread => "reread",
        }
    }

    /// The table through which it goes.
    pub(super) const fn table(self) -> &'static str {
        match self {
            Self::Reprice => "trace_llm_spans",
            Self::Reread => "traces",
        }
    }

    /// The table whose rows it counts.
    pub(super) const fn counted(self) -> &'static str {
        match self {
            Self::Reprice => "trace_llm_spans",
            Self::Reread => "trace_spans",
        }
    }
}

/// What a run is about. A run that did not finish is continued by another one that is about the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunScope {
    /// What it does.
    pub kind: RunKind,
    /// Spans that started then or later. Rereading takes whole traces of a day.
    pub from: UnixNanos,
    /// Spans that started before.
    pub until: UnixNanos,
    /// Spans of this project; `None` for all.
    pub project: Option<ProjectId>,
    /// For repricing: spans whose request or response names this model; `None` for all.
    pub model: Option<Text>,
}

/// What one transaction did.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// Rows that it looked at.
    pub(super) done: u64,
    /// Rows that it changed.
    pub(super) changed: u64,
    /// Behind which row to go on; `None` if none is left in the stretch.
    pub(super) next: Option<Cursor>,
}
