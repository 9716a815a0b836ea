//! The dictionary rows that all signals share: resources and scopes.

use bytes::Bytes;
use llm_observatory_core::attributes::{Attribute, Value, find};
use llm_observatory_core::ids::{ProjectId, ResourceId, ScopeId};
use llm_observatory_core::text::Text;
use uuid::Uuid;

use super::attributes::{Attributes, canonical};
use super::column::{ByteaOrNull, Count32, Id, Int4, Jsonb, Varchar};
use super::row::row;

/// The id of a dictionary row: 128 bits of the BLAKE3 hash of the parts of its content. The length of each part is
/// hashed before it, so that different lists of parts never give the same input.
pub(super) fn content_id(parts: &[&[u8]]) -> Uuid {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let mut id = [0; 16];
    hasher.finalize_xof().fill(&mut id);
    Uuid::from_bytes(id)
}

/// A row of `resources`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceRow {
    /// Hash of the canonical content.
    pub id: ResourceId,
    /// Project of the resource.
    pub project_id: ProjectId,
    /// The attribute `service.name`, or empty.
    pub service_name: Text,
    /// Attributes of the resource.
    pub attributes: Attributes,
    /// Number of attributes that the client dropped.
    pub dropped_attributes_count: u32,
    /// URL of the schema of the resource, or empty.
    pub schema_url: Text,
    /// Entity references, as an encoded OTLP `Resource` with nothing else set; empty for none.
    pub entity_refs: Bytes,
}

impl ResourceRow {
    /// The resource with this content, its id and its service name.
    pub fn new(
        project_id: ProjectId,
        attributes: &[Attribute<'_>],
        dropped_attributes_count: u32,
        schema_url: Text,
        entity_refs: Bytes,
    ) -> Self {
        let id = content_id(&[
            b"resource",
            &canonical(attributes),
            &dropped_attributes_count.to_le_bytes(),
            schema_url.as_bytes(),
            &entity_refs,
        ]);
        let service_name = find(attributes, "service.name").and_then(Value::as_str).map(Text::from);
        Self {
            id: ResourceId(id),
            project_id,
            service_name: service_name.unwrap_or_default(),
            attributes: Attributes::jsonb(attributes),
            dropped_attributes_count,
            schema_url,
            entity_refs,
        }
    }

    /// The resource with `service.name` as its only attribute.
    pub fn of_service(project_id: ProjectId, service_name: &str) -> Self {
        Self::new(project_id, &[Attribute::new("service.name", service_name)], 0, Text::EMPTY, Bytes::new())
    }
}

row! {
    ResourceRow, "resources", |resource|
    [
        id: Id = resource.id.0,
        project_id: Int4 = resource.project_id.0,
        service_name: Varchar = &resource.service_name,
        attributes: Jsonb = &resource.attributes.json,
        attributes_layout: ByteaOrNull = &resource.attributes.layout,
        dropped_attributes_count: Count32 = resource.dropped_attributes_count,
        schema_url: Varchar = &resource.schema_url,
        entity_refs: ByteaOrNull = &resource.entity_refs,
    ]
    read Ok(Self {
        id: ResourceId(id),
        project_id: ProjectId(project_id),
        service_name,
        attributes: Attributes { json: attributes, layout: attributes_layout },
        dropped_attributes_count,
        schema_url,
        entity_refs,
    })
}

/// A row of `scopes`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeRow {
    /// Hash of the canonical content.
    pub id: ScopeId,
    /// Project of the scope.
    pub project_id: ProjectId,
    /// Name of the instrumentation scope.
    pub name: Text,
    /// Version of the instrumentation scope.
    pub version: Text,
    /// Attributes of the scope.
    pub attributes: Attributes,
    /// Number of attributes that the client dropped.
    pub dropped_attributes_count: u32,
    /// URL of the schema of the scope and its records, or empty.
    pub schema_url: Text,
}

impl ScopeRow {
    /// The scope with this content, and its id.
    pub fn new(
        project_id: ProjectId,
        name: Text,
        version: Text,
        attributes: &[Attribute<'_>],
        dropped_attributes_count: u32,
        schema_url: Text,
    ) -> Self {
        let id = content_id(&[
            b"scope",
            name.as_bytes(),
            version.as_bytes(),
            &canonical(attributes),
            &dropped_attributes_count.to_le_bytes(),
            schema_url.as_bytes(),
        ]);
        let attributes = Attributes::jsonb(attributes);
        Self { id: ScopeId(id), project_id, name, version, attributes, dropped_attributes_count, schema_url }
    }

    /// The scope with a name and nothing else.
    pub fn named(project_id: ProjectId, name: &str) -> Self {
        Self::new(project_id, name.into(), Text::EMPTY, &[], 0, Text::EMPTY)
    }
}

row! {
    ScopeRow, "scopes", |scope|
    [
        id: Id = scope.id.0,
        project_id: Int4 = scope.project_id.0,
        name: Varchar = &scope.name,
        version: Varchar = &scope.version,
        attributes: Jsonb = &scope.attributes.json,
        attributes_layout: ByteaOrNull = &scope.attributes.layout,
        dropped_attributes_count: Count32 = scope.dropped_attributes_count,
        schema_url: Varchar = &scope.schema_url,
    ]
    read Ok(Self {
        id: ScopeId(id),
        project_id: ProjectId(project_id),
        name,
        version,
        attributes: Attributes { json: attributes, layout: attributes_layout },
        dropped_attributes_count,
        schema_url,
    })
}
