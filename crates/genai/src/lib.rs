#![doc = include_str!("../README.md")]

mod content;
mod detect;
mod dialect;
mod observation;
mod prices;
mod write;

use llm_observatory_core::llm::{LlmContent, LlmReading};

use detect::Dialect;

pub use observation::{Event, LogObservation, Observation, Scope, SpanObservation};
pub use write::{attributes, remaining};

/// Reads the LLM call out of an observation; `None` if there is none in it.
pub fn read(observation: &Observation<'_>) -> Option<LlmReading> {
    if let Some(reading) = dialect::native::read(observation.attributes()) {
        return Some(reading);
    }
    match detect::dialect(observation)? {
        Dialect::OtelGenai => Some(dialect::otel_genai::read(observation)),
    }
}

/// What was asked and answered in an observation, in whatever dialect it says so. Nothing that is said there fails: what is
/// no JSON is shown as text.
pub fn content(observation: &Observation<'_>) -> LlmContent {
    content::content(observation, read(observation).map(|reading| reading.kind))
}
