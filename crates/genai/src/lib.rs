#![doc = include_str!("../README.md")]

mod content;
mod detect;
mod dialect;
mod events;
pub mod nesting;
mod observation;
pub mod prices;

use llm_observatory_core::llm::{LlmContent, LlmReading};

use detect::Dialect;

pub use events::is_llm_event;
pub use observation::{Event, LogObservation, Observation, Scope, SpanObservation};

/// Version of [`read`]. It grows whenever a reading of the same observation may come out otherwise, so that stored
/// readings can be told from what they would be today.
pub const READING_VERSION: i16 = 1;

/// Reads the LLM call out of an observation; `None` if there is none in it.
pub fn read(observation: &Observation<'_>) -> Option<LlmReading> {
    match detect::dialect(observation)? {
        Dialect::OtelGenai => Some(dialect::otel_genai::read(observation)),
    }
}

/// What was asked and answered in an observation, in whatever dialect it says so. Nothing that is said there fails: what is
/// no JSON is shown as text.
pub fn content(observation: &Observation<'_>) -> LlmContent {
    content::content(observation, read(observation).map(|reading| reading.kind))
}
