//! The prices that people set.

use super::LlmRepository;
use crate::error::Error;
use crate::models::PriceRow;
use crate::models::row::Row as _;
use crate::repositories::page::MAX_ROWS;
use crate::repositories::parameter::parameters;
use crate::statement::Statement;

/// The statements of this module.
pub(super) const STATEMENTS: &[&Statement] = &[&COUNTING, &WITH_ID];

/// `$1` project, `$2` limit.
static COUNTING: Statement = Statement::composed("llm: prices", || {
    format!(
        "SELECT {} FROM model_prices WHERE replaced_at IS NULL AND (project_id IS NULL OR project_id = $1) \
         ORDER BY id LIMIT $2",
        PriceRow::TABLE.select()
    )
});
/// `$1` project, `$2` id.
static WITH_ID: Statement = Statement::composed("llm: price with id", || {
    format!(
        "SELECT {} FROM model_prices WHERE id = $2 AND (project_id IS NULL OR project_id = $1) \
         ORDER BY created_at DESC LIMIT 1",
        PriceRow::TABLE.select()
    )
});

impl LlmRepository {
    /// The prices that people set and that count, for the project and for all, in any order; at most [`MAX_ROWS`].
    ///
    /// Cost: reads the table, which is small.
    ///
    /// # Errors
    /// Those of [`Self::list`].
    pub async fn prices(&self) -> Result<Vec<PriceRow>, Error> {
        self.reader.rows(&COUNTING, parameters![self.reader.project.0, MAX_ROWS as i64]).await
    }

    /// The price with this id, for the project or for all, whether it counts or was replaced; `None` if people set none.
    ///
    /// # Errors
    /// Those of [`Self::list`].
    pub async fn price(&self, id: i64) -> Result<Option<PriceRow>, Error> {
        self.reader.row(&WITH_ID, parameters![self.reader.project.0, id]).await
    }
}
