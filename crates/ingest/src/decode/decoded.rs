//! A decoded request.

use bytes::Bytes;
use llm_observatory_storage::writers::Batch;

use super::place::{Levels, Source};
use super::rejection::{Reason, Rejections};
use crate::wire::Malformed;

/// The rows of a request, and its rejected records.
#[derive(Debug)]
pub struct Decoded<B> {
    /// The rows.
    pub batch: B,
    /// Where each record of the batch stands in the request, in the order of the batch.
    pub sources: Vec<Source>,
    /// The rejected records, and counts of what was changed in others.
    pub rejections: Rejections,
}

/// Why a request was not decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Undecodable {
    /// Its outer framing is broken.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// Its rows take more memory than [`Limits::allowance`](super::Limits::allowance).
    #[error("its rows take more memory than their allowance")]
    Outgrown,
}

impl<B: Batch> Decoded<B> {
    /// Rejects the records for which `hit` is true: takes them and their sources out of the batch, and keeps them as
    /// rejections. `request` holds the bytes that they were decoded from.
    pub(crate) fn reject(
        &mut self,
        request: &Bytes,
        levels: Levels,
        reason: Reason,
        hit: impl Fn(&B::Record) -> bool,
    ) {
        let hits: Vec<bool> = self.batch.records().iter().map(hit).collect();
        for (source, _) in self.sources.iter().zip(&hits).filter(|(_, hit)| **hit) {
            self.rejections.reject(reason, || (source.place().named(levels), request.slice(source.range())));
        }
        keep(self.batch.records_mut(), &hits);
        keep(&mut self.sources, &hits);
    }
}

/// Removes the items whose place in `hits` is true.
fn keep<T>(items: &mut Vec<T>, hits: &[bool]) {
    let mut hits = hits.iter();
    items.retain(|_| hits.next().is_none_or(|hit| !hit));
}
