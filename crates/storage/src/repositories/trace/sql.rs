//! The statements that read traces, spans and span events.

use super::rows::{event_columns, span_columns, trace_columns};
use crate::repositories::read::Statement;
use crate::repositories::statement;

/// The statements of this module.
pub const STATEMENTS: &[(&str, &str)] =
    &[LIST, LIST_OF_SERVICE, GET, SPANS, EVENTS, SPAN, SPAN_EVENTS, LIST_SPANS, STATISTICS];

pub(super) const LIST: Statement = ("trace: list", include_str!("list.sql"));
pub(super) const LIST_OF_SERVICE: Statement = ("trace: list of service", include_str!("list_of_service.sql"));
pub(super) const GET: Statement = statement!(
    "trace: get",
    "SELECT ",
    trace_columns!(),
    " FROM traces WHERE trace_id = $1 AND project_id = $2 ORDER BY traces.day",
);
pub(super) const SPANS: Statement = statement!(
    "trace: spans",
    "SELECT ",
    span_columns!(),
    " FROM trace_spans WHERE trace_id = $1 AND project_id = $2 ",
    "AND start_time >= $3 AND start_time < $4 AND (start_time, span_id) > ($3, $6) ",
    "ORDER BY start_time, span_id LIMIT $5",
);
pub(super) const EVENTS: Statement = statement!(
    "trace: events",
    "SELECT ",
    event_columns!(),
    " FROM trace_events WHERE trace_id = $1 AND project_id = $2 ",
    "AND start_time >= $3 AND start_time < $4 AND (start_time, span_id, ordinal) > ($3, $6, $7) ",
    "ORDER BY start_time, span_id, ordinal LIMIT $5",
);
pub(super) const SPAN: Statement = statement!(
    "trace: span",
    "SELECT ",
    span_columns!(),
    " FROM trace_spans WHERE trace_id = $1 AND project_id = $2 AND span_id = $3 ",
    "AND start_time >= $4 AND start_time < $5 ORDER BY start_time LIMIT 1",
);
/// All events of the spans from one to another.
pub(super) const SPAN_EVENTS: Statement = statement!(
    "trace: span events",
    "SELECT ",
    event_columns!(),
    " FROM trace_events WHERE trace_id = $1 AND project_id = $2 ",
    "AND start_time BETWEEN $3 AND $5 AND (start_time, span_id) BETWEEN ($3, $4) AND ($5, $6) ",
    "ORDER BY start_time, span_id, ordinal",
);
pub(super) const LIST_SPANS: Statement = statement!(
    "trace: list spans",
    "SELECT ",
    span_columns!(),
    " FROM trace_spans WHERE project_id = $1 AND start_time BETWEEN $2 AND $4 ",
    "AND (start_time, start_nanos) >= ($2, $3) AND (start_time, start_nanos, trace_id, span_id) < ($4, $5, $6, $7) ",
    "AND ($8::text IS NULL OR service_name = $8) AND (NOT $9 OR status_code = 2) ",
    "ORDER BY start_time DESC, start_nanos DESC, trace_id DESC, span_id DESC LIMIT $10",
);
pub(super) const STATISTICS: Statement = statement!(
    "trace: statistics",
    "SELECT service_name, count(*), count(*) FILTER (WHERE status_code = 2), ",
    "percentile_disc(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY duration_nanos) ",
    "FROM trace_spans WHERE project_id = $1 AND start_time BETWEEN $2 AND $4 ",
    "AND (start_time, start_nanos) >= ($2, $3) AND (start_time, start_nanos) < ($4, $5) ",
    "GROUP BY service_name ORDER BY service_name LIMIT $6",
);
