//! Reads the message of a unary request frame by frame, and decompresses it as it arrives, within the room that it
//! holds.
//!
//! tonic's own reader reserves for every stream as many bytes as the client announces, and has no budget.

use std::io::{self, Write as _};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use flate2::write::MultiGzDecoder;
use http::HeaderMap;
use http_body_util::BodyExt as _;
use llm_observatory_ingest::{Arriving, Charge, IngestConfig};
use tokio::time::{Instant, timeout_at};
use tonic::body::Body;
use zstd::stream::write::Decoder as ZstdDecoder;

/// Bytes of the head of a gRPC message: one for whether it is compressed, four for its length.
const HEAD: usize = 5;

/// Spare bytes in the buffer of a message that is not compressed, at first.
const FIRST_ROOM: usize = 64 * 1024;

/// Base-2 logarithm of the largest window that a zstd stream may ask for: 8 MiB, which every decoder should support
/// (RFC 8878, 3.1.1.1.2).
const MAX_WINDOW_LOG: u32 = 23;

/// Factor by which most telemetry is at most larger than its compressed form. A request that needs less gives the rest
/// back.
const USUAL_RATIO: usize = 16;

/// Memory of a gzip decoder besides the text that it writes: its state, tables and buffers.
const GZIP_BYTES: usize = 80 * 1024;
/// Memory of a zstd decoder besides the text that it writes. The text serves as its window.
const ZSTD_BYTES: usize = 256 * 1024;

const BREAKS_OFF: &str = "the request ends within its message";
const UNREADABLE: &str = "the request can't be decompressed";

/// The encodings that are understood, as the header `grpc-accept-encoding` lists them.
pub(crate) const ENCODINGS: &str = "identity,gzip,zstd";

/// Why a request could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unread {
    /// It is larger than `ingest.max_request_bytes`, compressed or decompressed.
    #[error("the request is larger than ingest.max_request_bytes")]
    TooLarge,
    /// There was no room for it within `ingest.patience_ms`.
    #[error("no room for this request within ingest.patience_ms")]
    NoRoom,
    /// It did not arrive in time.
    #[error(
        "the request did not arrive within ingest.receive_within_ms, or paused for ingest.receive_idle_ms; try again"
    )]
    TooSlow,
    /// Its encoding is not understood.
    #[error("grpc-encoding of the request must be one of {ENCODINGS}")]
    Encoding,
    /// It is not one gRPC message, for this reason.
    #[error("{0}")]
    Malformed(&'static str),
    /// The client left before the request was complete.
    #[error("the client left before the request was complete")]
    Left,
}

impl Unread {
    /// The reason in one word: a label of metrics.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::NoRoom => "no_room",
            Self::TooSlow => "too_slow",
            Self::Encoding => "encoding",
            Self::Malformed(_) => "not_grpc",
            Self::Left => "client_left",
        }
    }
}

/// A message that has arrived.
#[derive(Debug)]
pub(super) struct Message {
    /// Its bytes, decompressed.
    pub(super) bytes: Bytes,
    /// The charge for them.
    pub(super) charge: Charge,
    /// How long it waited for room.
    pub(super) waited: Duration,
}

/// Reads the one message of a request. Its waits for room take at most `ingest.patience_ms` together.
pub(super) async fn read(
    headers: HeaderMap,
    mut body: Body,
    config: &IngestConfig,
    arriving: &Arriving,
) -> Result<Message, Unread> {
    let deadline = Instant::now() + config.receive_within();
    let mut patience = Patience::new(config.patience());
    let encoding = Encoding::of(&headers)?;
    drop(headers); // they may be many, and the body may take long to arrive
    let mut head = Head { encoding, limit: config.max_request_bytes, bytes: Vec::with_capacity(HEAD) };
    let mut first_frame = Some(patience.wait(|until| arriving.begin(until)).await?);
    let mut message: Option<Incoming<'_>> = None;
    loop {
        let within = deadline.min(Instant::now() + config.receive_idle());
        let frame = timeout_at(within, body.frame()).await.map_err(|_| Unread::TooSlow)?;
        let Some(frame) = frame else {
            let (bytes, charge) = message.ok_or(Unread::Malformed(BREAKS_OFF))?.finish(&mut patience).await?;
            return Ok(Message { bytes, charge, waited: patience.waited });
        };
        let Ok(mut data) = frame.map_err(|_| Unread::Left)?.into_data() else { continue };
        if message.is_none() {
            let Some(announced) = head.add(&mut data)? else { continue };
            let room = patience.wait(|until| arriving.announce(announced.estimate(), until)).await?;
            message = Some(Incoming::new(announced, config.max_request_bytes, arriving, room)?);
            drop(first_frame.take());
        }
        if let Some(message) = &mut message {
            message.add(data, &mut patience).await?;
        }
    }
}

