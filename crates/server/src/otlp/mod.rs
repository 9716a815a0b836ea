//! The faces of OTLP: they hand requests to the pipelines of `ingest`, and turn the answers into responses.

pub(crate) mod grpc;
mod http;
