//! One span, before it becomes protobuf or a row.

use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use serde_json::Value;

/// The application: a gateway, and the services behind it.
pub(crate) const SERVICES: [&str; 5] = ["web-gateway", "chat-api", "support-agent", "retrieval", "billing"];

pub(crate) type SpanId = [u8; 8];
/// Attributes in the order in which they are sent.
pub(crate) type Attributes = Vec<(&'static str, Value)>;

/// One span, before it becomes protobuf or a row.
pub(crate) struct Span {
    pub(crate) service: usize,
    pub(crate) instance: usize,
    /// The instrumentation scope's name.
    pub(crate) scope: &'static str,
    pub(crate) trace_id: [u8; 16],
    pub(crate) span_id: SpanId,
    pub(crate) parent: Option<SpanId>,
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) name: String,
    pub(crate) kind: SpanKind,
    pub(crate) status: StatusCode,
    pub(crate) attributes: Attributes,
    pub(crate) events: Vec<Event>,
}

/// One event of a span.
pub(crate) struct Event {
    pub(crate) time: u64,
    pub(crate) name: &'static str,
    pub(crate) attributes: Attributes,
}
