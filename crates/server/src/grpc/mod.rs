//! The gRPC faces besides OTLP: the query API, the books of ingest and reflection. And what all gRPC faces share:
//! deadlines and statuses.

pub(crate) mod deadline;
pub(crate) mod ingest;
pub(crate) mod query;
pub(crate) mod reflection;
pub(crate) mod status;
