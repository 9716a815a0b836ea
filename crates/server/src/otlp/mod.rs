//! The faces of OTLP: exports become requests of the pipelines in `ingest`, outcomes become answers.

pub mod grpc;
mod http;
