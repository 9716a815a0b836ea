//! An OTLP Export call.

use std::time::SystemTime;

use bytes::Bytes;
use llm_observatory_core::ids::ProjectId;
use tokio::time::Instant;
use uuid::Uuid;

/// One OTLP Export call, and what is known of it before it is decoded. Clones share its bytes.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// The project that it belongs to.
    pub(crate) project_id: ProjectId,
    /// 128 bits of the BLAKE3 hash of its bytes: its key in the ledger.
    pub(crate) hash: Uuid,
    /// Its bytes, decompressed.
    pub(crate) bytes: Bytes,
    /// The number of its records, as the census counted them.
    pub(crate) records: u64,
    /// When its last byte arrived.
    pub(crate) received_at: SystemTime,
    /// When its client must have the answer.
    pub(crate) deadline: Instant,
}

/// 128 bits of the BLAKE3 hash of a request.
pub(crate) fn hash(request: &[u8]) -> Uuid {
    let mut hash = [0; 16];
    blake3::Hasher::new().update(request).finalize_xof().fill(&mut hash);
    Uuid::from_bytes(hash)
}
