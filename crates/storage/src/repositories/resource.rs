//! Reading the dictionaries that all signals share.

use llm_observatory_core::ids::{ProjectId, ResourceId, ScopeId};

use super::fields::{Fields, Read, parameters};
use super::read::{Reader, Statement};
use super::{repository, statement};
use crate::error::Error;
use crate::models::row::Row as _;
use crate::models::{ResourceRow, ScopeRow};

/// The statements of this module.
pub const STATEMENTS: &[(&str, &str)] = &[RESOURCES, SCOPES];

const RESOURCES: Statement = statement!(
    "resource: by id",
    "SELECT id, project_id, service_name, attributes, attributes_layout, dropped_attributes_count, schema_url, entity_refs ",
    "FROM resources WHERE id = ANY ($1) AND project_id = $2",
);
const SCOPES: Statement = statement!(
    "scope: by id",
    "SELECT id, project_id, name, version, attributes, attributes_layout, dropped_attributes_count, schema_url ",
    "FROM scopes WHERE id = ANY ($1) AND project_id = $2",
);

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
        self.reader.rows(RESOURCES, parameters![ids, self.reader.project.0]).await
    }

    /// The scopes of these ids, in any order; those that are not stored are left out.
    ///
    /// # Errors
    /// What PostgreSQL says.
    pub async fn scopes(&self, ids: &[ScopeId]) -> Result<Vec<ScopeRow>, Error> {
        let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
        self.reader.rows(SCOPES, parameters![ids, self.reader.project.0]).await
    }
}

impl Read for ResourceRow {
    const COLUMNS: &'static [&'static str] = Self::TABLE.columns;

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            id: ResourceId(fields.take()?),
            project_id: ProjectId(fields.take()?),
            service_name: fields.text()?,
            attributes: fields.attributes()?,
            dropped_attributes_count: fields.count32()?,
            schema_url: fields.text()?,
            entity_refs: fields.bytes()?,
        })
    }
}

impl Read for ScopeRow {
    const COLUMNS: &'static [&'static str] = Self::TABLE.columns;

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            id: ScopeId(fields.take()?),
            project_id: ProjectId(fields.take()?),
            name: fields.text()?,
            version: fields.text()?,
            attributes: fields.attributes()?,
            dropped_attributes_count: fields.count32()?,
            schema_url: fields.text()?,
        })
    }
}
