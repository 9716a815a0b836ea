//! The message of a unary request: read frame by frame, decompressed as it comes, charged as it grows.
//!
//! tonic's own reader reserves what a client *announces*, for every stream, and knows of no budget.

use std::io::{self, Write as _};

use bytes::{Buf as _, Bytes};
use flate2::write::GzDecoder;
use http::HeaderMap;
use http_body_util::BodyExt as _;
use llm_observatory_ingest::{Budget, Charge, IngestConfig};
use tokio::time::{Instant, timeout_at};
use tonic::body::Body;
use zstd::stream::write::Decoder as ZstdDecoder;

/// The head of a gRPC message: whether it is compressed, and its length in four bytes.
const HEAD: usize = 5;

/// Room that is made at a time for a message that is not compressed, at first.
const FIRST_ROOM: usize = 64 * 1024;

/// The largest window that a zstd stream may ask for: 32 MiB.
const MAX_WINDOW_LOG: u32 = 25;

/// Encodings that are understood, as `grpc-accept-encoding` tells clients.
pub(super) const ENCODINGS: &str = "identity,gzip,zstd";

/// Why there is no message.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unread {
    /// It is larger than allowed, compressed or not.
    #[error("larger than allowed")]
    TooLarge,
    /// There was no room for it while it came.
    #[error("no room")]
    NoRoom,
    /// It did not come in time.
    #[error("the request did not arrive within ingest.receive_within_ms")]
    TooSlow,
    /// Its encoding is not understood.
    #[error("the encoding of the request is not one of {ENCODINGS}")]
    Encoding,
    /// It is not one gRPC message.
    #[error("{0}")]
    Malformed(&'static str),
    /// The client left.
    #[error("the client left before the request was complete")]
    Left,
}

/// Reads the one message of a request, and gives its decompressed bytes with the charge for them.
pub(super) async fn read(
    headers: &HeaderMap,
    mut body: Body,
    config: &IngestConfig,
    budget: &Budget,
) -> Result<(Bytes, Charge), Unread> {
    let deadline = Instant::now() + config.receive_within();
    let patience = || (Instant::now() + config.patience()).min(deadline);
    let encoding = Encoding::of(headers)?;
    let charge = budget.take(0, patience()).await.ok_or(Unread::NoRoom)?;
    let mut message =
        Message { encoding, limit: config.max_request_bytes, head: Vec::new(), rest: 0, text: None, charge };
    loop {
        let frame = timeout_at(deadline, body.frame()).await.map_err(|_| Unread::TooSlow)?;
        let Some(frame) = frame else { return message.finish(&patience).await };
        if let Ok(data) = frame.map_err(|_| Unread::Left)?.into_data() {
            message.add(data, &patience).await?;
        }
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

/// A message that is arriving.
struct Message {
    encoding: Encoding,
    limit: usize,
    head: Vec<u8>,
    /// Bytes that are still to come.
    rest: usize,
    text: Option<Text>,
    charge: Charge,
}

/// What has come of it, decompressed.
enum Text {
    Plain(Vec<u8>),
    Gzip(GzDecoder<Vec<u8>>),
    Zstd(ZstdDecoder<'static, Vec<u8>>),
}

impl Message {
    async fn add(&mut self, mut data: Bytes, patience: &impl Fn() -> Instant) -> Result<(), Unread> {
        if self.text.is_none() {
            let head = data.split_to(data.len().min(HEAD - self.head.len()));
            self.head.extend_from_slice(&head);
            if self.head.len() < HEAD {
                return Ok(());
            }
            self.text = Some(self.open()?);
        }
        if data.len() > self.rest {
            return Err(Unread::Malformed("the request is more than one message"));
        }
        self.rest -= data.len();
        while !data.is_empty() {
            let Some(text) = &mut self.text else { break };
            let taken = text
                .add(&data, self.rest)
                .map_err(|_| Unread::Malformed("the request can't be decompressed"))?;
            data.advance(taken);
            let length = text.length();
            self.charge_for(length, patience).await?;
        }
        Ok(())
    }

    /// Reads the head, which is complete.
    fn open(&mut self) -> Result<Text, Unread> {
        let is_compressed = self.head[0];
        let length = u32::from_be_bytes([self.head[1], self.head[2], self.head[3], self.head[4]]);
        self.rest = usize::try_from(length).unwrap_or(usize::MAX);
        if self.rest > self.limit {
            return Err(Unread::TooLarge);
        }
        match (is_compressed, self.encoding) {
            (0, _) => Ok(Text::Plain(Vec::new())),
            (1, Encoding::Gzip) => Ok(Text::Gzip(GzDecoder::new(Vec::new()))),
            (1, Encoding::Zstd) => {
                let mut decoder = ZstdDecoder::new(Vec::new()).map_err(|_| Unread::NoRoom)?;
                decoder.window_log_max(MAX_WINDOW_LOG).map_err(|_| Unread::NoRoom)?;
                Ok(Text::Zstd(decoder))
            }
            (1, Encoding::Identity) => Err(Unread::Malformed(
                "the message is marked as compressed, and grpc-encoding does not say how",
            )),
            _ => Err(Unread::Malformed("the request does not begin with the head of a gRPC message")),
        }
    }

    async fn charge_for(&mut self, length: usize, patience: &impl Fn() -> Instant) -> Result<(), Unread> {
        if length > self.limit {
            return Err(Unread::TooLarge);
        }
        let more = length.saturating_sub(self.charge.bytes());
        match self.charge.grow(more, patience()).await {
            true => Ok(()),
            false => Err(Unread::NoRoom),
        }
    }

    async fn finish(mut self, patience: &impl Fn() -> Instant) -> Result<(Bytes, Charge), Unread> {
        let text = match self.text.take() {
            Some(text) if self.rest == 0 => text,
            _ => return Err(Unread::Malformed("the request ends within its message")),
        };
        let text = text.finish().map_err(|_| Unread::Malformed("the request can't be decompressed"))?;
        self.charge_for(text.len(), patience).await?;
        Ok((Bytes::from(text), self.charge))
    }
}

impl Text {
    /// Takes some of the data, and says how much: the decoders take what fills their buffer of 32 KiB, so that a bomb is
    /// noticed in time. `rest` is what will follow.
    fn add(&mut self, data: &[u8], rest: usize) -> io::Result<usize> {
        let taken = match self {
            Self::Plain(text) => {
                if text.capacity() - text.len() < data.len() {
                    // Room for what has come and as much again, and never for more than is to come.
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
