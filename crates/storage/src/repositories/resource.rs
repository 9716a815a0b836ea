//! Reading the dictionaries that all signals share.

use llm_observatory_core::ids::{ResourceId, ScopeId};

use super::parameter::parameters;
use super::read::Reader;
use super::repository::repository;
use crate::error::Error;
use crate::models::row::Row as _;
use crate::models::{ResourceRow, ScopeRow};
use crate::statement::Statement;

/// The statements of this module.
pub(super) const STATEMENTS: &[&Statement] = &[&RESOURCES, &SCOPES];

static RESOURCES: Statement = Statement::composed("resource: by id", || {
    format!("SELECT {} FROM resources WHERE id = ANY ($1) AND project_id = $2", ResourceRow::TABLE.select())
});
static SCOPES: Statement = Statement::composed("scope: by id", || {
    format!("SELECT {} FROM scopes WHERE id = ANY ($1) AND project_id = $2", ScopeRow::TABLE.select())
});

/// Reads resources and scopes.
#[derive(Debug, Clone)]
pub struct ResourceRepository {
    reader: Reader,
}

repository!(ResourceRepository);

impl ResourceRepository {
    /// The resources of these ids, in any order; those that are not stored are left out.
    ///
    /// # Errors
    /// What PostgreSQL says.
    pub async fn resources(&self, ids: &[ResourceId]) -> Result<Vec<ResourceRow>, Error> {
        let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
        self.reader.rows(&RESOURCES, parameters![ids, self.reader.project.0]).await
    }

    /// The scopes of these ids, in any order; those that are not stored are left out.
    ///
    /// # Errors
    /// What PostgreSQL says.
    pub async fn scopes(&self, ids: &[ScopeId]) -> Result<Vec<ScopeRow>, Error> {
        let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
        self.reader.rows(&SCOPES, parameters![ids, self.reader.project.0]).await
    }
}
