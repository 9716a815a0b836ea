//! Times in two columns: whole microseconds, and the remaining nanoseconds.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use llm_observatory_core::time::UnixNanos;

/// The time from its two columns.
pub(super) fn joined(micros: UnixNanos, sub_micros: i16) -> UnixNanos {
    UnixNanos::from_parts(micros.micros(), sub_micros)
}

/// The time from its two columns; unknown when they are NULL.
pub(super) fn optional_nanos(micros: Option<UnixNanos>, sub_micros: Option<i16>) -> UnixNanos {
    micros.map_or(UnixNanos::UNKNOWN, |micros| joined(micros, sub_micros.unwrap_or(0)))
}

/// A time as a parameter. Arithmetic with intervals in SQL would use doubles, which lose microseconds from the year
/// 2255 on.
pub(crate) fn moment(micros: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_micros(micros.unsigned_abs())
}
