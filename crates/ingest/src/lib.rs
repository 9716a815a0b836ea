#![doc = include_str!("../README.md")]

mod admit;
mod batch;
pub mod config;
mod decode;
mod metrics;
pub mod pipeline;
mod receipt;
pub mod signal;
mod wire;
mod worker;

pub use config::IngestConfig;
pub use decode::{Reason, Rejections};
pub use metrics::Metrics;
pub use pipeline::{Accepted, Pipeline, Refusal};
pub use signal::{Logs, MetricPoints, Signal, Spans};
pub use wire::Malformed;
