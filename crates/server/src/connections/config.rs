//! The limits of connections, each by its name.

use std::time::Duration;

use llm_observatory_storage::config::Problem;
use serde::{Deserialize, Serialize};
use tonic::transport::Server;

/// A client that is gone without a word is noticed.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// The largest frame that clients may send: many make use of it, and fewer frames cost both sides less.
const MAX_FRAME_BYTES: u32 = 64 * 1024;

/// Streams that a client may open and reset before it is sent away (CVE-2023-44487), and that our own errors may reset.
const MAX_PENDING_RESETS: usize = 20;
const MAX_ERROR_RESETS: usize = 1_024;

/// The limits of the connections of one port.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConnectionsConfig {
    /// Most connections in all; further ones are closed at once.
    pub max: usize,
    /// Most connections from one address. A proxy brings those of all its clients.
    pub max_per_address: usize,
    /// Most requests at a time on one connection. The Collector uses 10 by default.
    pub max_streams: u32,
    /// Longest time until a connection has sent the first bytes of HTTP/2, in milliseconds.
    pub first_bytes_ms: u64,
    /// Bytes that a connection may have sent and that were not read yet.
    pub window_bytes: u32,
    /// Bytes of one request on it that were not read yet. A fraction of the above: requests that wait for room must not keep
    /// those on the same connection from arriving that have it.
    pub stream_window_bytes: u32,
    /// Most bytes of the headers of one request.
    pub max_header_bytes: u32,
}

impl Default for ConnectionsConfig {
    fn default() -> Self {
        Self {
            max: 1_024,
            max_per_address: 256,
            max_streams: 128,
            first_bytes_ms: 5_000,
            window_bytes: 1024 * 1024,
            stream_window_bytes: 64 * 1024,
            max_header_bytes: 16 * 1024,
        }
    }
}

impl ConnectionsConfig {
    /// Everything that is wrong with the values, each with what to do.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems: Vec<_> = [
            (self.max, "max"),
            (self.max_per_address, "max_per_address"),
            (self.max_streams as usize, "max_streams"),
            (usize::try_from(self.first_bytes_ms).unwrap_or(usize::MAX), "first_bytes_ms"),
        ]
        .into_iter()
        .filter(|(value, _)| *value == 0)
        .map(|(_, key)| Problem::new(key, "must be at least 1"))
        .collect();
        // RFC 9113, 6.9.1 and 6.9.2: the window that every connection begins with, and the largest one.
        let windows = 65_535..=i32::MAX.unsigned_abs();
        for (bytes, key) in
            [(self.window_bytes, "window_bytes"), (self.stream_window_bytes, "stream_window_bytes")]
        {
            if !windows.contains(&bytes) {
                problems.push(Problem::new(key, "must be between 65535 and 2147483647"));
            }
        }
        if self.stream_window_bytes > self.window_bytes {
            problems.push(Problem::new("stream_window_bytes", "must not be more than window_bytes"));
        }
        if self.max_header_bytes < 4_096 {
            problems.push(Problem::new(
                "max_header_bytes",
                "must be at least 4096: headers of ordinary clients need them",
            ));
        }
        problems
    }

    pub(crate) fn first_bytes(&self) -> Duration {
        Duration::from_millis(self.first_bytes_ms)
    }

    /// A server within these limits.
    pub(crate) fn server(&self) -> Server {
        Server::builder()
            .max_concurrent_streams(Some(self.max_streams))
            .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
            .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
            .http2_max_pending_accept_reset_streams(Some(MAX_PENDING_RESETS))
            .http2_max_local_error_reset_streams(Some(MAX_ERROR_RESETS))
            .http2_max_header_list_size(self.max_header_bytes)
            .max_frame_size(Some(MAX_FRAME_BYTES))
            .initial_stream_window_size(Some(self.stream_window_bytes))
            .initial_connection_window_size(Some(self.window_bytes))
    }
}
