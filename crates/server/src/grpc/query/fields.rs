//! Reads the fields of a message into the types of a question. An error names the field that can't be read.

use llm_observatory_core::ids::{IdError, SpanId, TraceId};
use llm_observatory_core::text::Text;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_query::{PageSize, PageToken, Paging, Period};
use prost_types::{Duration, Timestamp};

const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// A field whose value can't be read. Each variant holds the name of the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    /// The value is no id.
    #[error("{0}: {1}")]
    Id(&'static str, IdError),
    /// The nanoseconds are negative, or a second or more.
    #[error("{0}.nanos must be between 0 and 999999999, not {1}")]
    Nanos(&'static str, i32),
    /// The number must not be negative.
    #[error("{0} must not be negative, but is {1}")]
    Negative(&'static str, i32),
    /// The text is none of the names that the field can have. The last part lists these.
    #[error("{0} must be one of {1}")]
    Name(&'static str, String),
    /// The enumeration has no value of this number.
    #[error("{0} has no value {1}")]
    Number(&'static str, i32),
    /// The duration is negative, or more than 292 years.
    #[error("{0} must be between 0 and 292 years")]
    Duration(&'static str),
}

/// The time range of a list.
pub(super) fn period(start: Option<Timestamp>, end: Option<Timestamp>) -> Result<Period, Unreadable> {
    let read = |field, time: Option<Timestamp>| time.map(|given| time_of(field, given)).transpose();
    Ok(Period { start: read("start_time", start)?, end: read("end_time", end)? })
}

/// A time. One outside of OTLP's range (1970 to 2554) becomes the end of the range that is nearest.
fn time_of(field: &'static str, time: Timestamp) -> Result<UnixNanos, Unreadable> {
    let nanos = u64::try_from(time.nanos).ok().filter(|nanos| *nanos < NANOS_PER_SECOND);
    let nanos = nanos.ok_or(Unreadable::Nanos(field, time.nanos))?;
    Ok(UnixNanos(match u64::try_from(time.seconds) {
        Ok(seconds) => seconds.saturating_mul(NANOS_PER_SECOND).saturating_add(nanos),
        Err(_) => 0,
    }))
}

/// A time that may not be given.
pub(super) fn optional_time(
    field: &'static str,
    time: Option<Timestamp>,
) -> Result<Option<UnixNanos>, Unreadable> {
    time.map(|given| time_of(field, given)).transpose()
}

/// A duration in nanoseconds.
pub(super) fn optional_duration(
    field: &'static str,
    duration: Option<Duration>,
) -> Result<Option<i64>, Unreadable> {
    let read = |Duration { seconds, nanos }: Duration| {
        let seconds = u64::try_from(seconds).ok()?.checked_mul(NANOS_PER_SECOND)?;
        let nanos = u64::try_from(nanos).ok().filter(|nanos| *nanos < NANOS_PER_SECOND)?;
        i64::try_from(seconds.checked_add(nanos)?).ok()
    };
    duration.map(|given| read(given).ok_or(Unreadable::Duration(field))).transpose()
}

/// The one of `all` with this name; empty means that it is not given.
pub(super) fn named<T: Copy>(
    field: &'static str,
    text: &str,
    all: &[T],
    name: impl Fn(T) -> &'static str,
) -> Result<Option<T>, Unreadable> {
    if text.is_empty() {
        return Ok(None);
    }
    let found = all.iter().copied().find(|one| name(*one) == text);
    let names = || all.iter().map(|one| name(*one)).collect::<Vec<_>>().join(", ");
    found.map(Some).ok_or_else(|| Unreadable::Name(field, names()))
}

/// The page size and the page token; an empty token means the first page.
pub(super) fn paging(size: i32, token: String) -> Result<Paging, Unreadable> {
    let size = u32::try_from(size).map_err(|_| Unreadable::Negative("page_size", size))?;
    Ok(Paging { size: PageSize::from(size), token: (!token.is_empty()).then(|| PageToken::from(token)) })
}

/// The token of the next page; empty when there is none.
pub(super) fn next_page_token(next: Option<PageToken>) -> String {
    next.map(|next| next.to_string()).unwrap_or_default()
}

/// A text; empty means that it is not given. It is mended like stored names, so that a name is found by the text that
/// was sent.
pub(super) fn text(text: &str) -> Option<Text> {
    (!text.is_empty()).then(|| Text::from(text))
}

/// A trace id.
pub(super) fn trace_id(text: &str) -> Result<TraceId, Unreadable> {
    text.parse().map_err(|error| Unreadable::Id("trace_id", error))
}

/// A trace id; empty means that it is not given.
pub(super) fn optional_trace_id(text: &str) -> Result<Option<TraceId>, Unreadable> {
    (!text.is_empty()).then(|| trace_id(text)).transpose()
}

/// A span id.
pub(super) fn span_id(text: &str) -> Result<SpanId, Unreadable> {
    text.parse().map_err(|error| Unreadable::Id("span_id", error))
}

/// A span id; empty means that it is not given.
pub(super) fn optional_span_id(text: &str) -> Result<Option<SpanId>, Unreadable> {
    (!text.is_empty()).then(|| span_id(text)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64, nanos: i32) -> Option<Timestamp> {
        Some(Timestamp { seconds, nanos })
    }

    #[test]
    fn times_are_clamped_to_the_range_of_otlp() {
        let ends = |start, end| period(start, end).map(|period| (period.start, period.end));
        let nanos = |nanos| Some(UnixNanos(nanos));
        assert_eq!(ends(None, None), Ok((None, None)));
        assert_eq!(ends(at(5, 7), None), Ok((nanos(5 * NANOS_PER_SECOND + 7), None)));
        assert_eq!(ends(at(-9, 0), at(i64::MAX, 0)), Ok((nanos(0), nanos(u64::MAX))));
        assert_eq!(ends(at(2, -1), None), Err(Unreadable::Nanos("start_time", -1)));
        assert_eq!(ends(None, at(2, 1_000_000_000)), Err(Unreadable::Nanos("end_time", 1_000_000_000)));
    }

    #[test]
    fn empty_fields_are_not_given() {
        assert_eq!(paging(0, String::new()), Ok(Paging::default()));
        let given = Paging { size: PageSize::from(7), token: Some(PageToken::from("t".to_owned())) };
        assert_eq!(paging(7, "t".to_owned()), Ok(given));
        assert_eq!(paging(-1, String::new()), Err(Unreadable::Negative("page_size", -1)));
        assert_eq!(text(""), None);
        assert_eq!(optional_trace_id(""), Ok(None));
        assert_eq!(optional_span_id(""), Ok(None));
    }

    #[test]
    fn names_and_durations_are_checked() {
        let read = |text| named("status", text, &[1, 2], |n| if n == 1 { "ok" } else { "error" });
        assert_eq!((read(""), read("error")), (Ok(None), Ok(Some(2))));
        assert_eq!(read("Ok").unwrap_err().to_string(), "status must be one of ok, error");

        let read = |seconds, nanos| optional_duration("d", Some(Duration { seconds, nanos }));
        assert_eq!(read(2, 7), Ok(Some(2_000_000_007)));
        for (seconds, nanos) in [(-1, 0), (0, -1), (0, 1_000_000_000), (i64::MAX, 0)] {
            assert_eq!(read(seconds, nanos), Err(Unreadable::Duration("d")));
        }
    }

    #[test]
    fn ids_are_checked_and_named() {
        assert!(trace_id("0AF7651916cd43dd8448eb211c80319c").is_ok());
        assert_eq!(trace_id(""), Err(Unreadable::Id("trace_id", IdError::NotHex { expected: 32 })));
        let error = optional_span_id("xyz").unwrap_err();
        assert_eq!(error.to_string(), "span_id: expected 16 hexadecimal digits");
    }
}
