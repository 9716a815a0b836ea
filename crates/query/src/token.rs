//! Page tokens: the place in a list at which the next page starts.
//!
//! A token is the base64url of a version byte, a check, and a position. The check is a hash of the question and the
//! position. So a damaged token, or one of another question, is an error and does not select wrong rows. The position
//! holds the time range too, so that a range relative to now does not move from page to page.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::{Buf as _, BufMut as _};
use llm_observatory_core::ids::{MetricId, ProjectId, SeriesId, SpanId, TraceId};
use llm_observatory_core::text::Text;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_storage::repositories::TimeRange;
use llm_observatory_storage::repositories::llm::{LlmCursor, ModelCursor};
use llm_observatory_storage::repositories::log::LogCursor;
use llm_observatory_storage::repositories::metric::{MetricCursor, PointCursor};
use llm_observatory_storage::repositories::trace::TraceCursor;
use uuid::Uuid;

use crate::kind::Kind;

const VERSION: u8 = 2;
const CHECK_BYTES: usize = 8;
const SPAN_ID_BYTES: usize = 8;
const CONTEXT: &str = "llm-observatory 2026 page token";

/// The start of a page, as an opaque text. It is valid only for the question that it was returned for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageToken(String);

impl From<String> for PageToken {
    /// Accepts any text. The question that uses it checks whether it is a token.
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for PageToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A hash of everything that selects the rows of a list: its kind, project, period and filters, without its page.
#[derive(Debug)]
pub(crate) struct Fingerprint(blake3::Hasher);

impl Fingerprint {
    /// Starts a fingerprint with the kind and the project.
    pub(crate) fn of(kind: Kind, project: ProjectId) -> Self {
        let begun = Self(blake3::Hasher::new_derive_key(CONTEXT));
        begun.field(Some(kind.name())).field(Some(project.0.to_le_bytes()))
    }

    /// Adds a field: whether it is present, its length, and its bytes, so that different questions have different input.
    pub(crate) fn field(mut self, value: Option<impl AsRef<[u8]>>) -> Self {
        match value {
            None => self.0.update(&[0]),
            Some(value) => {
                let value = value.as_ref();
                self.0.update(&[1]).update(&(value.len() as u64).to_le_bytes()).update(value)
            }
        };
        self
    }

