//! The spans of a batch, with what rules and summaries ask of each.

use llm_observatory_core::ids::{ProjectId, TraceId};
use llm_observatory_core::time::Day;
use llm_observatory_genai::nesting::{Role, Step};
use llm_observatory_genai::speaker::Told;

use crate::models::Speakers;
use crate::models::llm::role;
use crate::models::trace::{Span, SpanKey, SpanRow};

const DAY_MICROS: i64 = 86_400 * 1_000_000;

/// A span of a batch. What is asked of all spans lies together here; the spans themselves are large, and in the order in which
/// they came, so that a walk over them in the order of their keys waits for memory at each step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'s> {
    pub(super) trace: (TraceId, ProjectId),
    pub(super) start_micros: i64,
    pub(super) step: Step,
    /// Whether it is an LLM span.
    pub(super) is_read: bool,
    /// The session and the user that the span itself tells.
    pub(super) told: Told<'s>,
    /// Whether it tells them, and as an LLM span lacks them.
    pub(super) speakers: Speakers,
    pub(super) has_events: bool,
    /// The index of its slice.
    pub(super) slice: usize,
    pub(super) span: &'s Span,
}

impl<'s> Entry<'s> {
    /// The spans of all slices in the order of their keys, equal keys in the order in which they came.
    pub(super) fn all(slices: &[&'s [Span]]) -> Vec<Self> {
        let of_slice = |(n, slice): (usize, &&'s [Span])| slice.iter().map(move |span| Self::of(n, span));
        let mut entries: Vec<_> = slices.iter().enumerate().flat_map(of_slice).collect();
        entries.sort_by_key(Self::key);
        entries
    }

    fn of(slice: usize, span: &'s Span) -> Self {
        let (row, told) = (&span.row, span.speaker());
        let mut speakers = Speakers::telling(told);
        if span.llm.is_some() {
            speakers |= Speakers::lacking(told);
        }
        Self {
            trace: (row.trace_id, row.project_id),
            start_micros: row.start_time.micros(),
            step: Step { id: row.span_id, parent: row.parent_span_id, role: role(span.llm.as_deref()) },
            is_read: span.llm.is_some(),
            told,
            speakers,
            has_events: !span.events.is_empty(),
            slice,
            span,
        }
    }

    /// The unique key of the span.
    pub(super) fn key(&self) -> SpanKey {
        (self.trace.0, self.start_micros, self.step.id, self.trace.1)
    }

    pub(super) fn is_call(&self) -> bool {
        matches!(self.step.role, Role::Call { .. })
    }

    pub(super) fn day(&self) -> Day {
        Day((self.start_micros / DAY_MICROS) as i32) // times of OTLP end in 2554
    }

    /// Microseconds from midnight to the start of the span.
    pub(super) fn micros_of_day(&self) -> i64 {
        self.start_micros % DAY_MICROS
    }
}

/// The rows of these spans.
pub(super) fn rows<'s>(entries: &[Entry<'s>]) -> Vec<&'s SpanRow> {
    entries.iter().map(|entry| &entry.span.row).collect()
}

/// These spans themselves.
pub(super) fn spans<'s>(entries: &[Entry<'s>]) -> Vec<&'s Span> {
    entries.iter().map(|entry| entry.span).collect()
}
