//! The limits of connections, each by its name.

use std::time::Duration;

use llm_observatory_config::{Problems, Validate};
use serde::{Deserialize, Serialize};
use tonic::transport::Server;

/// The largest frame that clients may send. Many clients use it: fewer frames cost both sides less.
const MAX_FRAME_BYTES: u32 = 64 * 1024;

/// The window with which every connection begins (RFC 9113, 6.9.2).
const LEAST_WINDOW_BYTES: u32 = 65_535;
/// The largest window that HTTP/2 allows (RFC 9113, 6.9.1).
const MOST_WINDOW_BYTES: u32 = i32::MAX.unsigned_abs();

/// The limits of the connections of one port: the configuration section `connections`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ConnectionsConfig {
    /// Most connections in all; the daemon closes further ones at once.
    pub(crate) max: usize,
    /// Most connections from one address; the daemon closes further ones at once. All clients behind a proxy share its
    /// address.
    pub(crate) max_per_address: usize,
    /// Most requests at a time on one connection; clients hold further ones back. The Collector has 10 by default.
    pub(crate) max_streams: u32,
    /// Longest time until a new connection has sent the first bytes of HTTP/2, in milliseconds; then the daemon closes
    /// it.
    pub(crate) first_bytes_ms: u64,
    /// Most bytes of a connection that have arrived and that the daemon has not read yet; then the client must wait.
    pub(crate) window_bytes: u32,
    /// Most such bytes of one request. `max_streams` times as much must fit into `window_bytes`: requests that wait for
    /// room must not stop requests that have room.
    pub(crate) stream_window_bytes: u32,
    /// Most bytes of a message to any service but OTLP's, which have `ingest.max_request_bytes`.
    pub(crate) max_message_bytes: usize,
    /// Longest time from the head of a call to the head of its answer, in milliseconds; then the call fails.
    pub(crate) call_within_ms: u64,
    /// Most bytes of the headers of one request; one with more fails.
    pub(crate) max_header_bytes: u32,
    /// Most streams that a client may open and reset before the daemon has accepted them; then the daemon closes the
    /// connection (CVE-2023-44487).
    pub(crate) max_pending_resets: usize,
    /// Most streams that the daemon resets for errors of the client; then it closes the connection.
    pub(crate) max_error_resets: usize,
    /// Silence on a connection after which the daemon sends a ping, in milliseconds.
    pub(crate) keepalive_interval_ms: u64,
    /// Longest wait for the answer to a ping, in milliseconds; then the daemon closes the connection.
    pub(crate) keepalive_timeout_ms: u64,
}

impl Default for ConnectionsConfig {
    fn default() -> Self {
        Self {
            max: 1_024,
            max_per_address: 256,
            max_streams: 16,
            first_bytes_ms: 5_000,
            window_bytes: 1024 * 1024,
            stream_window_bytes: 64 * 1024,
            max_message_bytes: 64 * 1024,
            call_within_ms: 60_000,
            max_header_bytes: 16 * 1024,
            max_pending_resets: 20,
            max_error_resets: 1_024,
            keepalive_interval_ms: 30_000,
            keepalive_timeout_ms: 10_000,
        }
    }
}

impl Validate for ConnectionsConfig {
    fn validate(&self, problems: &mut Problems) {
        problems.at_least("max", self.max, 1);
        problems.at_least("max_per_address", self.max_per_address, 1);
        problems.at_least("max_streams", self.max_streams, 1);
        problems.at_least("first_bytes_ms", self.first_bytes_ms, 1);
        for (key, bytes) in
            [("window_bytes", self.window_bytes), ("stream_window_bytes", self.stream_window_bytes)]
        {
            problems.at_least(key, bytes, LEAST_WINDOW_BYTES);
            problems.at_most(key, bytes, MOST_WINDOW_BYTES);
        }
        problems.require(
            u64::from(self.stream_window_bytes) * u64::from(self.max_streams) <= u64::from(self.window_bytes),
            "stream_window_bytes",
            "must be at most connections.window_bytes / connections.max_streams: \
             requests that wait for room would stop the others",
        );
        problems.at_least("max_message_bytes", self.max_message_bytes, 1);
        problems.at_least("call_within_ms", self.call_within_ms, 1);
        problems.require(
            self.max_header_bytes >= 4_096,
            "max_header_bytes",
            "must be at least 4096, which the headers of ordinary clients need",
        );
        problems.at_least("max_pending_resets", self.max_pending_resets, 1);
        problems.at_least("max_error_resets", self.max_error_resets, 1);
        problems.at_least("keepalive_interval_ms", self.keepalive_interval_ms, 1);
        problems.at_least("keepalive_timeout_ms", self.keepalive_timeout_ms, 1);
    }
}

impl ConnectionsConfig {
    pub(crate) fn first_bytes(&self) -> Duration {
        Duration::from_millis(self.first_bytes_ms)
    }

    /// A server with these limits.
    pub(crate) fn server(&self) -> Server {
        Server::builder()
            .timeout(Duration::from_millis(self.call_within_ms))
            .max_concurrent_streams(Some(self.max_streams))
            .http2_keepalive_interval(Some(Duration::from_millis(self.keepalive_interval_ms)))
            .http2_keepalive_timeout(Some(Duration::from_millis(self.keepalive_timeout_ms)))
            .http2_max_pending_accept_reset_streams(Some(self.max_pending_resets))
            .http2_max_local_error_reset_streams(Some(self.max_error_resets))
            .http2_max_header_list_size(self.max_header_bytes)
            .max_frame_size(Some(MAX_FRAME_BYTES))
            .initial_stream_window_size(Some(self.stream_window_bytes))
            .initial_connection_window_size(Some(self.window_bytes))
    }
}
