//! The summary of one trace over all its days.

use llm_observatory_core::ids::TraceId;
use llm_observatory_core::text::Text;
use llm_observatory_core::time::{Day, UnixNanos};

use crate::models::TraceRow;
use crate::models::trace::Root;

/// The day of spans without a start.
const UNDATED: Day = Day(0);

/// The summary of one trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceSummary {
    /// Id of the trace.
    pub trace_id: TraceId,
    /// Earliest start of the spans. Unknown only if no span has a start.
    pub start_time: UnixNanos,
    /// Latest end of the spans. A span without an end counts with its start.
    pub end_time: UnixNanos,
    /// Number of spans.
    pub span_count: i64,
    /// Number of spans with status ERROR.
    pub error_count: i64,
    /// The root span, if it is stored; the earliest if there are several.
    pub root: Option<Root>,
    /// Names of the services of the spans, sorted, without duplicates and without the empty name.
    pub services: Vec<Text>,
}

impl TraceSummary {
    /// The sum of the days of a trace; `None` if there is none.
    pub(super) fn of(days: &[TraceRow]) -> Option<Self> {
        let dated = days.iter().filter(|day| day.day != UNDATED).map(|day| day.start_time).min();
        let (first, others) = days.split_first()?;
        let mut sum = first.clone();
        others.iter().for_each(|day| sum.merge(day));
        Some(Self {
            trace_id: sum.trace_id,
            start_time: dated.unwrap_or(sum.start_time),
            end_time: sum.end_time,
            span_count: sum.span_count,
            error_count: sum.error_count,
            root: sum.root,
            services: sum.services,
        })
    }
}

#[cfg(test)]
mod tests {
    use llm_observatory_core::ids::ProjectId;

    use super::*;
    use crate::models::Speakers;

    fn day(day: i32, service: &str) -> TraceRow {
        TraceRow {
            project_id: ProjectId::DEFAULT,
            trace_id: TraceId::from_foreign("t"),
            day: Day(day),
            start_time: Day(day).start(),
            end_time: UnixNanos(Day(day).start().0 + 5),
            span_count: 2,
            error_count: 1,
            llm_calls: 0,
            speakers: Speakers::default(),
            root: None,
            services: vec![service.into()],
        }
    }

    #[test]
    fn a_summary_adds_up_the_days_of_a_trace() {
        let sum = TraceSummary::of(&[day(20_001, "b"), day(20_000, "a"), day(20_001, "b")]).unwrap();
        assert_eq!(
            (sum.start_time, sum.end_time),
            (Day(20_000).start(), UnixNanos(Day(20_001).start().0 + 5))
        );
        assert_eq!((sum.span_count, sum.error_count), (6, 3));
        assert_eq!(sum.services, ["a".into(), "b".into()]);
        assert_eq!(TraceSummary::of(&[]), None);
    }

    #[test]
    fn an_unknown_start_counts_only_if_no_span_has_another() {
        let sum = TraceSummary::of(&[day(0, "a"), day(20_000, "a")]).unwrap();
        assert_eq!(sum.start_time, Day(20_000).start());
        assert_eq!(sum.span_count, 4);
        assert_eq!(TraceSummary::of(&[day(0, "a")]).unwrap().start_time, UnixNanos::UNKNOWN);
    }
}
