//! How answers show times, durations, counts and money.

use llm_observatory_proto::v1::Money;
use prost_types::{Duration, Timestamp};
use time::OffsetDateTime;

/// A time in UTC, always of the same width. In a narrow table it wraps between the date and the time of day.
pub(in crate::cli) fn moment(nanos: u64) -> String {
    // Every u64 of nanoseconds is a year before 2555.
    let Ok(time) = OffsetDateTime::from_unix_timestamp_nanos(i128::from(nanos)) else {
        return nanos.to_string();
    };
    let (hour, minute, second, milli) = time.to_hms_milli();
    format!("{} {hour:02}:{minute:02}:{second:02}.{milli:03}", time.date())
}

/// The nanoseconds of a time since 1970.
pub(in crate::cli) fn nanos_of(time: Timestamp) -> u64 {
    u64::try_from(i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanos)).unwrap_or(0)
}

/// The nanoseconds of a duration.
pub(in crate::cli) fn duration_nanos(duration: Duration) -> i128 {
    i128::from(duration.seconds) * 1_000_000_000 + i128::from(duration.nanos)
}

/// Nanoseconds as milliseconds.
pub(in crate::cli) fn milliseconds(nanos: i128) -> String {
    format!("{:.3} ms", nanos as f64 / 1e6)
}

/// A text for a terminal: control characters, which could write elsewhere on it, become U+FFFD. Lines stay.
pub(in crate::cli) fn printable(text: &str) -> String {
    text.replace(|c: char| c.is_control() && c != '\n' && c != '\t', "\u{fffd}")
}

/// The most characters of a name in a table.
const NAME: usize = 80;

/// A name that clients gave, on one line and cut to [`NAME`] characters. JSON has it whole.
pub(in crate::cli) fn name(text: &str) -> String {
    let line = text.replace(['\n', '\t'], " ");
    match line.char_indices().nth(NAME) {
        Some((cut, _)) => format!("{}\u{2026}", &line[..cut]),
        None => line,
    }
}

/// A number that may not be told.
pub(in crate::cli) fn number(number: Option<i64>) -> String {
    number.map(|number| number.to_string()).unwrap_or_default()
}

/// An amount that may not be told: `0.0035 USD`.
pub(in crate::cli) fn money(money: Option<&Money>) -> String {
    money.map(|money| format!("{} {}", money.amount, money.currency)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_command_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\r\n\tc\u{9b}"), "a\u{fffd}[2Jb\u{fffd}\n\tc\u{fffd}");
    }

    #[test]
    fn a_name_takes_one_line() {
        assert_eq!(name("GET /\tb\nc"), "GET / b c");
        let long = "\u{e4}".repeat(81);
        assert_eq!(name(&long), format!("{}\u{2026}", "\u{e4}".repeat(80)));
        assert_eq!(name(&long[2..]), long[2..]);
    }

    #[test]
    fn times_have_the_same_width() {
        assert_eq!(moment(1_795_000_000_000_000_000), "2026-11-18 11:06:40.000");
        assert_eq!(moment(1_795_000_000_120_999_999), "2026-11-18 11:06:40.120");
        assert_eq!(moment(u64::MAX).len(), moment(0).len());
    }
}
