//! OTLP requests: strategies that make every shape that OTLP allows, and a form in which two of them can be compared.
//!
//! The strategies make only valid requests: ids have their length, span ids are unique in a request, and no metric stream
//! has two points of the same time. In all else they go to the limits of the protocol.

pub mod log;
pub mod metric;
pub mod normalise;
pub mod trace;
pub mod value;

#[cfg(test)]
mod tests;

pub use log::logs;
pub use metric::metrics;
pub use trace::traces;
