//! Where the columns of one request are written: many of them, in few allocations.

use bytes::{Bytes, BytesMut};

/// Columns lie side by side in one buffer. Each is put together elsewhere first, in a vector, which grows cheaper.
#[derive(Debug, Default)]
pub struct Arena {
    draft: Vec<u8>,
    buffer: BytesMut,
}

impl Arena {
    /// An arena for about so many bytes; it grows as needed.
    pub fn with_capacity(bytes: usize) -> Self {
        Self { draft: Vec::new(), buffer: BytesMut::with_capacity(bytes) }
    }

    /// The column that `write` puts together, and what it gives besides.
    pub(super) fn column<T>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> T) -> (Bytes, T) {
        self.draft.clear();
        let told = write(&mut self.draft);
        self.buffer.extend_from_slice(&self.draft);
        (self.buffer.split().freeze(), told)
    }
}
