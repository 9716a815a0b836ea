//! What to settle: which trace, on which days, and which of its spans to read again.

use llm_observatory_core::ids::{ProjectId, TraceId};
use llm_observatory_core::time::{Day, UnixNanos};

/// A trace of a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace {
    /// The trace.
    pub trace_id: TraceId,
    /// Its project.
    pub project_id: ProjectId,
}

/// Days on which a trace has spans. Those before and after them are looked at too, as long as it has spans there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Days {
    /// From the first to the second.
    Between(Day, Day),
    /// All.
    All,
}

impl Days {
    /// Whether the day is one of them.
    pub(super) fn contains(self, day: Day) -> bool {
        match self {
            Self::Between(from, to) => from <= day && day <= to,
            Self::All => true,
        }
    }

    /// The first and the last day: those of OTLP for all.
    pub(super) fn bounds(self) -> (Day, Day) {
        match self {
            Self::Between(from, to) => (Day(from.0.max(0)), to),
            Self::All => (UnixNanos(0).day(), UnixNanos(u64::MAX).day()),
        }
    }
}

/// Which spans to read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// None: only decide what is billable.
    Nothing,
    /// Those that have GenAI log records.
    WithLogs,
    /// All of the days that are asked for, each with its log records.
    All,
}
