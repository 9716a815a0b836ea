//! Accepts connections within their limits.
//!
//! tonic's own loop accepts any number of connections, waits for the first byte of each without a limit, and spins when
//! the process runs out of file descriptors.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Sleep, sleep};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::server::{Connected, TcpConnectInfo};

use crate::connections::limit::{Connections, Place};

/// Pause after a connection could not be accepted: the cause (no file descriptors, say) lasts for a while.
const PAUSE: Duration = Duration::from_millis(100);

/// Most accepted connections that wait for the server to take them.
const WAITING: usize = 16;

/// Bytes of the preface with which every HTTP/2 connection begins (RFC 9113, 3.4).
const PREFACE_BYTES: usize = 24;

/// Accepts connections until `stop`, which closes the port. Returns the future that accepts them, and their stream.
pub(crate) fn accept(
    name: &'static str,
    listener: TcpListener,
    connections: Arc<Connections>,
    stop: CancellationToken,
) -> (impl Future<Output = ()> + Send, ReceiverStream<Result<Connection, Infallible>>) {
    let (sender, receiver) = mpsc::channel(WAITING);
    let accepting = async move {
        let run = run(name, listener, connections, sender);
        _ = stop.run_until_cancelled(run).await;
    };
    (accepting, ReceiverStream::new(receiver))
}

async fn run(
    name: &'static str,
    listener: TcpListener,
    connections: Arc<Connections>,
    to: mpsc::Sender<Result<Connection, Infallible>>,
) {
    let mut failing = false;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                failing = false;
                let Some(place) = connections.take(peer.ip()) else {
                    const LIMIT: &str = "connections.max or connections.max_per_address is reached";
                    tracing::debug!(server = name, peer = %peer.ip(), "connection closed: {LIMIT}");
                    continue;
                };
                // Nagle's algorithm would hold back small answers.
                _ = stream.set_nodelay(true);
                let connection = Connection::new(stream, place, connections.config().first_bytes());
                if to.send(Ok(connection)).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                match failing {
                    false => tracing::warn!(server = name, %error, "no connection can be accepted"),
                    true => tracing::debug!(server = name, %error, "no connection can be accepted"),
                }
                failing = true;
                sleep(PAUSE).await;
            }
        }
    }
}

/// An accepted connection. Reading from it fails if the preface does not arrive within `connections.first_bytes_ms`.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    first_bytes: Option<FirstBytes>,
    _place: Place,
}

#[derive(Debug)]
struct FirstBytes {
    /// Bytes of the preface that have not arrived yet.
    missing: usize,
    deadline: Pin<Box<Sleep>>,
}

impl Connection {
    fn new(stream: TcpStream, place: Place, first_bytes: Duration) -> Self {
        let first_bytes = FirstBytes { missing: PREFACE_BYTES, deadline: Box::pin(sleep(first_bytes)) };
        Self { stream, first_bytes: Some(first_bytes), _place: place }
    }
}

impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.stream.connect_info()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        let Some(first_bytes) = &mut self.first_bytes else { return read };
        let more = buffer.filled().len() - before;
        if more >= first_bytes.missing {
            self.first_bytes = None;
            return read;
        }
        first_bytes.missing -= more;
        if first_bytes.deadline.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
