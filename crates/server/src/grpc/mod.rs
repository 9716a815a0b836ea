//! gRPC: OTLP in, queries out, the books of the way in, health and reflection beside them.

mod deadline;
pub mod ingest;
mod message;
pub mod otlp;
pub mod query;
pub(crate) mod reflection;
mod status;