    /// The token of a position.
    pub(crate) fn token(&self, position: &impl Position) -> PageToken {
        let mut bytes = vec![VERSION];
        bytes.resize(1 + CHECK_BYTES, 0);
        position.put(&mut bytes);
        let check = self.check(&bytes[1 + CHECK_BYTES..]);
        bytes[1..1 + CHECK_BYTES].copy_from_slice(&check);
        PageToken(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The position in a token; `None` if this is no token of this question.
    pub(crate) fn open<P: Position>(&self, token: &PageToken) -> Option<P> {
        let bytes = URL_SAFE_NO_PAD.decode(&token.0).ok()?;
        let (version, bytes) = bytes.split_first()?;
        let (check, mut position) = bytes.split_at_checked(CHECK_BYTES)?;
        if *version != VERSION || check != self.check(position) {
            return None;
        }
        let opened = P::get(&mut position)?;
        position.is_empty().then_some(opened)
    }

    fn check(&self, position: &[u8]) -> [u8; CHECK_BYTES] {
        let mut check = [0; CHECK_BYTES];
        self.0.clone().update(position).finalize_xof().fill(&mut check);
        check
    }
}

/// A place in a list that can be written as bytes.
pub(crate) trait Position: Sized {
    /// Appends its bytes.
    fn put(&self, to: &mut Vec<u8>);

    /// Reads it from the front of the bytes; `None` if these are no such place.
    fn get(from: &mut &[u8]) -> Option<Self>;
}

impl<A: Position, B: Position> Position for (A, B) {
    fn put(&self, to: &mut Vec<u8>) {
        self.0.put(to);
        self.1.put(to);
    }

    fn get(from: &mut &[u8]) -> Option<Self> {
        Some((A::get(from)?, B::get(from)?))
    }
}

impl Position for UnixNanos {
    fn put(&self, to: &mut Vec<u8>) {
        to.put_u64(self.0);
    }

    fn get(from: &mut &[u8]) -> Option<Self> {
        from.try_get_u64().ok().map(Self)
    }
}

impl Position for Uuid {
    fn put(&self, to: &mut Vec<u8>) {
        to.put_u128(self.as_u128());
    }

    fn get(from: &mut &[u8]) -> Option<Self> {
        from.try_get_u128().ok().map(Self::from_u128)
    }
}

impl Position for i64 {
    fn put(&self, to: &mut Vec<u8>) {
        to.put_i64(*self);
    }

    fn get(from: &mut &[u8]) -> Option<Self> {
        from.try_get_i64().ok()
    }
}

/// With its length before it.
impl Position for String {
    fn put(&self, to: &mut Vec<u8>) {
        to.put_u64(self.len() as u64);
        to.put_slice(self.as_bytes());
    }

    fn get(from: &mut &[u8]) -> Option<Self> {
        let length = usize::try_from(from.try_get_u64().ok()?).ok()?;
        let (text, rest) = from.split_at_checked(length)?;
        *from = rest;
        String::from_utf8(text.to_vec()).ok()
    }
}

impl Position for TimeRange {
    fn put(&self, to: &mut Vec<u8>) {
        (self.start, self.end).put(to);
    }

    fn get(from: &mut &[u8]) -> Option<Self> {
        let (start, end) = Position::get(from)?;
        Some(Self { start, end })
    }
}

impl Position for TraceCursor {
    fn put(&self, to: &mut Vec<u8>) {
        (self.start_time, self.trace_id.uuid()).put(to);
    }

    fn get(from: &mut &[u8]) -> Option<Self> {
        let (start_time, trace_id) = Position::get(from)?;
        Some(Self { start_time, trace_id: TraceId::from_uuid(trace_id) })
    }
}

impl Position for LogCursor {
    fn put(&self, to: &mut Vec<u8>) {
        (self.time, self.id).put(to);
    }

    fn get(from: &mut &[u8]) -> Option<Self> {
        let (time, id) = Position::get(from)?;
        Some(Self { time, id })
    }
}

impl Position for LlmCursor {
    fn put(&self, to: &mut Vec<u8>) {
        (self.value, (self.start_time, self.trace_id.uuid())).put(to);
        to.put_slice(self.span_id.as_bytes());
    }

    fn get(from: &mut &[u8]) -> Option<Self> {
        let (value, (start_time, trace_id)) = Position::get(from)?;
        let (span, rest) = from.split_at_checked(SPAN_ID_BYTES)?;
        *from = rest;
        Some(Self {
            value,
            start_time,
            trace_id: TraceId::from_uuid(trace_id),
            span_id: SpanId::from_wire(span)?,
        })
    }
}

impl Position for ModelCursor {
    fn put(&self, to: &mut Vec<u8>) {
        (self.value, (self.provider.to_string(), self.model.to_string())).put(to);
    }

    fn get(from: &mut &[u8]) -> Option<Self> {
        let (value, (provider, model)): (_, (String, String)) = Position::get(from)?;
        Some(Self { value, provider: provider.into(), model: model.into() })
    }
}

impl Position for PointCursor {
    fn put(&self, to: &mut Vec<u8>) {
        (self.time, (self.series_id.0, self.start_time)).put(to);
    }

    fn get(from: &mut &[u8]) -> Option<Self> {
        let (time, (series_id, start_time)) = Position::get(from)?;
        Some(Self { time, series_id: SeriesId(series_id), start_time })
    }
}

impl Position for MetricCursor {
    /// The name takes the rest of the bytes, so this position must be the last.
    fn put(&self, to: &mut Vec<u8>) {
        self.id.0.put(to);
        to.put_slice(self.name.as_bytes());
    }

    fn get(from: &mut &[u8]) -> Option<Self> {
        let id = MetricId(Uuid::get(from)?);
        let name = std::str::from_utf8(std::mem::take(from)).ok()?;
        Some(Self { name: Text::from(name), id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traces_of(service: &str) -> Fingerprint {
        Fingerprint::of(Kind::ListTraces, ProjectId::DEFAULT).field(Some(service))
    }

    fn place() -> (TimeRange, TraceCursor) {
        let range = TimeRange { start: UnixNanos(1), end: UnixNanos(u64::MAX) };
        (range, TraceCursor { start_time: UnixNanos(1_234_567_891), trace_id: TraceId::from_foreign("t") })
    }

    #[test]
    fn a_token_returns_its_position() {
        let token = traces_of("chat").token(&place());
        assert_eq!(traces_of("chat").open(&token), Some(place()));
        let place = LlmCursor {
            value: -7,
            start_time: UnixNanos(9),
            trace_id: TraceId::from_foreign("t"),
            span_id: SpanId::from_wire(&[7; 8]).unwrap(),
        };
        assert_eq!(traces_of("").open(&traces_of("").token(&place)), Some(place));
        let place = ModelCursor { value: 1, provider: "".into(), model: "größe".into() };
        assert_eq!(traces_of("").open(&traces_of("").token(&place)), Some(place));
        let metric = MetricCursor { name: "größe".into(), id: MetricId(Uuid::from_u128(7)) };
        let token = traces_of("").token(&metric);
        assert_eq!(traces_of("").open(&token), Some(metric));
    }

    #[test]
    fn a_token_opens_only_for_its_own_question() {
        let token = traces_of("chat").token(&place());
        let opened = |other: Fingerprint| other.open::<(TimeRange, TraceCursor)>(&token);
        assert_eq!(opened(traces_of("other")), None);
        assert_eq!(opened(Fingerprint::of(Kind::ListLogs, ProjectId::DEFAULT).field(Some("chat"))), None);
        assert_eq!(opened(Fingerprint::of(Kind::ListTraces, ProjectId(2)).field(Some("chat"))), None);
        assert_eq!(traces_of("chat").open::<LogCursor>(&token), None, "a position of another length");
    }

    #[test]
    fn absent_and_empty_fields_are_different_questions() {
        let question = || Fingerprint::of(Kind::ListTraces, ProjectId::DEFAULT);
        let token = question().field(None::<&str>).field(Some("a")).token(&place());
        let opened = |other: Fingerprint| other.open::<(TimeRange, TraceCursor)>(&token).is_some();
        assert!(opened(question().field(None::<&str>).field(Some("a"))));
        assert!(!opened(question().field(Some("")).field(Some("a"))));
        assert!(!opened(question().field(Some("a")).field(None::<&str>)));
    }

    #[test]
    fn a_damaged_token_does_not_open() {
        let PageToken(token) = traces_of("chat").token(&place());
        let opened = |text: &str| {
            traces_of("chat").open::<(TimeRange, TraceCursor)>(&PageToken::from(text.to_owned()))
        };
        for damaged in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[damaged] = if bytes[damaged] == b'A' { b'B' } else { b'A' };
            let damaged = String::from_utf8(bytes).unwrap();
            assert_eq!(opened(&damaged), None, "{damaged}");
        }
        for text in ["", "x", "!", &token[..9], &format!("{token}AAAA")] {
            assert_eq!(opened(text), None, "{text}");
        }
    }
}
