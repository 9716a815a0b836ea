//! What a decoder counts: rejections, elements of the current record, and memory of the rows.

use super::rejection::Rejections;
use crate::wire::Malformed;

/// The limits of decoding.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Most attributes, events, links, buckets and nested values of one record.
    pub max_record_elements: usize,
    /// Most memory that the rows of the request may take, in bytes.
    pub allowance: usize,
    /// Most rejected records that are kept as dead letters.
    pub kept_rejections: usize,
}

/// What a decoder counts.
#[derive(Debug)]
pub(crate) struct Notes {
    pub(crate) rejections: Rejections,
    limits: Limits,
    /// Elements of the current record.
    elements: usize,
    /// Memory of the rows so far, in bytes.
    held: usize,
}

impl Notes {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { rejections: Rejections::keeping(limits.kept_rejections), limits, elements: 0, held: 0 }
    }

    /// Starts to count the elements of the next record.
    pub(crate) fn begin_record(&mut self) {
        self.elements = 0;
    }

    /// Counts `more` elements of the record, before anything is allocated for them.
    ///
    /// # Errors
    /// [`Malformed::TooManyElements`] when the record has more than [`Limits::max_record_elements`].
    pub(crate) fn elements(&mut self, more: usize) -> Result<(), Malformed> {
        self.elements += more;
        if self.elements > self.limits.max_record_elements {
            return Err(Malformed::TooManyElements);
        }
        Ok(())
    }

    /// Counts `bytes` of memory that rows take.
    pub(crate) fn hold(&mut self, bytes: usize) {
        self.held += bytes;
    }

    /// Whether the rows take more memory than [`Limits::allowance`].
    pub(crate) fn outgrown(&self) -> bool {
        self.held > self.limits.allowance
    }
}
