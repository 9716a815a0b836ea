//! What is noted while a request is decoded: what was rejected or mended, and how much memory it takes.

use super::rejection::Rejections;
use crate::wire::Malformed;

/// The limits of decoding.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Most attributes, events, links, buckets and nested values of one record.
    pub max_record_elements: usize,
    /// Most memory that its rows may take, in bytes.
    pub allowance: usize,
    /// Most rejected records that are kept.
    pub kept_rejections: usize,
}

/// What is noted while a request is decoded.
#[derive(Debug)]
pub(crate) struct Notes {
    pub(crate) rejections: Rejections,
    limits: Limits,
    elements: usize,
    held: usize,
}

impl Notes {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { rejections: Rejections::keeping(limits.kept_rejections), limits, elements: 0, held: 0 }
    }

    /// The next record begins.
    pub(crate) fn begin_record(&mut self) {
        self.elements = 0;
    }

    /// The record has so many more elements: said before anything is allocated for them.
    pub(crate) fn elements(&mut self, more: usize) -> Result<(), Malformed> {
        self.elements += more;
        if self.elements > self.limits.max_record_elements {
            return Err(Malformed::TooManyElements);
        }
        Ok(())
    }

    /// Rows take so much more memory.
    pub(crate) fn hold(&mut self, bytes: usize) {
        self.held += bytes;
    }

    /// Whether the rows take more memory than was allowed for.
    pub(crate) fn outgrown(&self) -> bool {
        self.held > self.limits.allowance
    }
}
