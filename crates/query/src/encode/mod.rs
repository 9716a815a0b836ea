//! Rows into the OTLP that was sent.

pub mod log;
pub mod metric;
pub mod trace;

use std::collections::HashMap;

use llm_observatory_core::ids::{ResourceId, ScopeId};
use llm_observatory_storage::models::attributes::{Attributes, Inconsistent};
use llm_observatory_storage::models::{ResourceRow, ScopeRow};
use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message as _;

/// Resources and scopes by id.
#[derive(Debug, Clone, Default)]
pub struct Dictionary {
    resources: HashMap<ResourceId, ResourceRow>,
    scopes: HashMap<ScopeId, ScopeRow>,
}

impl Dictionary {
    /// A dictionary of these rows.
    pub fn new(
        resources: impl IntoIterator<Item = ResourceRow>,
        scopes: impl IntoIterator<Item = ScopeRow>,
    ) -> Self {
        Self {
            resources: resources.into_iter().map(|row| (row.id, row)).collect(),
            scopes: scopes.into_iter().map(|row| (row.id, row)).collect(),
        }
    }

    /// A resource and its schema URL; none when it is not stored.
    fn resource(&self, id: ResourceId) -> Result<(Option<Resource>, String), Inconsistent> {
        let Some(row) = self.resources.get(&id) else {
            return Ok((None, String::new()));
        };
        let resource = Resource {
            attributes: attributes(&row.attributes)?,
            dropped_attributes_count: row.dropped_attributes_count,
            entity_refs: Resource::decode(&*row.entity_refs)?.entity_refs,
        };
        Ok((Some(resource), row.schema_url.to_string()))
    }

    /// A scope and its schema URL; none when it is not stored.
    fn scope(&self, id: ScopeId) -> Result<(Option<InstrumentationScope>, String), Inconsistent> {
        let Some(row) = self.scopes.get(&id) else {
            return Ok((None, String::new()));
        };
        let scope = InstrumentationScope {
            name: row.name.to_string(),
            version: row.version.to_string(),
            attributes: attributes(&row.attributes)?,
            dropped_attributes_count: row.dropped_attributes_count,
        };
        Ok((Some(scope), row.schema_url.to_string()))
    }
}

fn attributes(columns: &Attributes) -> Result<Vec<KeyValue>, Inconsistent> {
    Attributes::decode(&columns.json, Some(&columns.layout))
}

/// The bytes of an id; none for none.
fn id_bytes<const N: usize>(id: Option<&[u8; N]>) -> Vec<u8> {
    id.map_or_else(Vec::new, |bytes| bytes.to_vec())
}

#[cfg(test)]
mod tests;
