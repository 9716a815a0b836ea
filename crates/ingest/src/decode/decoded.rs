//! A decoded request.

use bytes::Bytes;
use llm_observatory_storage::writers::Batch;

use super::place::{Levels, Source};
use super::rejection::{Reason, Rejections};
use crate::wire::Malformed;

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

impl<B: Batch> Decoded<B> {
    /// Rejects the records that are hit: takes them out of the batch, with their sources, and names them. `request` is what
    /// they were decoded from.
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

/// Keeps what is not hit.
fn keep<T>(items: &mut Vec<T>, hits: &[bool]) {
    let mut hits = hits.iter();
    items.retain(|_| hits.next().is_none_or(|hit| !hit));
}
