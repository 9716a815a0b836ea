//! A buffer for the columns of one request, so that many columns share few allocations.

use bytes::{Bytes, BytesMut};

/// Bytes from which a column keeps its own allocation, since a copy would cost more.
const LARGE: usize = 256 * 1024;

/// Room for most single lists.
const ONE: usize = 256;

/// Places columns side by side in one buffer. It builds each in a vector first, which grows at less cost than the buffer.
#[derive(Debug, Default)]
pub struct Arena {
    draft: Vec<u8>,
    buffer: BytesMut,
}

impl Arena {
    /// An arena with room for `bytes`; it grows as needed.
    pub fn with_capacity(bytes: usize) -> Self {
        Self { draft: Vec::new(), buffer: BytesMut::with_capacity(bytes) }
    }

    /// An arena for the columns of one list.
    pub(super) fn of_one() -> Self {
        Self { draft: Vec::with_capacity(ONE), buffer: BytesMut::new() }
    }

    /// The column that `write` builds, and the value that it returns.
    pub(super) fn column<T>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> T) -> (Bytes, T) {
        self.draft.clear();
        let returned = write(&mut self.draft);
        if self.draft.len() >= LARGE {
            return (Bytes::from(std::mem::take(&mut self.draft)), returned);
        }
        self.buffer.extend_from_slice(&self.draft);
        (self.buffer.split().freeze(), returned)
    }
}
