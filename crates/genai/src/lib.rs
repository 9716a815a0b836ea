#![doc = include_str!("../README.md")]

mod detect;
mod dialect;
mod errors;
mod events;
mod finish;
mod json;
mod kind;
mod money;
pub mod nesting;
mod notes;
mod observation;
mod parameters;
mod prices;
mod provider;
mod provider_usage;
mod reading;
mod rules;
mod seen;
mod slots;
#[cfg(test)]
mod tests;
mod timing;
mod usage;
mod value;

use llm_observatory_core::llm::{LlmKind, LlmReading};

pub use events::is_llm_event;
pub use observation::{Event, LogObservation, Observation, Scope, SpanObservation};

use seen::Seen;
use slots::Slot;

/// Version of [`read`]. It grows whenever a reading of the same observation may come out otherwise, so that stored
/// readings can be told from what they would be today.
pub const READING_VERSION: i16 = 1;

/// Reads the step of an LLM application out of an observation; `None` if there is none in it.
///
/// A span of another library costs some ten nanoseconds, an LLM span about a microsecond, and its events as much as they are
/// many. Whatever stands in the attributes: it does not fail, and does not panic.
pub fn read(observation: &Observation<'_>) -> Option<LlmReading> {
    let mut seen = Seen::of(observation)?;
    // Logfire sends a span when it starts, under an id of its own, and the real one when it ends.
    if seen.is(Slot::LogfireSpanType, "pending_span") {
        return None;
    }
    let rules = detect::rules(&seen)?;
    let told = seen.span.map(|span| events::join(&mut seen, span.events)).unwrap_or_default();
    let reading = reading::reading(&seen, &told, rules);
    // Programs log much else beside the steps of their agents.
    (seen.span.is_some() || reading.kind != LlmKind::Other).then_some(reading)
}
