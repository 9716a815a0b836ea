//! Page tokens: where a list goes on, in a form that only the list itself can read.
//!
//! A token is the base64url of a version byte, a check, and a position. The check is a hash of the question and the
//! position: so a token that was damaged, or that comes with another question, is refused instead of giving wrong rows.
//! It holds the time range too, so that a range that is told relative to now does not move from page to page.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::{Buf as _, BufMut as _};
use llm_observatory_core::ids::{MetricId, SeriesId, TraceId};
use llm_observatory_core::text::Text;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_storage::repositories::TimeRange;
use llm_observatory_storage::repositories::log::LogCursor;
use llm_observatory_storage::repositories::metric::{MetricCursor, PointCursor};
use llm_observatory_storage::repositories::trace::TraceCursor;
use prost::Message;
use uuid::Uuid;

use crate::error::Error;

const VERSION: u8 = 1;
const CHECK_BYTES: usize = 8;
const CONTEXT: &str = "llm-observatory 2026 page token";

/// What was asked: everything but the page.
#[derive(Debug)]
pub(crate) struct Question(blake3::Hasher);

impl Question {
    /// The question of the list called `list`. `request` must come without its page size and token.
    pub(crate) fn new(list: &str, request: &impl Message) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
        for part in [list.as_bytes(), &request.encode_to_vec()] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        Self(hasher)
    }

    /// The token of a position; empty when there is none.
    pub(crate) fn token<P: Position>(&self, position: Option<&P>) -> String {
        position.map_or_else(String::new, |position| {
            let mut bytes = vec![VERSION];
            bytes.resize(1 + CHECK_BYTES, 0);
            position.put(&mut bytes);
            let check = self.check(&bytes[1 + CHECK_BYTES..]);
            bytes[1..1 + CHECK_BYTES].copy_from_slice(&check);
            URL_SAFE_NO_PAD.encode(bytes)
        })
    }

    /// The position of a token; `None` when the token is empty.
    pub(crate) fn position<P: Position>(&self, token: &str) -> Result<Option<P>, Error> {
        if token.is_empty() {
            return Ok(None);
        }
        let position = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| self.read(&bytes));
        position.map(Some).ok_or_else(|| {
            let message = "page_token does not belong to this request; leave it empty to begin anew";
            Error::InvalidArgument(message.to_owned())
        })
    }

    fn read<P: Position>(&self, bytes: &[u8]) -> Option<P> {
        let (version, bytes) = bytes.split_first()?;
        let (check, mut position) = bytes.split_at_checked(CHECK_BYTES)?;
        if *version != VERSION || check != self.check(position) {
            return None;
        }
        let read = P::get(&mut position)?;
        position.is_empty().then_some(read)
    }

    fn check(&self, position: &[u8]) -> [u8; CHECK_BYTES] {
        let mut check = [0; CHECK_BYTES];
        self.0.clone().update(position).finalize_xof().fill(&mut check);
        check
    }
}

/// A place in a list, as bytes.
pub(crate) trait Position: Sized {
    /// Writes it.
    fn put(&self, to: &mut Vec<u8>);

    /// Takes it from the front; `None` when it is not there.
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
    /// The name takes what is left, so this can only stand last.
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
    use llm_observatory_proto::v1::ListTracesRequest;

    use super::*;

    fn question(service: &str) -> Question {
        Question::new("traces", &ListTracesRequest { service: service.to_owned(), ..Default::default() })
    }

    fn place() -> (TimeRange, TraceCursor) {
        let range = TimeRange { start: UnixNanos(1), end: UnixNanos(u64::MAX) };
        (range, TraceCursor { start_time: UnixNanos(1_234_567_891), trace_id: TraceId::from_foreign("t") })
    }

    #[test]
    fn a_token_brings_the_position_back() {
        let token = question("chat").token(Some(&place()));
        assert_eq!(question("chat").position(&token).unwrap(), Some(place()));
        assert_eq!(question("chat").position::<(TimeRange, TraceCursor)>("").unwrap(), None);
        assert_eq!(question("chat").token::<TraceCursor>(None), "");
        let metric = MetricCursor { name: "größe".into(), id: MetricId(Uuid::from_u128(7)) };
        let token = question("").token(Some(&metric));
        assert_eq!(question("").position(&token).unwrap(), Some(metric));
    }

    #[test]
    fn a_token_answers_only_its_own_question() {
        let token = question("chat").token(Some(&place()));
        let refused = |question: Question| question.position::<(TimeRange, TraceCursor)>(&token).is_err();
        assert!(refused(question("other")));
        assert!(refused(Question::new(
            "logs",
            &ListTracesRequest { service: "chat".into(), ..Default::default() }
        )));
        assert!(question("chat").position::<LogCursor>(&token).is_err(), "a position of another length");
    }

    #[test]
    fn a_damaged_token_is_refused() {
        let token = question("chat").token(Some(&place()));
        for damaged in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[damaged] = if bytes[damaged] == b'A' { b'B' } else { b'A' };
            let damaged = String::from_utf8(bytes).unwrap();
            assert!(question("chat").position::<(TimeRange, TraceCursor)>(&damaged).is_err(), "{damaged}");
        }
        for text in ["x", "!", &token[..9], &format!("{token}AAAA")] {
            assert!(question("chat").position::<(TimeRange, TraceCursor)>(text).is_err(), "{text}");
        }
    }
}
