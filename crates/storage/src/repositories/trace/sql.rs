//! The statements that read traces, spans and span events.

use crate::models::row::Row as _;
use crate::models::{EventRow, SpanRow, TraceRow};
use crate::repositories::conditions::{Column, Operator, PLACE, with_all};
use crate::statement::Statement;
/// The statements of this module.
pub(in crate::repositories) const STATEMENTS: &[&Statement] = &[
    &LIST,
    &LIST_OF_SERVICE,
    &GET,
    &SPANS,
    &EVENTS,
    &SPAN,
    &SPAN_EVENTS,
    &LIST_SPANS,
    &SPANS_NARROWED,
    &STATISTICS,
];

pub(super) static LIST: Statement = Statement::composed("trace: list", || days_of(include_str!("list.sql")));
pub(super) static LIST_OF_SERVICE: Statement =
    Statement::composed("trace: list of service", || days_of(include_str!("list_of_service.sql")));
pub(super) static GET: Statement = Statement::composed("trace: get", || {
    let columns = TraceRow::TABLE.select();
    format!("SELECT {columns} FROM traces WHERE trace_id = $1 AND project_id = $2 ORDER BY day")
});
pub(super) static SPANS: Statement = Statement::composed("trace: spans", || {
    format!(
        "SELECT {} FROM trace_spans WHERE trace_id = $1 AND project_id = $2 \
         AND start_time >= $3 AND start_time < $4 AND (start_time, span_id) > ($3, $6) \
         ORDER BY start_time, span_id LIMIT $5",
        SpanRow::TABLE.select()
    )
});
pub(super) static EVENTS: Statement = Statement::composed("trace: events", || {
    format!(
        "SELECT {} FROM trace_events WHERE trace_id = $1 AND project_id = $2 \
         AND start_time >= $3 AND start_time < $4 AND (start_time, span_id, ordinal) > ($3, $6, $7) \
         ORDER BY start_time, span_id, ordinal LIMIT $5",
        EventRow::TABLE.select()
    )
});
pub(super) static SPAN: Statement = Statement::composed("trace: span", || {
    format!(
        "SELECT {} FROM trace_spans WHERE trace_id = $1 AND project_id = $2 AND span_id = $3 \
         AND start_time >= $4 AND start_time < $5 ORDER BY start_time LIMIT 1",
        SpanRow::TABLE.select()
    )
});
/// All events of the spans from one to another.
pub(super) static SPAN_EVENTS: Statement = Statement::composed("trace: span events", || {
    format!(
        "SELECT {} FROM trace_events WHERE trace_id = $1 AND project_id = $2 \
         AND start_time BETWEEN $3 AND $5 AND (start_time, span_id) BETWEEN ($3, $4) AND ($5, $6) \
         ORDER BY start_time, span_id, ordinal",
        EventRow::TABLE.select()
    )
});
pub(super) static LIST_SPANS: Statement = Statement::composed("trace: list spans", || {
    format!(
        "SELECT {} FROM trace_spans WHERE project_id = $1 AND start_time BETWEEN $2 AND $4 \
         AND (start_time, start_nanos) >= ($2, $3) AND (start_time, start_nanos, trace_id, span_id) < ($4, $5, $6, $7) \
         {PLACE} \
         ORDER BY start_time DESC, start_nanos DESC, trace_id DESC, span_id DESC LIMIT $8",
        SpanRow::TABLE.select()
    )
});
/// The same with every condition, for the test that prepares all statements.
static SPANS_NARROWED: Statement =
    Statement::composed("trace: list spans narrowed", || with_all::<SpanColumn>(LIST_SPANS.sql(), 8));
pub(super) static STATISTICS: Statement = Statement::fixed(
    "trace: statistics",
    "SELECT service_name, count(*), count(*) FILTER (WHERE status_code = 2), \
            CASE WHEN count(duration_nanos) > 0 \
                 THEN percentile_disc(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY duration_nanos) END \
     FROM trace_spans WHERE project_id = $1 AND start_time BETWEEN $2 AND $4 \
     AND (start_time, start_nanos) >= ($2, $3) AND (start_time, start_nanos) < ($4, $5) \
     GROUP BY service_name ORDER BY service_name LIMIT $6",
);

/// All days of the traces that `page` finds, in its order. `OFFSET 0` and `+ 0` are as in list.sql.
fn days_of(page: &str) -> String {
    format!(
        "{page}SELECT {} FROM page \
         CROSS JOIN LATERAL (\
             SELECT * FROM traces AS other WHERE other.trace_id = page.trace_id AND other.project_id + 0 = $1 OFFSET 0\
         ) AS d \
         ORDER BY page.start_time DESC, page.start_nanos DESC, page.trace_id DESC",
        TraceRow::TABLE.select_from("d")
    )
}

/// What spans are narrowed by.
#[derive(Debug, Clone, Copy)]
pub(super) enum SpanColumn {
    Service,
    Status,
}

impl Column for SpanColumn {
    const ALL: &'static [(Self, Operator)] = &[(Self::Service, Operator::Is), (Self::Status, Operator::Is)];

    fn text(self) -> &'static str {
        match self {
            Self::Service => "service_name {}",
            Self::Status => "status_code {}",
        }
    }
}
