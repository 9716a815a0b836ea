//! gRPC: OTLP in, queries out, health and reflection beside them.

pub mod otlp;
pub mod query;
mod status;