/// The time that a request may still wait for room.
struct Patience {
    most: Duration,
    waited: Duration,
}

impl Patience {
    fn new(most: Duration) -> Self {
        Self { most, waited: Duration::ZERO }
    }

    async fn wait<T, F>(&mut self, ask: impl FnOnce(Instant) -> F) -> Result<T, Unread>
    where
        F: Future<Output = Option<T>>,
    {
        let begin = Instant::now();
        let room = ask(begin + self.most.saturating_sub(self.waited)).await;
        self.waited += begin.elapsed();
        room.ok_or(Unread::NoRoom)
    }
}

/// How messages are compressed.
#[derive(Debug, Clone, Copy)]
enum Encoding {
    Identity,
    Gzip,
    Zstd,
}

impl Encoding {
    fn of(headers: &HeaderMap) -> Result<Self, Unread> {
        match headers.get("grpc-encoding").map(http::HeaderValue::as_bytes) {
            None | Some(b"identity") => Ok(Self::Identity),
            Some(b"gzip") => Ok(Self::Gzip),
            Some(b"zstd") => Ok(Self::Zstd),
            Some(_) => Err(Unread::Encoding),
        }
    }
}

/// The head of a message while it arrives.
struct Head {
    encoding: Encoding,
    limit: usize,
    bytes: Vec<u8>,
}

/// What the head of a message announces.
#[derive(Debug, Clone, Copy)]
struct Announced {
    compression: Option<Encoding>,
    /// Bytes of the message as sent.
    length: usize,
}

impl Head {
    /// Takes the bytes of the head from `data`. Returns what it announces once it is complete.
    fn add(&mut self, data: &mut Bytes) -> Result<Option<Announced>, Unread> {
        self.bytes.extend_from_slice(&data.split_to(data.len().min(HEAD - self.bytes.len())));
        let &[is_compressed, a, b, c, d] = &self.bytes[..] else { return Ok(None) };
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        if length > self.limit {
            return Err(Unread::TooLarge);
        }
        let compression = match (is_compressed, self.encoding) {
            (0, _) => None,
            (1, Encoding::Gzip | Encoding::Zstd) => Some(self.encoding),
            (1, Encoding::Identity) => {
                return Err(Unread::Malformed(
                    "the message is compressed, but the header grpc-encoding does not name the encoding",
                ));
            }
            _ => return Err(Unread::Malformed("the request does not begin with the head of a gRPC message")),
        };
        Ok(Some(Announced { compression, length }))
    }
}

impl Announced {
    /// Bytes that the message is likely to take, with its decoder.
    fn estimate(self) -> usize {
        match self.compression {
            None => self.length,
            Some(_) => self.decoder_bytes() + self.length * USUAL_RATIO,
        }
    }

    /// Memory of the decoder besides its result.
    fn decoder_bytes(self) -> usize {
        match self.compression {
            None | Some(Encoding::Identity) => 0,
            Some(Encoding::Gzip) => GZIP_BYTES,
            Some(Encoding::Zstd) => ZSTD_BYTES,
        }
    }
}

/// A message while it arrives.
struct Incoming<'a> {
    /// `ingest.max_request_bytes`.
    limit: usize,
    /// Bytes of it that have not arrived yet.
    rest: usize,
    text: Text,
    decoder_bytes: usize,
    arriving: &'a Arriving,
    charge: Charge,
}

