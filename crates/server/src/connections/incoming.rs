//! Accepts connections within their limits.
//!
//! tonic's own loop takes any number of connections, waits for the first byte of each for ever, and spins when the process
//! runs out of file descriptors.

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

/// How long nothing is accepted after an error: the cause (no file descriptors, say) does not pass in an instant.
const PAUSE: Duration = Duration::from_millis(100);

/// Accepted connections that the server has not looked at yet.
const WAITING: usize = 16;

/// The preface that every HTTP/2 connection begins with (RFC 9113, 3.4).
const PREFACE_BYTES: usize = 24;

/// Connections of the listener, until `stop`: then nothing more is accepted, and the port is closed.
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
                    tracing::debug!(server = name, peer = %peer.ip(), "connection closed: there are too many");
                    continue;
                };
                // Small answers must not wait for more.
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

/// An accepted connection. Until its first bytes have come it may only be so old.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    first_bytes: Option<FirstBytes>,
    _place: Place,
}

#[derive(Debug)]
struct FirstBytes {
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
