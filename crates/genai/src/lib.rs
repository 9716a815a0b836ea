#![doc = include_str!("../README.md")]

mod content;
mod detect;
mod dialect;
mod errors;
mod events;
mod finish;
mod json;
mod kind;
mod log_call;
mod money;
pub mod nesting;
mod notes;
mod observation;
mod parameters;
pub mod prices;
mod provider;
mod provider_usage;
mod reading;
pub mod repeats;
mod rules;
mod seen;
mod slots;
pub mod speaker;
#[cfg(test)]
mod tests;
mod timing;
mod usage;
mod value;
mod write;

use llm_observatory_core::llm::{LlmContent, LlmKind, LlmReading};

pub use events::is_llm_event;
pub use log_call::{LogCall, log_call};
pub use observation::{Event, LogObservation, Observation, Scope, SpanObservation};
pub use write::{attributes, remaining};

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
    if let Observation::Span(span) = observation
        && seen.has(Slot::Native)
        && let Some(reading) = dialect::native::read(span.attributes)
    {
        return Some(reading);
    }
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

/// What was asked and answered in an observation, in whatever dialect it says so. Nothing that is said there fails: what is
/// no JSON is shown as text.
pub fn content(observation: &Observation<'_>) -> LlmContent {
    content::content(observation, read(observation).as_ref())
}
