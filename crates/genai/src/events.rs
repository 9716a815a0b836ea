//! Events of a span and log records that belong to it.

use std::borrow::Cow;

use llm_observatory_core::attributes::{Attribute, Value, find};
use llm_observatory_core::text::Text;
use llm_observatory_core::time::UnixNanos;

use crate::finish;
use crate::json::{at, structure};
use crate::observation::Event;
use crate::seen::Seen;
use crate::timing::tells_a_part;
use crate::value;

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
    if event_name.starts_with(GENAI) {
        return true;
    }
    let mut speaks = false;
    for attribute in attributes {
        if attribute.key == EVENT_NAME {
            return matches!(&attribute.value, Value::Str(name) if name.starts_with(GENAI));
        }
        speaks |= attribute.key.starts_with(GENAI);
    }
    speaks && event_name.is_empty()
}

/// What events tell that no slot holds.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Told {
    /// Why the choices ended, in the order of their events.
    pub(crate) finish_reasons: Vec<Text>,
    /// The class of the last exception.
    pub(crate) exception: Option<String>,
    /// When the first part of the answer came.
    pub(crate) first_part: Option<UnixNanos>,
}

/// Reads the events of a span: what its attributes do not tell goes into the slots.
pub(crate) fn join<'a>(seen: &mut Seen<'a>, events: &'a [Event<'a>]) -> Told {
    let mut told = Told::default();
    for event in events {
        let name = name(event);
        match name {
            "exception" | "gen_ai.client.operation.exception" => {
                told.exception = exception(event).or(told.exception.take());
            }
            "gen_ai.choice" => {
                if told.finish_reasons.len() < value::MAX_LIST {
                    told.finish_reasons.extend(finish_reason(event));
                }
                seen.slots.complete(event.attributes);
            }
            // A judgement of the span has a model, a response and an error of its own.
            "gen_ai.evaluation.result" => {}
            name if name.starts_with(GENAI) => {
                seen.slots.complete(event.attributes);
                if let Some(Value::Map(body)) = event.body {
                    seen.slots.complete(body);
                }
            }
            _ => {}
        }
        if tells_a_part(name) && event.time.is_known() {
            told.first_part = Some(told.first_part.map_or(event.time, |first| first.min(event.time)));
        }
    }
    told
}

fn name<'a>(event: &Event<'a>) -> &'a str {
    match event.body {
        Some(_) if !event.name.starts_with(GENAI) => {
            find(event.attributes, EVENT_NAME).and_then(Value::as_str).unwrap_or(event.name)
        }
        _ => event.name,
    }
}

fn exception(event: &Event<'_>) -> Option<String> {
    find(event.attributes, "exception.type").and_then(value::text).map(Cow::into_owned)
}

/// The reason in a choice: an attribute, or in the body of the record, which may be a map or its JSON. Azure's SDK has the
/// whole body in one attribute.
fn finish_reason(event: &Event<'_>) -> Option<Text> {
    let attribute = find(event.attributes, "finish_reason")
        .or_else(|| find(event.attributes, "gen_ai.choice.finish_reason"));
    if let Some(reason) = attribute.and_then(value::text) {
        return Some(finish::canonical(&reason));
    }
    let body = event.body.filter(|body| **body != Value::Empty);
    let body = structure(body.or_else(|| find(event.attributes, "gen_ai.event.content"))?)?;
    let reason = at(&body, &["finish_reason"]).and_then(value::text)?;
    Some(finish::canonical(&reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{event, with_events};

    #[test]
    fn genai_records_are_told_from_others() {
        assert!(is_llm_event("gen_ai.client.inference.operation.details", &[]));
        assert!(is_llm_event("", &[Attribute::new("event.name", "gen_ai.choice")]));
        assert!(is_llm_event("", &[Attribute::new("gen_ai.system", "openai")]));
        assert!(!is_llm_event("http.request", &[Attribute::new("gen_ai.system", "openai")]));
        assert!(!is_llm_event("", &[Attribute::new("event.name", "exception")]));
        assert!(!is_llm_event("", &[Attribute::new("level", "info")]));
    }

    #[test]
    fn records_tell_what_the_span_does_not() {
        let attributes = [
            Attribute::new("gen_ai.operation.name", "chat"),
            Attribute::new("gen_ai.request.model", "gpt-4o"),
        ];
        let details = [
            Attribute::new("gen_ai.request.model", "other"),
            Attribute::new("gen_ai.response.model", "gpt-4o-2024-08-06"),
            Attribute::new("gen_ai.usage.input_tokens", 100),
            Attribute::new("user.id", "u-1"),
        ];
        let body =
            Value::Map(vec![Attribute::new("index", 0), Attribute::new("finish_reason", "tool_calls")]);
        let evaluation =
            [Attribute::new("error.type", "judge_failed"), Attribute::new("gen_ai.response.id", "r-9")];
        let named = [Attribute::new("event.name", "gen_ai.choice")];
        let events = [
            Event {
                body: Some(&Value::Empty),
                ..event("gen_ai.client.inference.operation.details", 5, &details)
            },
            Event { body: Some(&body), ..event("", 9, &named) },
            Event { body: Some(&Value::Empty), ..event("gen_ai.evaluation.result", 9, &evaluation) },
        ];
        let reading = with_events("", "chat gpt-4o", None, &attributes, &events).unwrap();
        assert_eq!(reading.request_model.as_deref(), Some("gpt-4o"));
        assert_eq!(reading.response_model.as_deref(), Some("gpt-4o-2024-08-06"));
        assert_eq!((reading.usage.input, reading.user_id.as_deref()), (Some(100), Some("u-1")));
        assert_eq!(reading.finish_reasons, ["tool_call".into()]);
        assert_eq!((reading.error_type, reading.response_id), (None, None), "those are of the judgement");
    }

    #[test]
    fn the_last_exception_tells_the_error() {
        let attributes = [Attribute::new("gen_ai.operation.name", "chat")];
        let first = [Attribute::new("exception.type", "openai.APITimeoutError")];
        let last = [Attribute::new("exception.type", "openai.RateLimitError")];
        let events = [event("exception", 5, &first), event("exception", 9, &last)];
        let reading = with_events("", "chat", None, &attributes, &events).unwrap();
        assert_eq!(reading.error_type.as_deref(), Some("openai.RateLimitError"));
    }
}
