//! Resources and scopes: what a group of records has in common.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;

use bytes::Bytes;
use llm_observatory_core::attributes::Attribute;
use llm_observatory_core::ids::{ResourceId, ScopeId};
use llm_observatory_core::text::Text;
use llm_observatory_storage::models::{ResourceRow, ScopeRow};
use opentelemetry_proto::tonic::common::v1::EntityRef;
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message as _;

use super::decoded::Undecodable;
use super::decoder::Decoder;
use super::place::Place;
use super::value;
use crate::wire::{Fields, Malformed};

/// What the records of one group have in common.
pub(super) struct Owner {
    pub(super) resource: ResourceId,
    pub(super) scope: ScopeId,
    pub(super) service: Text,
    pub(super) scope_name: Text,
    pub(super) scope_version: Text,
}

impl Owner {
    fn of(
        resource: &Result<ResourceRow, Malformed>,
        scope: &Result<ScopeRow, Malformed>,
    ) -> Result<Self, Malformed> {
        let (resource, scope) =
            (resource.as_ref().map_err(|error| *error)?, scope.as_ref().map_err(|error| *error)?);
        Ok(Self {
            resource: resource.id,
            scope: scope.id,
            service: resource.service_name.clone(),
            scope_name: scope.name.clone(),
            scope_version: scope.version.clone(),
        })
    }
}

/// Calls `visit` for every record of a request, and returns the distinct resources and scopes of the records. For a
/// record whose resource or scope is malformed, `visit` gets that error instead of an owner.
pub(super) fn each_record<'a>(
    decoder: &mut Decoder<'a>,
    mut visit: impl FnMut(Result<&Owner, Malformed>, Place, &'a [u8], &mut Decoder<'a>),
) -> Result<(Vec<ResourceRow>, Vec<ScopeRow>), Undecodable> {
    let mut resources = Distinct::default();
    let mut scopes = Distinct::default();
    let mut groups = 0_u32..;
    for field in Fields::of(decoder.bytes) {
        let field = field?;
        if field.number != 1 {
            continue;
        }
        let r = groups.next().unwrap_or_default();
        let group = Group::read(field.bytes()?)?;
        let resource = group.resource(decoder);
        for (s, inner) in group.items() {
            let inner = Group::read(inner)?;
            let scope = inner.scope(decoder);
            let owner = Owner::of(&resource, &scope);
            for (n, record) in inner.items() {
                decoder.notes.begin_record();
                visit(
                    owner.as_ref().map_err(|malformed| *malformed),
                    Place { resource: r, scope: s, record: n, point: None },
                    record,
                    decoder,
                );
                decoder.within_allowance()?;
            }
            if let Ok(scope) = scope
                && let Some(scope) = scopes.insert(scope.id, || scope)
            {
                decoder.notes.hold(size_of::<ScopeRow>() + scope.attributes.bytes());
                decoder.within_allowance()?;
            }
        }
        if let Ok(resource) = resource
            && let Some(resource) = resources.insert(resource.id, || resource)
        {
            let texts = resource.service_name.len() + resource.entity_refs.len();
            decoder.notes.hold(size_of::<ResourceRow>() + resource.attributes.bytes() + texts);
            decoder.within_allowance()?;
        }
    }
    Ok((resources.into_rows(), scopes.into_rows()))
}

/// One group of either level: `resource_spans`, `scope_spans`, and their counterparts in the other signals.
///
/// Field numbers are the same in all of them: 1 is the resource or scope, 2 the groups or records within, 3 the schema.
struct Group<'a> {
    head: &'a [u8],
    schema_url: &'a [u8],
    message: &'a [u8],
}

impl<'a> Group<'a> {
    fn read(message: &'a [u8]) -> Result<Self, Malformed> {
        let mut group = Self { head: &[], schema_url: &[], message };
        for field in Fields::of(message) {
            let field = field?;
            match field.number {
                1 => group.head = field.bytes()?,
                2 => _ = field.bytes()?,
                3 => group.schema_url = field.bytes()?,
                _ => {}
            }
        }
        Ok(group)
    }

    /// The groups or records within, in order, each with its index.
    fn items(&self) -> impl Iterator<Item = (u32, &'a [u8])> + use<'a> {
        // The framing was checked when the group was read.
        (0..).zip(
            Fields::of(self.message)
                .filter_map(|field| field.ok().filter(|field| field.number == 2)?.bytes().ok()),
        )
    }

    /// The resource of the group.
    fn resource(&self, decoder: &mut Decoder<'a>) -> Result<ResourceRow, Malformed> {
        decoder.notes.begin_record();
        let mut attributes = Vec::new();
        let mut dropped = 0;
        let mut entities = Resource::default();
        for field in Fields::of(self.head) {
            let field = field?;
            match field.number {
                1 => attributes.push(value::attribute(field.bytes()?, &mut decoder.notes)?),
                2 => dropped = field.u32()?,
                3 => {
                    decoder.notes.elements(1)?;
                    entities.entity_refs.push(entity_ref(field.bytes()?, decoder)?);
                }
                _ => {}
            }
        }
        let schema_url = decoder.text(self.schema_url);
        let entity_refs = Bytes::from(entities.encode_to_vec());
        Ok(ResourceRow::new(decoder.project_id, &attributes, dropped, schema_url, entity_refs))
    }

    /// The scope of the group.
    fn scope(&self, decoder: &mut Decoder<'a>) -> Result<ScopeRow, Malformed> {
        decoder.notes.begin_record();
        let mut attributes: Vec<Attribute<'a>> = Vec::new();
        let mut dropped = 0;
        let (mut name, mut version) = (Text::EMPTY, Text::EMPTY);
        for field in Fields::of(self.head) {
            let field = field?;
            match field.number {
                1 => name = decoder.text(field.bytes()?),
                2 => version = decoder.text(field.bytes()?),
                3 => attributes.push(value::attribute(field.bytes()?, &mut decoder.notes)?),
                4 => dropped = field.u32()?,
                _ => {}
            }
        }
        let schema_url = decoder.text(self.schema_url);
        Ok(ScopeRow::new(decoder.project_id, name, version, &attributes, dropped, schema_url))
    }
}

fn entity_ref(message: &[u8], decoder: &mut Decoder<'_>) -> Result<EntityRef, Malformed> {
    let mut entity = EntityRef::default();
    for field in Fields::of(message) {
        let field = field?;
        let mut text = || Ok(value::string(field.bytes()?, &mut decoder.notes).into_owned());
        match field.number {
            1 => entity.schema_url = text()?,
            2 => entity.r#type = text()?,
            3 => entity.id_keys.push(text()?),
            4 => entity.description_keys.push(text()?),
            _ => {}
        }
    }
    Ok(entity)
}

/// Dictionary rows of one request, each once.
#[derive(Debug)]
pub(super) struct Distinct<K, R> {
    rows: HashMap<K, R>,
}

impl<K, R> Default for Distinct<K, R> {
    fn default() -> Self {
        Self { rows: HashMap::new() }
    }
}

impl<K: Hash + Eq, R> Distinct<K, R> {
    /// Adds the row of `id` unless it is there already; returns the row if it is new.
    pub(super) fn insert(&mut self, id: K, row: impl FnOnce() -> R) -> Option<&R> {
        match self.rows.entry(id) {
            Entry::Occupied(_) => None,
            Entry::Vacant(place) => Some(place.insert(row())),
        }
    }

    pub(super) fn into_rows(self) -> Vec<R> {
        self.rows.into_values().collect()
    }
}
