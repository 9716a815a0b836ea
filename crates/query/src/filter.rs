//! Reads the fields of a request.

use std::time::SystemTime;

use llm_observatory_core::ids::{IdError, SpanId, TraceId};
use llm_observatory_core::log::Severity;
use llm_observatory_core::text::Text;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_storage::repositories::TimeRange;
use prost_types::Timestamp;

use crate::config::QueryConfig;
use crate::error::Error;

const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// The most severe of OTLP's severity numbers, FATAL4.
const MOST_SEVERE: i32 = 24;

/// The time range of a request; each end that is not told has its own default.
pub(crate) fn range(
    start: Option<&Timestamp>,
    end: Option<&Timestamp>,
    config: &QueryConfig,
) -> Result<TimeRange, Error> {
    range_at(SystemTime::now().into(), start, end, config)
}

fn range_at(
    now: UnixNanos,
    start: Option<&Timestamp>,
    end: Option<&Timestamp>,
    config: &QueryConfig,
) -> Result<TimeRange, Error> {
    let told = (start.map(|start| time("start_time", start)), end.map(|end| time("end_time", end)));
    let (start, end) = (told.0.transpose()?, told.1.transpose()?);
    if let (Some(start), Some(end)) = (start, end)
        && end < start
    {
        return Err(Error::InvalidArgument("end_time must not be before start_time".to_owned()));
    }
    let nanos = |seconds: u64| seconds.saturating_mul(NANOS_PER_SECOND);
    Ok(TimeRange {
        start: start.unwrap_or(UnixNanos(now.0.saturating_sub(nanos(config.default_range_s)))),
        end: end.unwrap_or(UnixNanos(now.0.saturating_add(nanos(config.default_ahead_s)))),
    })
}

/// A time; what lies outside of OTLP's range (1970 to 2554) counts as its border.
fn time(field: &str, time: &Timestamp) -> Result<UnixNanos, Error> {
    let nanos = u64::try_from(time.nanos).ok().filter(|nanos| *nanos < NANOS_PER_SECOND);
    let nanos = nanos.ok_or_else(|| {
        Error::InvalidArgument(format!("{field}.nanos must be between 0 and 999999999, not {}", time.nanos))
    })?;
    Ok(UnixNanos(match u64::try_from(time.seconds) {
        Ok(seconds) => seconds.saturating_mul(NANOS_PER_SECOND).saturating_add(nanos),
        Err(_) => 0,
    }))
}

/// The number of rows of a page.
pub(crate) fn page_size(asked: i32, config: &QueryConfig) -> Result<usize, Error> {
    let asked = usize::try_from(asked)
        .map_err(|_| Error::InvalidArgument(format!("page_size must not be negative, but is {asked}")))?;
    Ok(match asked {
        0 => config.default_page_size.into(),
        asked => asked.min(config.max_page_size.into()),
    })
}

/// A text; empty means that it is not told. It is mended as stored names are, so that what was sent is found.
pub(crate) fn text(text: &str) -> Option<Text> {
    (!text.is_empty()).then(|| Text::from(text))
}

/// A trace id.
pub(crate) fn trace_id(text: &str) -> Result<TraceId, Error> {
    text.parse().map_err(|error| invalid_id("trace_id", error))
}

/// A trace id; empty means that it is not told.
pub(crate) fn optional_trace_id(text: &str) -> Result<Option<TraceId>, Error> {
    (!text.is_empty()).then(|| trace_id(text)).transpose()
}

/// A span id; empty means that it is not told.
pub(crate) fn optional_span_id(text: &str) -> Result<Option<SpanId>, Error> {
    (!text.is_empty()).then(|| text.parse().map_err(|error| invalid_id("span_id", error))).transpose()
}

fn invalid_id(field: &str, error: IdError) -> Error {
    Error::InvalidArgument(format!("{field}: {error}"))
}

/// A lower bound of the severity; 0 means that there is none.
pub(crate) fn min_severity(number: i32) -> Result<Severity, Error> {
    if !(0..=MOST_SEVERE).contains(&number) {
        let message = format!("min_severity_number must be between 0 and {MOST_SEVERE}, not {number}");
        return Err(Error::InvalidArgument(message));
    }
    Ok(Severity(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixNanos = UnixNanos(1_800_000_000 * NANOS_PER_SECOND);

    fn at(seconds: i64, nanos: i32) -> Option<Timestamp> {
        Some(Timestamp { seconds, nanos })
    }

    fn range_of(start: Option<Timestamp>, end: Option<Timestamp>) -> Result<TimeRange, Error> {
        range_at(NOW, start.as_ref(), end.as_ref(), &QueryConfig::default())
    }

    #[test]
    fn each_end_has_its_own_default() {
        let ends = |range: TimeRange| (range.start.0, range.end.0);
        let (day, hour) = (86_400 * NANOS_PER_SECOND, 3_600 * NANOS_PER_SECOND);
        assert_eq!(ends(range_of(None, None).unwrap()), (NOW.0 - day, NOW.0 + hour));
        assert_eq!(ends(range_of(at(5, 7), None).unwrap()), (5 * NANOS_PER_SECOND + 7, NOW.0 + hour));
        assert_eq!(ends(range_of(None, at(5, 0)).unwrap()), (NOW.0 - day, 5 * NANOS_PER_SECOND));
        assert_eq!(ends(range_of(at(-9, 0), at(i64::MAX, 0)).unwrap()), (0, u64::MAX));
    }

    #[test]
    fn impossible_ranges_are_refused() {
        assert!(matches!(range_of(at(2, 0), at(1, 0)), Err(Error::InvalidArgument(_))));
        assert!(matches!(range_of(at(2, -1), None), Err(Error::InvalidArgument(_))));
        assert!(matches!(range_of(None, at(2, 1_000_000_000)), Err(Error::InvalidArgument(_))));
    }

    #[test]
    fn page_sizes_have_a_default_and_a_limit() {
        let config = QueryConfig::default();
        assert_eq!(page_size(0, &config).unwrap(), 100);
        assert_eq!(page_size(7, &config).unwrap(), 7);
        assert_eq!(page_size(i32::MAX, &config).unwrap(), 1_000);
        assert!(matches!(page_size(-1, &config), Err(Error::InvalidArgument(_))));
    }

    #[test]
    fn ids_and_severities_are_checked() {
        assert_eq!(optional_trace_id("").unwrap(), None);
        assert!(optional_trace_id("0AF7651916cd43dd8448eb211c80319c").unwrap().is_some());
        assert!(matches!(trace_id(""), Err(Error::InvalidArgument(_))));
        assert!(matches!(optional_span_id("xyz"), Err(Error::InvalidArgument(_))));
        assert_eq!(min_severity(24).unwrap(), Severity(24));
        assert!(matches!(min_severity(25), Err(Error::InvalidArgument(_))));
        assert!(matches!(min_severity(-1), Err(Error::InvalidArgument(_))));
    }
}
