//! Events of a span and log records that belong to it.

use llm_observatory_core::attributes::{Attribute, Value};

/// Prefix of the event names of OpenTelemetry's GenAI semantic conventions, and of their attributes.
const GENAI: &str = "gen_ai.";

/// Attribute that names the event of a log record, for clients that know no event name of records (before OTLP 1.5, and
/// Python's `logging`).
const EVENT_NAME: &str = "event.name";

/// Whether a log record tells something of the LLM span that it was written in: messages, choices, details of a call.
///
/// `event_name` may be empty: then the attribute `event.name` has the name, and a record without any name counts if it has
/// an attribute `gen_ai.*`.
pub fn is_llm_event(event_name: &str, attributes: &[Attribute<'_>]) -> bool {
    if !event_name.is_empty() {
        return event_name.starts_with(GENAI);
    }
    let mut speaks = false;
    for attribute in attributes {
        if attribute.key == EVENT_NAME {
            return matches!(&attribute.value, Value::Str(name) if name.starts_with(GENAI));
        }
        speaks |= attribute.key.starts_with(GENAI);
    }
    speaks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn genai_records_are_told_from_others() {
        assert!(is_llm_event("gen_ai.client.inference.operation.details", &[]));
        assert!(is_llm_event("", &[Attribute::new("event.name", "gen_ai.choice")]));
        assert!(is_llm_event("", &[Attribute::new("gen_ai.system", "openai")]));
        assert!(!is_llm_event("http.request", &[Attribute::new("gen_ai.system", "openai")]));
        assert!(!is_llm_event("", &[Attribute::new("event.name", "exception")]));
        assert!(!is_llm_event("", &[Attribute::new("level", "info")]));
    }
}
