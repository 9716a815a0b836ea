//! Times and durations as messages have them.

use llm_observatory_core::time::UnixNanos;
use prost_types::{Duration, Timestamp};

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// A time that is known.
pub(super) fn timestamp(time: UnixNanos) -> Timestamp {
    // 64 bits of nanoseconds are fewer than 2^35 seconds.
    let seconds = (time.0 / NANOS_PER_SECOND.unsigned_abs()) as i64;
    Timestamp { seconds, nanos: (time.0 % NANOS_PER_SECOND.unsigned_abs()) as i32 }
}

/// A number of nanoseconds.
pub(super) fn duration(nanos: i64) -> Duration {
    Duration { seconds: nanos / NANOS_PER_SECOND, nanos: (nanos % NANOS_PER_SECOND) as i32 }
}
