//! Where the columns of one request are written: many of them, in few allocations.

use bytes::{Bytes, BytesMut};

/// A column of this size is worth an allocation of its own, and not worth a copy.
const LARGE: usize = 256 * 1024;

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
        if self.draft.len() >= LARGE {
            return (Bytes::from(std::mem::take(&mut self.draft)), told);
        }
        self.buffer.extend_from_slice(&self.draft);
        (self.buffer.split().freeze(), told)
    }
}
