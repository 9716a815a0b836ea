//! The face of the query API: turns messages into questions, and answers into messages. It decides nothing.

mod fields;
mod llm;
mod log;
mod metric;
mod times;
mod trace;

use llm_observatory_proto::v1::llm_service_server::{self, LlmServiceServer};
use llm_observatory_proto::v1::log_service_server::{self, LogServiceServer};
use llm_observatory_proto::v1::metric_service_server::{self, MetricServiceServer};
use llm_observatory_proto::v1::trace_service_server::{self, TraceServiceServer};
use llm_observatory_query::{Caller, Query};
use tonic::codec::CompressionEncoding::{Gzip, Zstd};
use tonic::metadata::MetadataMap;
use tonic::transport::server::Router;

use super::deadline;
use crate::identity;

pub(crate) use fields::Unreadable;

/// The full names of the query services.
pub(crate) const SERVICES: [&str; 4] = [
    trace_service_server::SERVICE_NAME,
    metric_service_server::SERVICE_NAME,
    log_service_server::SERVICE_NAME,
    llm_service_server::SERVICE_NAME,
];

/// The query services of all signals.
#[derive(Debug, Clone)]
struct Face {
    query: Query,
}

/// Adds the query services to a router, for messages of at most `max_message_bytes`.
pub(crate) fn services(router: Router, query: Query, max_message_bytes: usize) -> Router {
    let face = Face { query };
    macro_rules! limited {
        ($server:ident) => {
            $server::new(face.clone())
                .max_decoding_message_size(max_message_bytes)
                .send_compressed(Gzip)
                .send_compressed(Zstd)
        };
    }
    router
        .add_service(limited!(TraceServiceServer))
        .add_service(limited!(MetricServiceServer))
        .add_service(limited!(LogServiceServer))
        .add_service(limited!(LlmServiceServer))
}

/// The caller of a question: its project, and how long it waits.
fn caller(metadata: &MetadataMap) -> Caller {
    let timeout = metadata.get(deadline::HEADER).and_then(|timeout| timeout.to_str().ok());
    Caller { patience: timeout.and_then(deadline::parse), ..Caller::of(identity::project()) }
}