/// The bytes that have arrived, decompressed.
enum Text {
    Plain(Vec<u8>),
    Gzip(MultiGzDecoder<Vec<u8>>),
    Zstd(ZstdDecoder<'static, Vec<u8>>),
}

impl<'a> Incoming<'a> {
    fn new(
        announced: Announced,
        limit: usize,
        arriving: &'a Arriving,
        charge: Charge,
    ) -> Result<Self, Unread> {
        let text = match announced.compression {
            // No larger than the charge; `add` grows it as bytes arrive.
            None | Some(Encoding::Identity) => {
                Text::Plain(Vec::with_capacity(announced.length.min(charge.bytes())))
            }
            Some(Encoding::Gzip) => Text::Gzip(MultiGzDecoder::new(Vec::new())),
            Some(Encoding::Zstd) => {
                let mut decoder = ZstdDecoder::new(Vec::new()).map_err(|_| Unread::NoRoom)?;
                decoder.window_log_max(MAX_WINDOW_LOG).map_err(|_| Unread::NoRoom)?;
                Text::Zstd(decoder)
            }
        };
        let decoder_bytes = announced.decoder_bytes();
        Ok(Self { limit, rest: announced.length, text, decoder_bytes, arriving, charge })
    }

    async fn add(&mut self, mut data: Bytes, patience: &mut Patience) -> Result<(), Unread> {
        self.rest = self
            .rest
            .checked_sub(data.len())
            .ok_or(Unread::Malformed("the request holds more than one message"))?;
        while !data.is_empty() {
            let taken = self.text.add(&data, self.rest).map_err(|_| Unread::Malformed(UNREADABLE))?;
            data.advance(taken);
            self.charge_for(self.text.length(), patience).await?;
        }
        Ok(())
    }

    async fn charge_for(&mut self, length: usize, patience: &mut Patience) -> Result<(), Unread> {
        if length > self.limit {
            return Err(Unread::TooLarge);
        }
        let bytes = length + self.decoder_bytes;
        if bytes > self.charge.bytes() {
            let grow = async |until| self.arriving.grow(&mut self.charge, bytes, until).await.then_some(());
            patience.wait(grow).await?;
        }
        Ok(())
    }

    async fn finish(mut self, patience: &mut Patience) -> Result<(Bytes, Charge), Unread> {
        if self.rest > 0 {
            return Err(Unread::Malformed(BREAKS_OFF));
        }
        let text = std::mem::replace(&mut self.text, Text::Plain(Vec::new()));
        let text = text.finish().map_err(|_| Unread::Malformed(UNREADABLE))?;
        self.charge_for(text.len(), patience).await?;
        self.charge.shrink_to(text.len());
        Ok((Bytes::from(text), self.charge))
    }
}

impl Text {
    /// Takes a part of the data, and returns its length. The decoders take no more than fills their buffer of 32 KiB,
    /// so that the size of a decompression bomb is noticed in time. `rest` is the number of bytes still to arrive.
    fn add(&mut self, data: &[u8], rest: usize) -> io::Result<usize> {
        let taken = match self {
            Self::Plain(text) => {
                if text.capacity() - text.len() < data.len() {
                    // Doubles the buffer, but makes no more room than for the bytes still to arrive.
                    let room = text.len().max(FIRST_ROOM).min(rest);
                    text.reserve_exact(data.len() + room);
                }
                text.extend_from_slice(data);
                data.len()
            }
            Self::Gzip(decoder) => decoder.write(data)?,
            Self::Zstd(decoder) => decoder.write(data)?,
        };
        match taken {
            0 => Err(io::ErrorKind::InvalidData.into()), // something follows the end of the compressed data
            taken => Ok(taken),
        }
    }

    fn length(&self) -> usize {
        match self {
            Self::Plain(text) => text.len(),
            Self::Gzip(decoder) => decoder.get_ref().len(),
            Self::Zstd(decoder) => decoder.get_ref().len(),
        }
    }

    fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Plain(text) => Ok(text),
            Self::Gzip(decoder) => decoder.finish(),
            Self::Zstd(decoder) => decoder.finish(),
        }
    }
}

#[cfg(test)]
mod tests;
