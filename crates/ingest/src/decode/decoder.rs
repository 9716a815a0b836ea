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
    /// 128 bits of the hash of its bytes.
    pub(crate) hash: Uuid,
    /// When it was received.
    pub(crate) received: UnixNanos,
    /// The JSON of all its attribute lists.
    pub(crate) arena: Arena,
    /// What is noted while decoding.
    pub(crate) notes: Notes,
    /// The number of records, if that is known.
    pub(crate) expected: usize,
    /// Where the records stand that were decoded until now.
    pub(crate) sources: Vec<Source>,
}

impl<'a> Decoder<'a> {
    /// A decoder of these bytes.
    pub fn new(
        bytes: &'a Bytes,
        project_id: ProjectId,
        hash: Uuid,
        received: UnixNanos,
        limits: Limits,
    ) -> Self {
        // JSON is about as long as the wire form; a little more saves growing.
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

    /// The same, with room for this number of records.
    #[must_use]
    pub fn expecting(mut self, records: usize) -> Self {
        self.expected = records;
        self.sources.reserve_exact(records);
        self
    }

    /// Notes a record whose rows take `held` bytes.
    pub(crate) fn decoded(&mut self, place: Place, message: &[u8], held: usize) {
        // A request is at most 1 GiB, and the record lies within it.
        let start = (message.as_ptr().addr() - self.bytes.as_ptr().addr()) as u32;
        self.sources.push(Source { place, start, length: message.len() as u32 });
        self.notes.hold(held + size_of::<Source>());
    }

    /// [`Undecodable::Outgrown`] once the rows take more memory than was allowed for.
    pub(crate) fn within_allowance(&self) -> Result<(), Undecodable> {
        if self.notes.outgrown() { Err(Undecodable::Outgrown) } else { Ok(()) }
    }

    /// Rejects a record.
    pub(crate) fn reject(&mut self, reason: Reason, place: Place, levels: Levels, message: &[u8]) {
        self.notes.rejections.reject(reason, || (place.named(levels), self.bytes.slice_ref(message)));
    }

    /// A text field as PostgreSQL can hold it.
    pub(super) fn text(&mut self, field: &[u8]) -> Text {
        let text = Text::from_wire(self.bytes, field);
        if text.as_bytes() != field {
            self.notes.rejections.mended_texts += 1;
            self.notes.hold(text.as_bytes().len()); // a copy of its own
        }
        text
    }
}

impl<'a> Decoder<'a> {
    /// The rows, and what of the request could not become rows.
    pub(super) fn finish<B>(self, batch: B) -> Decoded<B> {
        Decoded { batch, sources: self.sources, rejections: self.notes.rejections }
    }
}
