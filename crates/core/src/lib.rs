#![doc = include_str!("../README.md")]

pub mod attributes;
pub mod ids;
pub mod llm;
pub mod log;
pub mod metric;
mod named;
pub mod signal;
pub mod text;
pub mod time;
pub mod trace;

pub use attributes::{Attribute, Value};
pub use ids::{MetricId, ProjectId, ResourceId, ScopeId, SeriesId, SpanId, TraceId};
pub use llm::LlmSpan;
pub use signal::Signal;
pub use text::Text;
pub use time::UnixNanos;
