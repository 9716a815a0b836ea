//! A client of the daemon's admin port.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::eventually::deadline;

/// The status and the body of the answer to `GET path`.
///
/// # Panics
/// When no answer of HTTP comes within the deadline.
pub async fn get(address: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.expect("a daemon that listens");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("a connection that lives");
    let mut answer = String::new();
    let read = timeout(deadline(), stream.read_to_string(&mut answer)).await;
    read.expect("an answer in time").expect("an answer in UTF-8");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.expect("a status"), body.to_owned())
}
