//! Reads gRPC's own deadline: how long a caller waits for its answer.

use std::time::Duration;

use http::HeaderMap;

/// The header that holds it.
pub(crate) const HEADER: &str = "grpc-timeout";

/// How long the caller waits; `None` if the header is absent or malformed.
pub(crate) fn of(headers: &HeaderMap) -> Option<Duration> {
    parse(headers.get(HEADER)?.to_str().ok()?)
}

/// Parses a `grpc-timeout`: up to eight digits and a unit (gRPC over HTTP/2, "Timeout").
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(number * 3_600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_are_read_in_every_unit() {
        assert_eq!(parse("250m"), Some(Duration::from_millis(250)));
        assert_eq!(parse("2S"), Some(Duration::from_secs(2)));
        assert_eq!(parse("99999999H"), Some(Duration::from_secs(99_999_999 * 3_600)));
        for nonsense in ["", "S", "123456789S", "1x", "-1S", "1é"] {
            assert_eq!(parse(nonsense), None, "{nonsense}");
        }
    }
}
