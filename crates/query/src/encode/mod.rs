//! Rows as the OTLP that clients sent.
//!
//! A row becomes one OTLP record with the ids of its resource and scope ([`Encoded`]). [`Origins`] then groups
//! neighbours with the same resource and scope below these.

mod limit;
pub(crate) mod log;
pub(crate) mod metric;
pub(crate) mod trace;

use std::collections::HashMap;

use llm_observatory_core::ids::{ResourceId, ScopeId};
use llm_observatory_storage::models::attributes::{Attributes, Inconsistent};
use llm_observatory_storage::models::{ResourceRow, ScopeRow};
use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message as _;

pub use limit::ValueLimit;

/// One OTLP record, with its resource and scope.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Encoded<T> {
    /// The record.
    pub record: T,
    /// Resource of the record.
    pub resource_id: ResourceId,
    /// Instrumentation scope of the record.
    pub scope_id: ScopeId,
}

/// The resources and scopes of the records of one answer, by id.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origins {
    resources: HashMap<ResourceId, ResourceRow>,
    scopes: HashMap<ScopeId, ScopeRow>,
    limit: ValueLimit,
}

impl Origins {
    /// The origins with these rows. Their attribute values are cut to `limit`.
    pub(crate) fn new(
        resources: impl IntoIterator<Item = ResourceRow>,
        scopes: impl IntoIterator<Item = ScopeRow>,
        limit: ValueLimit,
    ) -> Self {
        Self {
            resources: resources.into_iter().map(|row| (row.id, row)).collect(),
            scopes: scopes.into_iter().map(|row| (row.id, row)).collect(),
            limit,
        }
    }

    /// A resource and its schema URL; `None` and an empty text if it is not stored.
    fn resource(&self, id: ResourceId) -> Result<(Option<Resource>, String), Inconsistent> {
        let Some(row) = self.resources.get(&id) else {
            return Ok((None, String::new()));
        };
        let resource = Resource {
            attributes: attributes(&row.attributes, self.limit)?,
            dropped_attributes_count: row.dropped_attributes_count,
            entity_refs: Resource::decode(&*row.entity_refs)?.entity_refs,
        };
        Ok((Some(resource), row.schema_url.to_string()))
    }

    /// A scope and its schema URL; `None` and an empty text if it is not stored.
    fn scope(&self, id: ScopeId) -> Result<(Option<InstrumentationScope>, String), Inconsistent> {
        let Some(row) = self.scopes.get(&id) else {
            return Ok((None, String::new()));
        };
        let scope = InstrumentationScope {
            name: row.name.to_string(),
            version: row.version.to_string(),
            attributes: attributes(&row.attributes, self.limit)?,
            dropped_attributes_count: row.dropped_attributes_count,
        };
        Ok((Some(scope), row.schema_url.to_string()))
    }
}

/// An attribute list with its values cut to `limit`.
fn attributes(columns: &Attributes, limit: ValueLimit) -> Result<Vec<KeyValue>, Inconsistent> {
    let mut attributes = Attributes::decode(&columns.json, Some(&columns.layout))?;
    limit.cut_attributes(&mut attributes);
    Ok(attributes)
}

/// The bytes of an id; empty for `None`.
fn id_bytes<const N: usize>(id: Option<&[u8; N]>) -> Vec<u8> {
    id.map_or_else(Vec::new, |bytes| bytes.to_vec())
}

/// Runs of neighbours with the same key, in their order. No run is empty.
fn runs<T, K: PartialEq>(items: Vec<T>, key: impl Fn(&T) -> K) -> Vec<(K, Vec<T>)> {
    let mut runs: Vec<(K, Vec<T>)> = Vec::new();
    for item in items {
        let of_item = key(&item);
        match runs.last_mut() {
            Some((of_run, run)) if *of_run == of_item => run.push(item),
            _ => runs.push((of_item, vec![item])),
        }
    }
    runs
}

#[cfg(test)]
mod tests;
