#![doc = include_str!("../README.md")]

mod detect;
mod dialect;
mod observation;
mod prices;

use llm_observatory_core::llm::LlmReading;

use detect::Dialect;

pub use observation::{Event, LogObservation, Observation, Scope, SpanObservation};

/// Reads the LLM call out of an observation; `None` if there is none in it.
pub fn read(observation: &Observation<'_>) -> Option<LlmReading> {
    match detect::dialect(observation)? {
        Dialect::OtelGenai => Some(dialect::otel_genai::read(observation)),
    }
}
