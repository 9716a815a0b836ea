//! Keys of LLM spans as parameters of a statement.

use std::time::SystemTime;

use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use super::piece::read;
use super::stretch::Stretch;
use crate::error::Error;
use crate::models::LlmRow;
use crate::models::row::Row as _;
use crate::models::time::moment;
use crate::models::trace::SpanKey;
use crate::postgres::writer::WriterConnection;
use crate::statement::Statement;

/// The keys `$1` to `$4`.
pub(super) const KEYS: &str = "unnest($1::uuid[], $2::timestamptz[], $3::bytea[], $4::integer[])";

/// Locks rows in the order of the key, which all writers follow. `$5` and `$6` bound their start.
static LOCK: Statement = Statement::composed("run: lock rows", || {
    format!(
        "SELECT {} FROM {KEYS} AS of (trace_id, start_time, span_id, project_id) \
         JOIN trace_llm_spans AS llm USING (trace_id, start_time, span_id, project_id) \
         WHERE llm.start_time >= $5 AND llm.start_time < $6 \
         ORDER BY llm.trace_id, llm.start_time, llm.span_id, llm.project_id FOR NO KEY UPDATE OF llm",
        LlmRow::TABLE.select_from("llm")
    )
});

/// The statements of this module.
pub(super) const STATEMENTS: &[&Statement] = &[&LOCK];

/// Keys as one array per column, and the stretch that they lie in.
#[derive(Debug)]
pub(super) struct Keys {
    traces: Vec<Uuid>,
    starts: Vec<SystemTime>,
    spans: Vec<Vec<u8>>,
    projects: Vec<i32>,
    from: SystemTime,
    until: SystemTime,
}

impl Keys {
    /// These keys of the stretch.
    pub(super) fn of(stretch: Stretch, keys: impl IntoIterator<Item = SpanKey>) -> Self {
        let (from, until) = stretch.moments();
        let (traces, starts, spans, projects) = Default::default();
        let mut columns = Self { traces, starts, spans, projects, from, until };
        for (trace, start, span, project) in keys {
            columns.traces.push(trace.uuid());
            columns.starts.push(moment(start));
            columns.spans.push(span.as_bytes().to_vec());
            columns.projects.push(project.0);
        }
        columns
    }

    /// The parameters `$1` to `$6` of a statement about these rows.
    pub(super) fn parameters(&self) -> Vec<(&(dyn ToSql + Sync), Type)> {
        vec![
            (&self.traces, Type::UUID_ARRAY),
            (&self.starts, Type::TIMESTAMPTZ_ARRAY),
            (&self.spans, Type::BYTEA_ARRAY),
            (&self.projects, Type::INT4_ARRAY),
            (&self.from, Type::TIMESTAMPTZ),
            (&self.until, Type::TIMESTAMPTZ),
        ]
    }

    /// Locks the rows, as far as they are still there, and reads them.
    pub(super) async fn lock(&self, connection: &WriterConnection) -> Result<Vec<LlmRow>, Error> {
        read(&connection.query_typed(LOCK.sql(), &self.parameters()).await?)
    }
}
