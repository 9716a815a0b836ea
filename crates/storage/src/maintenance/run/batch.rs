//! What a run is about, and what one of its transactions did.

use llm_observatory_core::ids::ProjectId;
use llm_observatory_core::text::Text;
use llm_observatory_core::time::UnixNanos;

use super::stretch::{Cursor, Table};

/// What a run does with each row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunKind {
    /// Computes the cost of LLM spans by the prices of now.
    Reprice,
    /// Reads spans and log records by the dialects of now, and decides which calls are billable.
    Reread,
}

impl RunKind {
    /// Its name: in `llm_runs`, and as a command.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reprice => "reprice",
            Self::Reread => "reread",
        }
    }

    /// The tables through which it goes, one after the other. Rows of calls that log records tell come before the records
    /// themselves: one that is read otherwise now is replaced before its record could add it a second time.
    pub(super) const fn tables(self) -> &'static [Table] {
        match self {
            Self::Reprice => &[Table::LlmSpans],
            Self::Reread => &[Table::Traces, Table::LlmSpans, Table::Logs],
        }
    }

    /// The tables whose rows it counts.
    pub(super) const fn counted(self) -> &'static [&'static str] {
        match self {
            Self::Reprice => &["trace_llm_spans"],
            Self::Reread => &["trace_spans", "logs"],
        }
    }
}

/// What a run is about. A run that did not finish is continued by another one that is about the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunScope {
    /// What it does.
    pub kind: RunKind,
    /// Spans that started then or later, and log records of that time. Rereading takes whole traces of a day.
    pub from: UnixNanos,
    /// Spans that started before, and log records before.
    pub until: UnixNanos,
    /// Spans of this project; `None` for all.
    pub project: Option<ProjectId>,
    /// For repricing: spans whose request or response names this model; a `*` at its end stands for anything. `None` for all.
    pub model: Option<Text>,
}

impl RunScope {
    /// Whether it is about calls of a model with one of these names.
    pub(super) fn names(&self, names: [&Option<Text>; 2]) -> bool {
        let Some(model) = &self.model else { return true };
        let fits = |name: &Text| match model.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => name == model,
        };
        names.into_iter().flatten().any(fits)
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_at_the_end_of_a_model_stands_for_anything() {
        let about = |model: Option<&'static str>, names: [&str; 2]| {
            let scope = RunScope {
                kind: RunKind::Reprice,
                from: UnixNanos(0),
                until: UnixNanos(1),
                project: None,
                model: model.map(Text::from),
            };
            let [request, response] = names.map(|name| (!name.is_empty()).then(|| Text::from(name)));
            scope.names([&request, &response])
        };
        assert!(about(None, ["", ""]) && about(Some("gpt-4o"), ["gpt-4o", ""]));
        assert!(about(Some("gpt-4o"), ["alias", "gpt-4o"]) && !about(Some("gpt-4o"), ["gpt-4o-mini", ""]));
        assert!(about(Some("gpt-4o*"), ["gpt-4o-mini", ""]) && about(Some("gpt-4o*"), ["", "gpt-4o"]));
        assert!(!about(Some("gpt-4o*"), ["gpt-4", ""]) && !about(Some("*"), ["", ""]));
    }
}
