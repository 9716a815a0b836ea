//! HTTP/2 as no honest client speaks it: streams that are begun and not finished.

use std::net::SocketAddr;

use bytes::{BufMut as _, Bytes, BytesMut};
use h2::client::{ResponseFuture, SendRequest};
use h2::{Error, SendStream};
use harness::Daemon;
use harness::raw::TRACES;
use http::Request;
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinHandle;

/// A TCP connection from this address of loopback, all of whose addresses are ours.
pub(super) async fn tcp_from(address: [u8; 4], daemon: &Daemon) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((address, 0)))?;
    socket.connect(daemon.ingest().parse().unwrap()).await
}

/// An HTTP/2 connection. The task ends with it, and tells how it ended.
pub(super) async fn connect(
    from: [u8; 4],
    daemon: &Daemon,
) -> std::io::Result<(SendRequest<Bytes>, JoinHandle<Result<(), Error>>)> {
    let tcp = tcp_from(from, daemon).await?;
    let (client, connection) = h2::client::handshake(tcp).await.map_err(std::io::Error::other)?;
    Ok((client, tokio::spawn(connection)))
}

/// Begins an export, whose body is to be sent.
pub(super) async fn begin(client: &SendRequest<Bytes>) -> Result<(ResponseFuture, SendStream<Bytes>), Error> {
    call(client, TRACES).await
}

/// Begins a call of any method.
pub(super) async fn call(
    client: &SendRequest<Bytes>,
    method: &str,
) -> Result<(ResponseFuture, SendStream<Bytes>), Error> {
    let request = Request::post(format!("http://observatory{method}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    client.clone().ready().await?.send_request(request.body(()).unwrap(), false)
}

/// The head of a gRPC message that is said to have this length.
pub(super) fn head(length: u32) -> Bytes {
    let mut head = BytesMut::new();
    head.put_u8(0);
    head.put_u32(length);
    head.freeze()
}
