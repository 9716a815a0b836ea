//! Streaming, and the time to the first part of the answer.

use llm_observatory_core::time::UnixNanos;

use crate::rules::{Rules, Unit};
use crate::seen::Seen;
use crate::slots::Slot::{self, *};

const NANOS_PER_SECOND: f64 = 1e9;
const NANOS_PER_MILLI: f64 = 1e6;

/// How many times the length of its span a time to the first token may be before it is taken for another unit: clocks of a
/// span and of a library differ a little.
const TOO_LONG: i64 = 2;

/// Where streaming is told, in the order of precedence.
const STREAMING: &[Slot] = &[
    Stream,
    IsStreaming,
    LlmIsStreaming,
    IsStream,
    LitellmStreaming,
    LangsmithStreaming,
    SpringStream,
    PlainStream,
];

/// Whether the answer was streamed: as the span tells, as its parameters ask, as its name says, or since parts came.
pub(crate) fn streaming(
    seen: &Seen<'_>,
    asked: Option<bool>,
    first_event: Option<UnixNanos>,
) -> Option<bool> {
    let by_operation = || match seen.str(&[VercelOperationId])?.rsplit('.').next()? {
        "doStream" | "streamText" | "streamObject" => Some(true),
        "doGenerate" | "generateText" | "generateObject" => Some(false),
        _ => None,
    };
    // Only streams have a first part of the answer.
    let parts = [
        TimeToFirstChunk,
        ClientTimeToFirstChunk,
        VercelMsToFirstChunk,
        VercelStreamMsToFirstChunk,
        LangfuseCompletionStart,
        FirstTokenMillis,
        PlainTtft,
    ];
    let by_parts = || (first_event.is_some() || parts.iter().any(|slot| seen.has(*slot))).then_some(true);
    seen.truth(STREAMING).or(asked).or_else(by_operation).or_else(by_parts)
}

/// Nanoseconds from the start of the span to the first part of the answer. `first_event` is the time of the first event that
/// tells of a part.
pub(crate) fn first_token(seen: &Seen<'_>, rules: &dyn Rules, first_event: Option<UnixNanos>) -> Option<i64> {
    let server = match rules.first_token_unit() {
        Unit::Seconds => NANOS_PER_SECOND,
        Unit::Millis => NANOS_PER_MILLI,
    };
    // vLLM tells it as a latency.
    let seconds = [TimeToFirstChunk, ClientTimeToFirstChunk, LatencyToFirstToken];
    let told = told(seen, &seconds, NANOS_PER_SECOND)
        .or_else(|| told(seen, &[ServerTimeToFirstToken], server))
        .or_else(|| {
            let millis = [VercelMsToFirstChunk, VercelStreamMsToFirstChunk, FirstTokenMillis, PlainTtft];
            told(seen, &millis, NANOS_PER_MILLI)
        });
    // A log record tells it in the unit that its key names.
    let Some(span) = seen.span else { return told };
    let since_start = |time: UnixNanos| {
        (span.start_time.is_known() && time >= span.start_time).then(|| time.since(span.start_time))
    };
    told.and_then(|nanos| in_span(nanos, span.start_time, span.end_time))
        .or_else(|| {
            seen.str(&[LangfuseCompletionStart]).and_then(|text| instant(&text)).and_then(since_start)
        })
        .or_else(|| first_event.and_then(since_start))
}

fn told(seen: &Seen<'_>, slots: &[Slot], unit: f64) -> Option<i64> {
    let nanos = seen.number(slots)? * unit;
    // 9.2e18 is less than the largest i64, so the cast is exact but for the rounding.
    (0.0..9.2e18).contains(&nanos).then(|| nanos.round() as i64)
}

/// A first token does not come long after the end of its span: then the number is in thousandths of what its key says.
fn in_span(nanos: i64, start: UnixNanos, end: UnixNanos) -> Option<i64> {
    if !start.is_known() || end <= start {
        return Some(nanos);
    }
    let limit = end.since(start).saturating_mul(TOO_LONG);
    [nanos, nanos / 1000].into_iter().find(|nanos| *nanos <= limit)
}

/// Whether an event tells of a part of the answer.
pub(crate) fn tells_a_part(event: &str) -> bool {
    matches!(
        event,
        "First Token Stream Event"
            | "ai.stream.firstChunk"
            | "llm.content.completion.chunk"
            | "gen_ai.content.completion.chunk"
            | "mlflow.chunk.item.0"
    )
}

/// A time as ISO 8601 has it, in UTC or with an offset: `2026-11-25T17:30:00.250Z`.
fn instant(text: &str) -> Option<UnixNanos> {
    let (date, time) = text.split_once(['T', ' '])?;
    let mut parts = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if !(1970..=2500).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let (time, offset) = match time.find(['Z', '+', '-']) {
        Some(at) => (&time[..at], offset_seconds(&time[at..])?),
        None => (time, 0),
    };
    let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut parts = clock.splitn(3, ':').map(|part| part.parse::<i64>().ok());
    let (hour, minute) = (parts.next()??, parts.next()??);
    let second = parts.next().unwrap_or(Some(0))?;
    if !(0..24).contains(&hour) || !(0..60).contains(&minute) || !(0..=60).contains(&second) {
        return None;
    }
    let seconds = days_since_1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset;
    let nanos = nanos_of(fraction)?;
    u64::try_from(seconds)
        .ok()
        .and_then(|seconds| seconds.checked_mul(1_000_000_000)?.checked_add(nanos))
        .map(UnixNanos)
}

fn offset_seconds(text: &str) -> Option<i64> {
    if text == "Z" {
        return Some(0);
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let digits: String = text[1..].chars().filter(|digit| *digit != ':').collect();
    let number: i64 = digits.parse().ok().filter(|_| digits.len() == 4)?;
    Some(sign * (number / 100 * 3600 + number % 100 * 60))
}

fn nanos_of(fraction: &str) -> Option<u64> {
    if !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    format!("{fraction:0<9}").get(..9)?.parse().ok()
}

/// Days of the Gregorian calendar, whose years begin in March here, so that leap days end them.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let months_since_march = (month + 9) % 12;
    let day_of_year = (153 * months_since_march + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read() {
        for (text, nanos) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2023-11-14T22:13:20.250000Z", Some(1_700_000_000_250_000_000)),
            ("2023-11-14T23:13:20.25+01:00", Some(1_700_000_000_250_000_000)),
            ("2024-02-29T00:00:00.000000001Z", Some(1_709_164_800_000_000_001)),
            ("2023-11-14 22:13:20", Some(1_700_000_000_000_000_000)),
            ("2023-11-14", None),
            ("yesterday", None),
            ("2023-13-14T22:13:20Z", None),
            ("2023-11-14T22:13:20+ä", None),
            ("2023-11-14T22:13:20.ä", None),
            ("9999999999999-01-01T00:00:00Z", None),
        ] {
            assert_eq!(instant(text), nanos.map(UnixNanos), "{text}");
        }
    }

    #[test]
    fn the_wrong_unit_is_noticed() {
        let (start, end) = (UnixNanos(1), UnixNanos(2_000_000_001));
        assert_eq!(in_span(250_000_000, start, end), Some(250_000_000));
        assert_eq!(
            in_span(250_000_000_000, start, end),
            Some(250_000_000),
            "milliseconds under a key of seconds"
        );
        assert_eq!(in_span(250_000_000_000_000_000, start, end), None);
        assert_eq!(in_span(7, start, UnixNanos::UNKNOWN), Some(7), "it runs still");
    }
}
