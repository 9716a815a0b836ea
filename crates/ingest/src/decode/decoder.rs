//! The state of decoding one request.

use bytes::Bytes;
use llm_observatory_core::ids::ProjectId;
use llm_observatory_core::text::Text;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_storage::models::Arena;
use uuid::Uuid;

use super::decoded::{Decoded, Undecodable};
use super::notes::{Limits, Notes};
use super::place::{Levels, Place, Source};
use super::rejection::Reason;

/// One request being decoded.
#[derive(Debug)]
pub struct Decoder<'a> {
    /// Its bytes; rows are slices of them.
    pub(crate) bytes: &'a Bytes,
    /// The project of the request.
    pub(crate) project_id: ProjectId,
    /// 128 bits of the BLAKE3 hash of its bytes.
    pub(crate) hash: Uuid,
    /// When it was received.
    pub(crate) received: UnixNanos,
    /// The JSON of all its attribute lists.
    pub(crate) arena: Arena,
    /// Rejections, elements and memory so far.
    pub(crate) notes: Notes,
    /// Number of records to make room for; 0 if it is not known.
    pub(crate) expected: usize,
    /// Where each record decoded so far stands in the request.
    pub(crate) sources: Vec<Source>,
}

impl<'a> Decoder<'a> {
    /// A decoder of a request that has decoded nothing yet.
    pub fn new(
        bytes: &'a Bytes,
        project_id: ProjectId,
        hash: Uuid,
        received: UnixNanos,
        limits: Limits,
    ) -> Self {
        // JSON is about as long as the wire form. A quarter more seldom has to grow.
        let arena = Arena::with_capacity(bytes.len() + bytes.len() / 4);
        Self {
            bytes,
            project_id,
            hash,
            received,
            arena,
            notes: Notes::new(limits),
            expected: 0,
            sources: Vec::new(),
        }
    }

    /// The same decoder, with room for this number of records.
    #[must_use]
    pub fn expecting(mut self, records: usize) -> Self {
        self.expected = records;
        self.sources.reserve_exact(records);
        self
    }

    /// Counts a decoded record whose rows take `held` bytes, and remembers where it stands.
    pub(crate) fn decoded(&mut self, place: Place, message: &[u8], held: usize) {
        // A request is at most 1 GiB, and the record lies within it.
        let start = (message.as_ptr().addr() - self.bytes.as_ptr().addr()) as u32;
        self.sources.push(Source { place, start, length: message.len() as u32 });
        self.notes.hold(held + size_of::<Source>());
    }

    /// Returns [`Undecodable::Outgrown`] once the rows take more memory than their allowance.
    pub(crate) fn within_allowance(&self) -> Result<(), Undecodable> {
        if self.notes.outgrown() { Err(Undecodable::Outgrown) } else { Ok(()) }
    }

    /// Rejects the record at `place`, whose bytes are `message`.
    pub(crate) fn reject(&mut self, reason: Reason, place: Place, levels: Levels, message: &[u8]) {
        self.notes.rejections.reject(reason, || (place.named(levels), self.bytes.slice_ref(message)));
    }

    /// A text field as PostgreSQL can hold it: invalid UTF-8 and NUL become U+FFFD.
    pub(super) fn text(&mut self, field: &[u8]) -> Text {
        let text = Text::from_wire(self.bytes, field);
        let is_shared = field.is_empty() || text.as_bytes().as_ptr() == field.as_ptr();
        if !is_shared {
            self.notes.rejections.mended_texts += 1;
            self.notes.hold(text.as_bytes().len()); // a copy of its own
        }
        text
    }

    /// The decoded request, whose rows are `batch`.
    pub(super) fn finish<B>(self, batch: B) -> Decoded<B> {
        Decoded { batch, sources: self.sources, rejections: self.notes.rejections }
    }
}
