//! Dead letters: rejected records as rows of `ingest_rejections`.

use llm_observatory_core::signal::Signal;
use llm_observatory_storage::writers::RejectionRow;

use crate::config::IngestConfig;
use crate::decode::rejection::DeadLetter;
use crate::request::Request;

/// The row of a rejected record. `ordinal` counts the rejected records of its request from 0; `detail` is the reason in
/// words. `ingest.kept_rejection_bytes` limits how much of the record the row holds.
pub(crate) fn row(
    request: &Request,
    signal: Signal,
    ordinal: usize,
    letter: &DeadLetter,
    detail: String,
    config: &IngestConfig,
) -> RejectionRow {
    let DeadLetter { place, reason, record } = letter;
    RejectionRow {
        rejected_at: request.received_at,
        project_id: request.project_id,
        signal,
        request_hash: request.hash,
        ordinal: i32::try_from(ordinal).unwrap_or(i32::MAX),
        place: place.clone(),
        reason: reason.name(),
        detail,
        record_bytes: record.len(),
        record: record.slice(..record.len().min(config.kept_rejection_bytes)),
    }
}
