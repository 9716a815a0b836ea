//! The attributes that readings look at, found in one pass.

mod family;
mod keys;

use llm_observatory_core::attributes::{Attribute, Value};

use family::Family;
use keys::SLOTS;

pub(crate) use family::metadata_name;
pub(crate) use keys::Slot;

/// Most attributes that are noted as metadata; the rest is not read. A span that repeats keys costs no more than that.
const NOTED_ATTRIBUTES: usize = 256;

/// What a span's attributes hold, by slot.
pub(crate) struct Slots<'a> {
    values: [Option<&'a Value<'a>>; SLOTS],
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
}

impl<'a> Slots<'a> {
    fn new() -> Self {
        Self { values: [None; SLOTS], metadata: Vec::new(), marks: Marks::default() }
    }

    /// The slots of these attributes; `None` if readings look at none of them. Of duplicates the last wins.
    pub(crate) fn of(attributes: &'a [Attribute<'a>]) -> Option<Self> {
        // Spans of other libraries have no slots, and do not pay for making them.
        let mut slots = None;
        for attribute in attributes {
            if let Some(slot) = Slot::of(&attribute.key) {
                slots.get_or_insert_with(Self::new).put(slot, &attribute.value);
            } else if let Some(family) = family::family(&attribute.key) {
                slots.get_or_insert_with(Self::new).note(family, attribute);
            }
        }
        slots
    }

    /// Slots of nothing.
    pub(crate) fn empty() -> Self {
        Self::new()
    }

    /// Takes from these attributes what is not there yet.
    pub(crate) fn complete(&mut self, attributes: &'a [Attribute<'a>]) {
        for attribute in attributes {
            if let Some(slot) = Slot::of(&attribute.key) {
                let place = &mut self.values[slot as usize];
                if place.is_none() {
                    *place = Some(&attribute.value);
                }
            }
        }
    }

    /// What the slot holds.
    pub(crate) fn get(&self, slot: Slot) -> Option<&'a Value<'a>> {
        self.values[slot as usize]
    }

    /// Whether the slot holds something, whatever it is.
    pub(crate) fn has(&self, slot: Slot) -> bool {
        self.get(slot).is_some()
    }

    fn put(&mut self, slot: Slot, value: &'a Value<'a>) {
        self.marks.llm |= slot.marks_llm();
        self.values[slot as usize] = Some(value);
    }

    fn note(&mut self, family: Family, attribute: &'a Attribute<'a>) {
        self.marks.llm |= !matches!(family, Family::Metadata { marks_llm: false, .. });
        match family {
            Family::Message => self.marks.messages = true,
            Family::Embedding => self.marks.embedding = true,
            Family::Retrieval => self.marks.retrieval = true,
            Family::Reranker => self.marks.reranker = true,
            Family::Metadata { .. } if self.metadata.len() < NOTED_ATTRIBUTES => {
                self.metadata.push(attribute)
            }
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
        let slots = Slots::of(&attributes).unwrap();
        assert_eq!(slots.get(Slot::RequestModel), Some(&Value::from("gpt-4o")), "the last duplicate wins");
        assert!(slots.marks.llm && slots.marks.messages);
        assert_eq!(slots.metadata.len(), 1);
    }

    #[test]
    fn spans_of_other_libraries_have_no_slots() {
        let attributes =
            [Attribute::new("http.request.method", "GET"), Attribute::new("db.statement", "SELECT")];
        assert!(Slots::of(&attributes).is_none());
        let session = [Attribute::new("session.id", "s-1")];
        assert!(!Slots::of(&session).unwrap().marks.llm, "a session makes no LLM span");
    }

    #[test]
    fn completing_replaces_nothing() {
        let attributes = [Attribute::new("gen_ai.request.model", "gpt-4o")];
        let event =
            [Attribute::new("gen_ai.request.model", "other"), Attribute::new("gen_ai.usage.input_tokens", 4)];
        let mut slots = Slots::of(&attributes).unwrap();
        slots.complete(&event);
        assert_eq!(slots.get(Slot::RequestModel), Some(&Value::from("gpt-4o")));
        assert_eq!(slots.get(Slot::InputTokens), Some(&Value::from(4)));
    }
}
