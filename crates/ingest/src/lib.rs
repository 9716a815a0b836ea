#![doc = include_str!("../README.md")]

mod admit;
mod answer;
mod arriving;
mod attempt;
mod batch;
mod books;
mod config;
mod dead_letter;
pub mod decode;
mod llm_metrics;
mod metrics;
mod outcome;
mod pace;
mod pipeline;
mod posting;
mod receipt;
mod refusal;
mod request;
mod signal;
mod wire;
mod worker;

pub use admit::Charge;
pub use answer::Answer;
pub use arriving::Arriving;
pub use books::{Account, Books};
pub use config::IngestConfig;
pub use metrics::Metrics;
pub use pipeline::Pipeline;
pub use refusal::Refusal;
pub use signal::OtlpSignal;
pub use wire::Malformed;
