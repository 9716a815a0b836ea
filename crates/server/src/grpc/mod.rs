//! gRPC: the query API, the books of the way in, reflection; and what all gRPC faces share, deadlines and statuses.

pub(crate) mod deadline;
pub mod ingest;
pub mod query;
pub(crate) mod reflection;
pub(crate) mod status;
