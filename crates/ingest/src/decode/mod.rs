//! OTLP requests to rows, straight from the wire.
//!
//! Decoding is forgiving where a strict decoder would lose data: invalid UTF-8 becomes U+FFFD, a value that is nested too
//! deep is cut, a record that can't be stored is rejected alone and named. Only a request whose outer framing is broken is
//! refused as a whole.

mod log;
mod metric;
mod rejection;
mod resource;
mod trace;
mod value;

use bytes::{Bytes, BytesMut};
use llm_observatory_core::ids::ProjectId;
use llm_observatory_core::text::Text;
use llm_observatory_core::time::UnixNanos;

pub(crate) use log::decode as logs;
pub(crate) use metric::decode as metrics;
pub use rejection::{Reason, Rejections};
pub(crate) use trace::decode as traces;

/// A request as rows, and what of it could not become rows.
#[derive(Debug)]
pub struct Decoded<B> {
    /// The rows.
    pub batch: B,
    /// What could not become rows.
    pub rejections: Rejections,
}

/// One request being decoded.
#[derive(Debug)]
pub struct Request<'a> {
    /// Its bytes; rows are slices of them.
    pub(crate) bytes: &'a Bytes,
    /// Whose it is.
    pub(crate) project_id: ProjectId,
    /// When it was received.
    pub(crate) received: UnixNanos,
    /// The JSON of all its attribute lists.
    pub(crate) arena: BytesMut,
    /// What was rejected or mended.
    pub(crate) rejections: Rejections,
}

impl<'a> Request<'a> {
    pub(crate) fn new(bytes: &'a Bytes, project_id: ProjectId, received: UnixNanos) -> Self {
        // JSON is about as long as the wire form; a little more saves growing.
        let arena = BytesMut::with_capacity(bytes.len() + bytes.len() / 4);
        Self { bytes, project_id, received, arena, rejections: Rejections::default() }
    }

    /// A text field as PostgreSQL can hold it.
    pub(crate) fn text(&mut self, field: &[u8]) -> Text {
        let text = Text::from_wire(self.bytes, field);
        if text.as_bytes() != field {
            self.rejections.mended_texts += 1;
        }
        text
    }
}
