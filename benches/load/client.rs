//! Sends encoded requests over HTTP/2 and times the answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use bytes::{Buf, BufMut, Bytes};
use http::uri::PathAndQuery;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use tokio::task::JoinSet;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};

const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
/// How long after a refusal the same request is sent again.
const RETRY_AFTER: Duration = Duration::from_millis(200);
/// How long one request is tried before the run fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// Connections to the daemon.
pub(crate) struct Client {
    channels: Vec<Channel>,
    in_flight: u64,
}

/// When requests are due, if not as soon as possible.
#[derive(Clone, Copy)]
pub(crate) struct Pace {
    every: Duration,
}

/// The figures of one round.
pub(crate) struct Sent {
    pub(crate) elapsed: Duration,
    /// Time to the answer of each request, sorted. At a pace, counted from when the request was due.
    pub(crate) answers: Vec<Duration>,
    /// Refusals after which the request was sent again.
    pub(crate) refused: u64,
}

/// What the senders of one round share.
struct Work {
    requests: Vec<Bytes>,
    next: AtomicUsize,
    refused: AtomicU64,
    pace: Option<Pace>,
    start: Instant,
}

impl Pace {
    pub(crate) fn new(spans_per_second: u64, request_spans: u64) -> Self {
        Self { every: Duration::from_secs_f64(request_spans as f64 / spans_per_second as f64) }
    }
}

impl Client {
    /// Opens every connection, so that no handshake is measured.
    pub(crate) async fn connect(address: &str, connections: u64, in_flight: u64) -> Result<Self> {
        let endpoint =
            Endpoint::from_shared(address.to_owned()).context("the ingest address is not a URL")?;
        let mut channels = Vec::new();
        for _ in 0..connections {
            channels.push(endpoint.connect().await.with_context(|| format!("connecting to {address}"))?);
        }
        Ok(Self { channels, in_flight })
    }

    /// Sends every request, and repeats it while the daemon refuses it for now.
    pub(crate) async fn send(&self, requests: &[Bytes], pace: Option<Pace>) -> Result<Sent> {
        let work = Arc::new(Work {
            requests: requests.to_vec(),
            next: AtomicUsize::new(0),
            refused: AtomicU64::new(0),
            pace,
            start: Instant::now(),
        });
        let mut senders = JoinSet::new();
        for channel in &self.channels {
            for _ in 0..self.in_flight {
                senders.spawn(sender(channel.clone(), work.clone()));
            }
        }
        let mut answers = Vec::with_capacity(requests.len());
        while let Some(sender) = senders.join_next().await {
            answers.extend(sender??);
        }
        let elapsed = work.start.elapsed();
        ensure!(answers.len() == requests.len(), "{} answers to {} requests", answers.len(), requests.len());
        answers.sort_unstable();
        Ok(Sent { elapsed, answers, refused: work.refused.load(Ordering::Relaxed) })
    }
}

/// Keeps one request in flight until there are none left.
async fn sender(channel: Channel, work: Arc<Work>) -> Result<Vec<Duration>> {
    let mut grpc = Grpc::new(channel);
    let mut answers = Vec::new();
    loop {
        let index = work.next.fetch_add(1, Ordering::Relaxed);
        let Some(body) = work.requests.get(index) else {
            return Ok(answers);
        };
        let due = match work.pace {
            Some(pace) => work.start + pace.every.mul_f64(index as f64),
            None => Instant::now(),
        };
        tokio::time::sleep_until(due.into()).await;
        while let Err(status) = export(&mut grpc, body.clone()).await? {
            ensure!(due.elapsed() < PATIENCE, "refused for {PATIENCE:?}: {status}");
            work.refused.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(RETRY_AFTER).await;
        }
        answers.push(due.elapsed());
    }
}

/// One attempt. A refusal for now is `Ok(Err)`; anything else that is not a plain acknowledgement fails the run.
async fn export(grpc: &mut Grpc<Channel>, body: Bytes) -> Result<Result<(), Status>> {
    grpc.ready().await.context("the connection broke")?;
    let path = PathAndQuery::from_static(EXPORT);
    let answer = match grpc.unary(tonic::Request::new(body), path, Verbatim).await {
        Ok(answer) => answer.into_inner(),
        Err(status) if matches!(status.code(), Code::Unavailable | Code::ResourceExhausted) => {
            return Ok(Err(status));
        }
        Err(status) => bail!("an export failed: {status}"),
    };
    if let Some(partial) = answer.partial_success {
        bail!("{} spans were rejected: {}", partial.rejected_spans, partial.error_message);
    }
    Ok(Ok(()))
}

/// Sends bytes that are a message already: encoding is not what is measured.
struct Verbatim;

impl Codec for Verbatim {
    type Encode = Bytes;
    type Decode = ExportTraceServiceResponse;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Verbatim {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, body: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.reserve(body.remaining());
        buffer.put(body);
        Ok(())
    }
}

impl Decoder for Verbatim {
    type Item = ExportTraceServiceResponse;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Self::Item>, Status> {
        ExportTraceServiceResponse::decode(buffer)
            .map(Some)
            .map_err(|error| Status::internal(format!("not an export response: {error}")))
    }
}
