//! The prices that people set.

use std::sync::Arc;

use llm_observatory_genai::prices::PriceBook;

use super::LlmRepository;
use crate::error::Error;
use crate::models::PriceRow;
use crate::models::row::Row as _;
use crate::repositories::parameter::parameters;
use crate::statement::Statement;

/// The statements of this module.
pub(super) const STATEMENTS: &[&Statement] = &[&WITH_ID];

/// `$1` project, `$2` id.
static WITH_ID: Statement = Statement::composed("llm: price with id", || {
    format!(
        "SELECT {} FROM model_prices WHERE id = $2 AND (project_id IS NULL OR project_id = $1) \
         ORDER BY created_at DESC LIMIT 1",
        PriceRow::TABLE.select()
    )
});

impl LlmRepository {
    /// The prices of this moment, those that people set over the catalogue: the ones by which writers compute costs.
    ///
    /// Cost: looks whether prices changed since they were last read.
    ///
    /// # Errors
    /// Those of [`Self::list`].
    pub async fn price_book(&self) -> Result<Arc<PriceBook>, Error> {
        let pool = self.reader.pool();
        let client = pool.get().await?;
        pool.prices().now(&client).await
    }

    /// The price with this id, for the project or for all, whether it counts or was replaced; `None` if people set none.
    ///
    /// # Errors
    /// Those of [`Self::list`].
    pub async fn price(&self, id: i64) -> Result<Option<PriceRow>, Error> {
        self.reader.row(&WITH_ID, parameters![self.reader.project.0, id]).await
    }
}
