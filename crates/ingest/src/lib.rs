#![doc = include_str!("../README.md")]

mod admit;
mod arrival;
mod arriving;
mod batch;
mod books;
pub mod config;
pub mod decode;
mod flight;
mod metrics;
mod pace;
pub mod pipeline;
mod receipt;
mod refusal;
pub mod signal;
mod wire;
mod worker;

pub use admit::Charge;
pub use arriving::Arriving;
pub use books::{Account, Books};
pub use config::IngestConfig;
pub use decode::{Reason, Rejections};
pub use metrics::Metrics;
pub use pipeline::{Accepted, Pipeline};
pub use refusal::Refusal;
pub use signal::{Logs, MetricPoints, Signal, Spans};
pub use wire::Malformed;
