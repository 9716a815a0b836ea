//! OTLP requests to rows, straight from the wire.
//!
//! Decoding is forgiving where a strict decoder would lose data: invalid UTF-8 becomes U+FFFD, a value that is nested too
//! deep is cut, a record that can't be stored is rejected alone and named. Only a request whose outer framing is broken is
//! refused as a whole.

mod census;
mod log;
mod metric;
mod notes;
mod place;
mod rejection;
mod resource;
mod trace;
mod value;

use bytes::Bytes;
use llm_observatory_core::ids::ProjectId;
use llm_observatory_core::text::Text;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_storage::models::Arena;
use uuid::Uuid;

use crate::wire::Malformed;

pub use census::Census;
pub use log::{LEVELS as LOG_LEVELS, decode as logs};
pub use metric::{LEVELS as METRIC_LEVELS, decode as metrics};
pub use notes::Limits;
pub(crate) use notes::Notes;
pub use place::{Levels, Place, Source};
pub use rejection::{Letter, Reason, Rejections};
pub use trace::{LEVELS as TRACE_LEVELS, decode as traces};

/// A request as rows, and what of it could not become rows.
#[derive(Debug)]
pub struct Decoded<B> {
    /// The rows.
    pub batch: B,
    /// Where each record of the batch stands in the request, in their order.
    pub sources: Vec<Source>,
    /// What could not become rows.
    pub rejections: Rejections,
}

/// Why a request was not decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Undecodable {
    /// Its outer framing is broken.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// Its rows take more memory than was allowed for.
    #[error("its rows take more memory than was allowed for")]
    Outgrown,
}

/// One request being decoded.
#[derive(Debug)]
pub struct Request<'a> {
    /// Its bytes; rows are slices of them.
    pub(crate) bytes: &'a Bytes,
    /// Whose it is.
    pub(crate) project_id: ProjectId,
    /// 128 bits of the hash of its bytes.
    pub(crate) hash: Uuid,
    /// When it was received.
    pub(crate) received: UnixNanos,
    /// The JSON of all its attribute lists.
    pub(crate) arena: Arena,
    /// What is noted on the way.
    pub(crate) notes: Notes,
    /// How many records there are, if that is known.
    pub(crate) expected: usize,
    /// Where the records are that were decoded so far.
    pub(crate) sources: Vec<Source>,
}

impl<'a> Request<'a> {
    /// A request about to be decoded.
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

    /// The same, with room for so many records.
    #[must_use]
    pub fn expecting(mut self, records: usize) -> Self {
        self.expected = records;
        self.sources.reserve_exact(records);
        self
    }

    /// A record was decoded whose rows take so many bytes.
    pub(crate) fn decoded(&mut self, place: Place, message: &[u8], held: usize) {
        // A request is at most 1 GiB, and the record lies within it.
        let start = (message.as_ptr().addr() - self.bytes.as_ptr().addr()) as u32;
        self.sources.push(Source { place, start, length: message.len() as u32 });
        self.notes.hold(held + size_of::<Source>());
    }

    /// Goes on as long as the rows take no more memory than was allowed for.
    pub(crate) fn within_allowance(&self) -> Result<(), Undecodable> {
        if self.notes.outgrown() { Err(Undecodable::Outgrown) } else { Ok(()) }
    }

    /// A record can't be stored.
    pub(crate) fn reject(&mut self, reason: Reason, place: Place, levels: Levels, message: &[u8]) {
        self.notes.rejections.reject(reason, || (place.named(levels), self.bytes.slice_ref(message)));
    }

    /// A text field as PostgreSQL can hold it.
    pub(crate) fn text(&mut self, field: &[u8]) -> Text {
        let text = Text::from_wire(self.bytes, field);
        if text.as_bytes() != field {
            self.notes.rejections.mended_texts += 1;
            self.notes.hold(text.as_bytes().len()); // a copy of its own
        }
        text
    }
}
