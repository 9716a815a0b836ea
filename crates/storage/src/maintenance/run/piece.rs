//! What one transaction of a run looks at: the next rows of a stretch.

use llm_observatory_core::ids::ProjectId;
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::batch::RunScope;
use super::stretch::{Cursor, Stretch};
use crate::error::Error;
use crate::models::LlmRow;
use crate::models::fields::Fields;
use crate::models::row::{ReadRow as _, Row as _};
use crate::models::time::moment;
use crate::postgres::writer::WriterConnection;
use crate::statement::Statement;

/// The next rows of a stretch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece<'r> {
    pub(super) connection: &'r WriterConnection,
    pub(super) scope: &'r RunScope,
    pub(super) stretch: Stretch,
    pub(super) cursor: Cursor,
    /// About how many rows.
    pub(super) limit: u32,
}

/// The LLM spans behind the key `$5` to `$8`. `$3` and `$4` bound their start; [`Piece::look`] has `$1` and `$2`.
static LLM_SPANS: Statement = Statement::composed("run: look at LLM spans", || {
    format!(
        "SELECT {} FROM trace_llm_spans AS llm WHERE llm.start_time >= $3 AND llm.start_time < $4 \
         AND (llm.trace_id, llm.start_time, llm.span_id, llm.project_id) > ($5, $6, $7, $8) \
         AND ($1::integer IS NULL OR llm.project_id = $1) \
         ORDER BY llm.trace_id, llm.start_time, llm.span_id, llm.project_id LIMIT $2",
        LlmRow::TABLE.select_from("llm")
    )
});

/// The statements of this module.
pub(super) const STATEMENTS: &[&Statement] = &[&LLM_SPANS];

impl Piece<'_> {
    /// The rows that a statement finds. `$1` is the project, or NULL for all, `$2` the limit; `$3` and on are `others`.
    pub(super) async fn look(
        &self,
        statement: &'static Statement,
        others: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Vec<Row>, Error> {
        let (project, limit) = (self.scope.project.map(|ProjectId(id)| id), i64::from(self.limit));
        let mut parameters: Vec<(&(dyn ToSql + Sync), Type)> =
            vec![(&project, Type::INT4), (&limit, Type::INT8)];
        parameters.extend_from_slice(others);
        Ok(self.connection.query_typed(statement.sql(), &parameters).await?)
    }

    /// The next LLM spans.
    pub(super) async fn llm_spans(&self) -> Result<Vec<LlmRow>, Error> {
        let (from, until) = self.stretch.moments();
        // No trace has the id of zeros, so all rows lie behind it.
        let (trace, span, project) = self.cursor.key();
        let (trace, span, project) =
            (trace.unwrap_or_default(), span.unwrap_or_default(), project.unwrap_or_default());
        let start = moment(self.cursor.micros());
        let others: [(&(dyn ToSql + Sync), Type); 6] = [
            (&from, Type::TIMESTAMPTZ),
            (&until, Type::TIMESTAMPTZ),
            (&trace, Type::UUID),
            (&start, Type::TIMESTAMPTZ),
            (&span, Type::BYTEA),
            (&project, Type::INT4),
        ];
        read(&self.look(&LLM_SPANS, &others).await?)
    }
}

/// Rows of LLM spans.
pub(super) fn read(rows: &[Row]) -> Result<Vec<LlmRow>, Error> {
    rows.iter().map(|row| LlmRow::read(&mut Fields::of(row))).collect()
}
