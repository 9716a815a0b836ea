//! The attributes that readings look at, found in one pass.

mod family;
mod keys;
mod table;

use llm_observatory_core::attributes::{Attribute, Value};
use llm_observatory_core::llm::Dialect;

use family::Family;
use keys::SLOTS;

pub(crate) use family::metadata_name;
pub(crate) use keys::Slot;
#[cfg(test)]
pub(crate) use keys::all_keys;

/// Most attributes that are noted as metadata; the rest is not read. A span that repeats keys costs no more than that.
const NOTED_ATTRIBUTES: usize = 256;

/// Most attributes that are looked at; the rest of a longer list is not read.
const MAX_ATTRIBUTES: usize = u16::MAX as usize / 2;

/// What a span's attributes hold, by slot.
pub(crate) struct Slots<'a> {
    /// For each slot the place of its attribute, plus one; zero if there is none. Places after the last attribute are in `more`.
    /// Two bytes a slot, since making and moving them is most of what a reading costs.
    places: [u16; SLOTS],
    attributes: &'a [Attribute<'a>],
    /// What events tell.
    more: Vec<&'a Value<'a>>,
    /// Attributes of metadata, in their order.
    pub(crate) metadata: Vec<&'a Attribute<'a>>,
    /// What the beginnings of keys told.
    pub(crate) marks: Marks,
}

/// What is there, though it is not read.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Marks {
    /// A key that only LLM dialects use.
    pub(crate) llm: bool,
    /// Messages, texts or completions.
    pub(crate) messages: bool,
    /// Embeddings.
    pub(crate) embedding: bool,
    /// A search for documents.
    pub(crate) retrieval: bool,
    /// Documents of a reranker.
    pub(crate) reranker: bool,
    /// A bit for each dialect with a key that only it has.
    owners: u32,
}

impl Marks {
    /// Whether a key without a slot is there that only this dialect has.
    pub(crate) fn owns(self, dialect: Dialect) -> bool {
        self.owners & 1 << dialect as u32 != 0
    }
}

/// Whether a key of an LLM dialect is among these. Spans of other libraries go no further than this.
pub(crate) fn speak_llm(attributes: &[Attribute<'_>]) -> bool {
    attributes.iter().any(|attribute| may_mark_llm(&attribute.key) && marks_llm(&attribute.key))
}

/// Whether the first letters of a key are those of a key of an LLM dialect. It keeps most others from being hashed.
fn may_mark_llm(key: &str) -> bool {
    matches!(
        key.as_bytes(),
        [b'g', b'e' | b'c', ..]
            | [b'l', b'l' | b'a' | b'i' | b'm', ..]
            | [b'a', b'i', b'.', ..]
            | [b'a', b'n', b't', b'h', ..]
            | [b'o', b'p', ..]
            | [b't', b'r', ..]
            | [b'e', b'm', ..]
            | [b'r', b'e', ..]
            | [b'm', b'l' | b'c', ..]
            | [b's', b'p', ..]
            | [b'd', b'b', b'.', b'v', ..]
            | [b'p', b'y', ..]
    )
}

fn marks_llm(key: &str) -> bool {
    match Slot::of(key) {
        Some(slot) => slot.marks_llm(),
        None => family::family(key).is_some_and(Family::marks_llm),
    }
}

impl<'a> Slots<'a> {
    /// The slots of these attributes. Of duplicates the last wins.
    pub(crate) fn of(attributes: &'a [Attribute<'a>]) -> Self {
        let attributes = &attributes[..attributes.len().min(MAX_ATTRIBUTES)];
        let mut slots = Self {
            places: [0; SLOTS],
            attributes,
            more: Vec::new(),
            metadata: Vec::new(),
            marks: Marks::default(),
        };
        for (place, attribute) in (1..).zip(attributes) {
            if let Some(slot) = Slot::of(&attribute.key) {
                slots.marks.llm |= slot.marks_llm();
                slots.places[slot as usize] = place;
            } else if let Some(family) = family::family(&attribute.key) {
                slots.note(family, attribute);
            }
        }
        slots
    }

    /// Takes from these attributes what is not there yet.
    pub(crate) fn complete(&mut self, attributes: &'a [Attribute<'a>]) {
        for attribute in attributes {
            let Some(slot) = Slot::of(&attribute.key) else { continue };
            // Each slot is filled once, so that these are fewer than there are slots.
            if self.places[slot as usize] == 0 && attribute.value != Value::Empty {
                self.more.push(&attribute.value);
                self.places[slot as usize] = (self.attributes.len() + self.more.len()) as u16;
            }
        }
    }

    /// What the slot holds.
    pub(crate) fn get(&self, slot: Slot) -> Option<&'a Value<'a>> {
        let place = usize::from(self.places[slot as usize]).checked_sub(1)?;
        match self.attributes.get(place) {
            Some(attribute) => Some(&attribute.value),
            None => self.more.get(place - self.attributes.len()).copied(),
        }
    }

    /// Whether the slot holds something, whatever it is.
    pub(crate) fn has(&self, slot: Slot) -> bool {
        self.places[slot as usize] != 0
    }

    fn note(&mut self, family: Family, attribute: &'a Attribute<'a>) {
        self.marks.llm |= family.marks_llm();
        match family {
            Family::Message => self.marks.messages = true,
            Family::Embedding => self.marks.embedding = true,
            Family::Retrieval => self.marks.retrieval = true,
            Family::Reranker => self.marks.reranker = true,
            Family::Metadata { .. } if self.metadata.len() < NOTED_ATTRIBUTES => {
                self.metadata.push(attribute)
            }
            Family::Own(dialect) => self.marks.owners |= 1 << dialect as u32,
            Family::Metadata { .. } | Family::Other => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_pass_finds_keys_and_families() {
        let attributes = [
            Attribute::new("gen_ai.request.model", "gpt-4"),
            Attribute::new("gen_ai.request.model", "gpt-4o"),
            Attribute::new("gen_ai.prompt.0.role", "user"),
            Attribute::new("langsmith.metadata.team", "blue"),
        ];
        let slots = Slots::of(&attributes);
        assert_eq!(slots.get(Slot::RequestModel), Some(&Value::from("gpt-4o")), "the last duplicate wins");
        assert!(slots.marks.llm && slots.marks.messages);
        assert_eq!(slots.metadata.len(), 1);
    }

    #[test]
    fn spans_of_other_libraries_go_no_further() {
        let attributes =
            [Attribute::new("http.request.method", "GET"), Attribute::new("db.query.text", "SELECT")];
        assert!(!speak_llm(&attributes));
        assert!(!speak_llm(&[Attribute::new("session.id", "s-1")]), "a session makes no LLM span");
        assert!(speak_llm(&[Attribute::new("a", 1), Attribute::new("gen_ai.new.key", 1)]));
    }

    #[test]
    fn no_key_of_an_llm_dialect_is_kept_out_by_its_first_letters() {
        for key in keys::llm_keys().chain(family::llm_prefixes()) {
            assert!(may_mark_llm(key), "{key}");
        }
    }

    #[test]
    fn completing_replaces_nothing() {
        let attributes = [Attribute::new("gen_ai.request.model", "gpt-4o")];
        let event =
            [Attribute::new("gen_ai.request.model", "other"), Attribute::new("gen_ai.usage.input_tokens", 4)];
        let mut slots = Slots::of(&attributes);
        slots.complete(&event);
        assert_eq!(slots.get(Slot::RequestModel), Some(&Value::from("gpt-4o")));
        assert_eq!(slots.get(Slot::InputTokens), Some(&Value::from(4)));
    }
}
