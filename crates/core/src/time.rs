//! Points in time as in OTLP: nanoseconds since 1970-01-01 UTC, unsigned, zero for "unknown".

/// Nanoseconds since the Unix epoch, over the whole range of OTLP's `fixed64` (1970 to 2554).
///
/// PostgreSQL's `timestamptz` holds microseconds, so a row stores a time in two columns: whole microseconds as
/// `timestamptz`, and the remaining 0 to 999 nanoseconds as `smallint`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixNanos(pub u64);

/// Days since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i32);

const NANOS_PER_DAY: u64 = 86_400_000_000_000;

impl UnixNanos {
    /// Zero: OTLP's "unknown".
    pub const UNKNOWN: Self = Self(0);

    /// Whether this is a time, not OTLP's "unknown".
    pub const fn is_known(self) -> bool {
        self.0 != 0
    }

    /// Whole microseconds since 1970. They always fit: `i64` reaches far beyond 2554.
    pub const fn micros(self) -> i64 {
        (self.0 / 1000) as i64
    }

    /// Nanoseconds beyond the whole microseconds: 0 to 999.
    pub const fn sub_micros(self) -> i16 {
        (self.0 % 1000) as i16
    }

    /// The time from its two columns. Negative microseconds count as 1970, since OTLP has no earlier time.
    pub fn from_parts(micros: i64, sub_micros: i16) -> Self {
        let micros = u64::try_from(micros).unwrap_or(0);
        let rest = u64::try_from(sub_micros).unwrap_or(0);
        Self(micros.saturating_mul(1000).saturating_add(rest))
    }

    /// The UTC day of this time.
    pub const fn day(self) -> Day {
        Day((self.0 / NANOS_PER_DAY) as i32)
    }

    /// Nanoseconds from `earlier` to `self`: zero if `earlier` is later, at most `i64::MAX`.
    pub fn since(self, earlier: Self) -> i64 {
        i64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(i64::MAX)
    }
}

impl Day {
    /// The first moment of the day.
    pub fn start(self) -> UnixNanos {
        UnixNanos(u64::try_from(self.0).unwrap_or(0).saturating_mul(NANOS_PER_DAY))
    }

    /// The day after this one.
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl From<std::time::SystemTime> for UnixNanos {
    /// A clock set before 1970 counts as unknown.
    fn from(time: std::time::SystemTime) -> Self {
        let since = time.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Self(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn two_columns_hold_every_time(nanos: u64) {
            let time = UnixNanos(nanos);
            prop_assert_eq!(UnixNanos::from_parts(time.micros(), time.sub_micros()), time);
            prop_assert!(time.day().start() <= time);
        }
    }

    #[test]
    fn a_duration_is_never_negative() {
        assert_eq!(UnixNanos(5).since(UnixNanos(9)), 0);
        assert_eq!(UnixNanos(u64::MAX).since(UnixNanos(0)), i64::MAX);
    }
}
