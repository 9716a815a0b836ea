//! Moments as text, in UTC: `-` for ever, `2026-01-31`, `2026-01-31T12:00:00.5Z`. This crate knows no clock, and so has no
//! library for one.

use std::fmt::Write as _;

use llm_observatory_core::time::UnixNanos;

const NANOS: u64 = 1_000_000_000;
const DAY: u64 = 86_400;

/// The moment in a text; `None` if it is none, or is before 1970 or after 2554.
pub(super) fn read(text: &str) -> Option<UnixNanos> {
    if text == "-" {
        return Some(UnixNanos(0));
    }
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, time.strip_suffix('Z')?),
        None => (text, "00:00:00"),
    };
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let (clock, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
    let [nanos] = numbers(&format!("{fraction:0<9}"), '.', [9])?;
    let valid = year >= 1970
        && (1..=12).contains(&month)
        && (1..=days_of(year, month)).contains(&day)
        && (hour < 24 && minute < 60 && second < 60);
    if !valid {
        return None;
    }
    let days = (1970..year).map(days_of_year).sum::<u64>()
        + (1..month).map(|month| days_of(year, month)).sum::<u64>()
        + (day - 1);
    let seconds = days * DAY + hour * 3600 + minute * 60 + second;
    // Zero stands for ever, and has its own word.
    seconds.checked_mul(NANOS)?.checked_add(nanos).filter(|nanos| *nanos > 0).map(UnixNanos)
}

/// Writes the moment, with as much of it as is needed.
pub(super) fn write(text: &mut String, moment: UnixNanos) {
    if moment.0 == 0 {
        return text.push('-');
    }
    let (seconds, nanos) = (moment.0 / NANOS, moment.0 % NANOS);
    let (mut days, time) = (seconds / DAY, seconds % DAY);
    let mut year = 1970;
    while days >= days_of_year(year) {
        days -= days_of_year(year);
        year += 1;
    }
    let mut month = 1;
    while days >= days_of(year, month) {
        days -= days_of(year, month);
        month += 1;
    }
    let _ = write!(text, "{year}-{month:02}-{:02}", days + 1);
    if time == 0 && nanos == 0 {
        return;
    }
    let _ = write!(text, "T{:02}:{:02}:{:02}", time / 3600, time / 60 % 60, time % 60);
    if nanos > 0 {
        let _ = write!(text, ".{}", format!("{nanos:09}").trim_end_matches('0'));
    }
    text.push('Z');
}

/// Numbers of these lengths, with `between` between them.
fn numbers<const N: usize>(text: &str, between: char, lengths: [usize; N]) -> Option<[u64; N]> {
    let mut parts = text.split(between);
    let mut found = [0; N];
    for (number, length) in found.iter_mut().zip(lengths) {
        let digits = parts.next().filter(|part| part.len() == length)?;
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *number = digits.parse().ok()?;
    }
    parts.next().is_none().then_some(found)
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_of_year(year: u64) -> u64 {
    if is_leap(year) { 366 } else { 365 }
}

fn days_of(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_moments() {
        for (text, nanos) in [
            ("-", 0),
            ("2026-01-01", 1_767_225_600_000_000_000),
            ("2024-02-29T23:59:59.5Z", 1_709_251_199_500_000_000),
            ("2100-03-01", 4_107_542_400_000_000_000),
            ("1970-01-01T00:00:00.000000001Z", 1),
        ] {
            assert_eq!(read(text), Some(UnixNanos(nanos)), "{text}");
        }
        for text in [
            "",
            "2026",
            "2026-1-1",
            "2026-13-01",
            "2025-02-29",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00.1234567891Z",
            "1970-01-01",
            "1969-12-31",
            "2600-01-01",
            "2026-01-01-01",
            "+026-01-01",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_moment_is_read_back(nanos: u64, whole_days: bool) {
            let nanos = if whole_days { nanos - nanos % (DAY * NANOS) } else { nanos };
            let mut text = String::new();
            write(&mut text, UnixNanos(nanos));
            prop_assert_eq!(read(&text), Some(UnixNanos(nanos)));
        }
    }
}
