//! Tags and metadata: what the application noted beside the step.

use std::borrow::Cow;
use std::collections::BTreeMap;

use llm_observatory_core::attributes::{Attribute, Value};
use llm_observatory_core::text::Text;

use crate::json::structure;
use crate::seen::Seen;
use crate::slots::Slot::{self, *};
use crate::slots::metadata_name;
use crate::value;

/// Most entries of metadata that a reading has; further ones stay in the attributes.
pub(crate) const MAX_METADATA_ENTRIES: usize = 64;

/// Most bytes of metadata that a reading has, keys and values together.
pub(crate) const MAX_METADATA_BYTES: usize = 8 * 1024;

/// Most tags that a reading has.
pub(crate) const MAX_TAGS: usize = value::MAX_LIST;

/// Prefix of MLflow's tags, which have names and values.
const MLFLOW_TAG: &str = "mlflow.traceTag.";

/// Lists of tags.
const TAGS: &[Slot] = &[LangfuseTraceTags, LangfuseTags, TagTags, VercelTags, LangsmithTags, LogfireTags];

/// Maps of metadata, as such or as JSON.
const MAPS: &[Slot] = &[LangfuseMetadata, LangfuseTraceMetadata, Metadata];

/// The tags of all dialects, sorted, each once.
pub(crate) fn tags(seen: &Seen<'_>) -> Vec<Text> {
    let mut tags = Vec::new();
    for value in TAGS.iter().filter_map(|slot| seen.get(*slot)) {
        value::list(value, |tag| tags.push(Text::from(tag)));
    }
    for attribute in &seen.slots.metadata {
        if let Some(name) = attribute.key.strip_prefix(MLFLOW_TAG)
            && let Some(value) = value::text(&attribute.value)
        {
            tags.push(Text::from(format!("{name}:{value}")));
        }
    }
    tags.sort_unstable();
    tags.dedup();
    tags.truncate(MAX_TAGS);
    tags
}

/// The metadata of all dialects, sorted by key, each key once. An attribute of its own wins over an entry of a map. Keys and
/// values beyond the limits are left out, the small ones of each source first come.
pub(crate) fn metadata(seen: &Seen<'_>) -> Vec<Attribute<'static>> {
    let mut room = Room::default();
    for attribute in &seen.slots.metadata {
        if attribute.key.starts_with(MLFLOW_TAG) {
            continue;
        }
        if let Some(name) = metadata_name(&attribute.key) {
            room.put(name, &attribute.value);
        }
    }
    for slot in MAPS {
        if let Some(map) = seen.get(*slot).and_then(structure)
            && let Value::Map(entries) = &*map
        {
            entries.iter().for_each(|entry| room.put(&entry.key, &entry.value));
        }
    }
    room.entries.into_iter().map(|(key, value)| Attribute { key: Cow::Owned(key), value }).collect()
}

/// Metadata so far.
#[derive(Default)]
struct Room {
    entries: BTreeMap<String, Value<'static>>,
    bytes: usize,
}

impl Room {
    /// Takes an entry, if there is room for it and its key is new.
    fn put(&mut self, key: &str, value: &Value<'_>) {
        if key.is_empty() || *value == Value::Empty || self.entries.len() == MAX_METADATA_ENTRIES {
            return;
        }
        let left = MAX_METADATA_BYTES - self.bytes;
        let Some(bytes) = left.checked_sub(key.len()).and_then(|left| size(value, left)) else { return };
        if !self.entries.contains_key(key) {
            self.bytes += key.len() + bytes;
            // Langfuse and MLflow send texts as JSON.
            let value = value::unquoted(value).map_or_else(|| value.to_static(), Value::Str);
            self.entries.insert(key.to_owned(), value);
        }
    }
}

/// The bytes of a value, if they are at most `limit`.
fn size(value: &Value<'_>, limit: usize) -> Option<usize> {
    let bytes = match value {
        Value::Empty | Value::Bool(_) | Value::Int(_) | Value::Double(_) => 8,
        Value::Str(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::Array(values) => {
            values.iter().try_fold(8, |sum, value| Some(sum + size(value, limit.checked_sub(sum)?)?))?
        }
        Value::Map(entries) => entries.iter().try_fold(8, |sum, entry| {
            Some(sum + entry.key.len() + size(&entry.value, limit.checked_sub(sum + entry.key.len())?)?)
        })?,
    };
    (bytes <= limit).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::span;

    #[test]
    fn metadata_has_limits() {
        let keys: Vec<String> = (0..200).map(|number| format!("langsmith.metadata.k{number:03}")).collect();
        let mut attributes: Vec<Attribute<'_>> =
            keys.iter().map(|key| Attribute::new(key.as_str(), "v")).collect();
        attributes.insert(0, Attribute::new("langsmith.metadata.huge", "x".repeat(1_000_000)));
        let reading = span("langsmith", "x", &attributes).unwrap();
        assert_eq!(reading.metadata.len(), MAX_METADATA_ENTRIES);
        assert!(reading.metadata.iter().all(|entry| entry.key != "huge"));
        assert!(reading.metadata.is_sorted_by_key(|entry| entry.key.clone()));
    }

    #[test]
    fn a_key_of_its_own_wins_over_a_map() {
        let attributes = [
            Attribute::new("openinference.span.kind", "LLM"),
            Attribute::new("metadata", r#"{"team": "map", "deep": {"a": [1]}, "none": null}"#),
            Attribute::new("langsmith.metadata.team", "key"),
        ];
        let reading = span("", "x", &attributes).unwrap();
        let deep = Value::Map(vec![Attribute::new("a", vec![Value::Int(1)])]);
        assert_eq!(
            reading.metadata,
            [Attribute { key: "deep".into(), value: deep }, Attribute::new("team", "key")]
        );
    }

    #[test]
    fn tags_are_a_union() {
        let attributes = [
            Attribute::new("openinference.span.kind", "LLM"),
            Attribute::new("tag.tags", "[\"b\", \"a\"]"),
            Attribute::new("langfuse.trace.tags", vec![Value::from("c"), Value::from("a")]),
        ];
        assert_eq!(span("", "x", &attributes).unwrap().tags, ["a".into(), "b".into(), "c".into()]);
    }
}
