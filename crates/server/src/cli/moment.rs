//! Times on the command line.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use llm_observatory_core::time::UnixNanos;
use prost_types::Timestamp;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

const SECOND: u64 = 1_000_000_000;

/// What a time may look like.
const EXPECTED: &str = "expected a date (2026-11-01), a time (2026-11-01T12:00:00Z), or how long ago (90m, 24h, 7d), \
                        from 1970 to 2554";

/// A time: a date, which means its first moment; a time, in UTC if it names no zone; or how long before now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(pub(super) UnixNanos);

impl Moment {
    /// The earliest time.
    pub(super) const BEGINNING: Self = Self(UnixNanos(0));

    /// The time so long before now, in whole seconds.
    pub(super) fn ago(time: Duration) -> Self {
        let UnixNanos(now) = SystemTime::now().into();
        Self(UnixNanos(now - now % SECOND)).before(time)
    }

    /// The time so long before this one, at the earliest 1970.
    pub(super) fn before(self, time: Duration) -> Self {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        Self(UnixNanos(self.0.0.saturating_sub(nanos)))
    }
}

impl FromStr for Moment {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(time) = duration(text) {
            return Ok(Self::ago(time));
        }
        let time = OffsetDateTime::parse(&whole(text), &Rfc3339).ok();
        let nanos = time.and_then(|time| u64::try_from(time.unix_timestamp_nanos()).ok());
        nanos.map(|nanos| Self(UnixNanos(nanos))).ok_or(EXPECTED)
    }
}

/// `90m`; `None` if the text is no duration.
fn duration(text: &str) -> Option<Duration> {
    let units = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400), ('w', 7 * 86_400)];
    let (unit, seconds) = units.into_iter().find(|(unit, _)| text.ends_with(*unit))?;
    let count = text.strip_suffix(unit).filter(|count| count.bytes().all(|byte| byte.is_ascii_digit()))?;
    Some(Duration::from_secs(count.parse::<u64>().ok()?.checked_mul(seconds)?))
}

/// The same time in RFC 3339: tables show times without `T`, people leave out seconds and zone.
fn whole(text: &str) -> String {
    let (date, time) = text.split_once(['T', ' ']).unwrap_or((text, "00:00"));
    let (clock, zone) = time.split_at(time.find(['Z', '+', '-']).unwrap_or(time.len()));
    let seconds = if clock.len() == "00:00".len() { ":00" } else { "" };
    let zone = if zone.is_empty() { "Z" } else { zone };
    format!("{date}T{clock}{seconds}{zone}")
}

impl fmt::Display for Moment {
    /// A date, or a time in RFC 3339 with as many digits as it needs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Every u64 of nanoseconds is a year before 2555.
        let time = OffsetDateTime::from_unix_timestamp_nanos(self.0.0.into()).map_err(|_| fmt::Error)?;
        let (hour, minute, second, nanos) = time.to_hms_nano();
        write!(f, "{}", time.date())?;
        if (hour, minute, second, nanos) == (0, 0, 0, 0) {
            return Ok(());
        }
        write!(f, "T{hour:02}:{minute:02}:{second:02}")?;
        if nanos > 0 {
            write!(f, ".{}", format!("{nanos:09}").trim_end_matches('0'))?;
        }
        f.write_str("Z")
    }
}

impl From<Moment> for Timestamp {
    fn from(Moment(UnixNanos(nanos)): Moment) -> Self {
        // Both parts are far less than what their types hold.
        Self { seconds: (nanos / SECOND).cast_signed(), nanos: (nanos % SECOND) as i32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_date_or_a_time_in_any_usual_form() {
        let nanos = |text: &str| text.parse::<Moment>().map(|moment| moment.0.0);
        let second = 1_000_000_000;
        assert_eq!(nanos("1970-01-02"), Ok(86_400 * second));
        assert_eq!(nanos("1970-01-01T01:00:00+01:00"), Ok(0));
        for form in ["1970-01-01T00:01:02.5Z", "1970-01-01 00:01:02.500", "1970-01-01T01:01:02.5+01:00"] {
            assert_eq!(nanos(form), Ok(62 * second + second / 2), "{form}");
        }
        assert_eq!(nanos("1970-01-01 00:01"), Ok(60 * second));
        for wrong in
            ["yesterday", "1969-12-31", "2555-01-01", "2026-13-01", "h", "-5h", "5.5h", "", "2026-11-01T"]
        {
            assert!(nanos(wrong).is_err_and(|told| told.contains("2026-11-01")), "{wrong}");
        }
    }

    #[test]
    fn a_moment_may_be_so_long_ago() {
        let now = || Moment::ago(Duration::ZERO).0.0;
        for (text, seconds) in
            [("90s", 90), ("90m", 5_400), ("24h", 86_400), ("7d", 604_800), ("2w", 1_209_600)]
        {
            let earliest = now();
            let then = text.parse::<Moment>().unwrap().0.0 + seconds * 1_000_000_000;
            assert!((earliest..=now()).contains(&then), "{text}");
        }
        assert_eq!("999999999w".parse(), Ok(Moment(UnixNanos(0))), "the beginning");
    }

    #[test]
    fn a_moment_is_written_as_it_is_read() {
        for text in ["1970-01-01", "2026-11-01T12:00:00.000000001Z", "2554-07-21T23:34:33.7Z"] {
            assert_eq!(text.parse::<Moment>().unwrap().to_string(), text);
        }
        let half = Timestamp { seconds: 1, nanos: 500_000_000 };
        assert_eq!(Timestamp::from(Moment(UnixNanos(1_500_000_000))), half);
    }
}
