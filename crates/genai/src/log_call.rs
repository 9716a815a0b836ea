//! Calls that log records tell by themselves, as coding agents do.

use llm_observatory_core::llm::LlmReading;
use llm_observatory_core::text::Text;

use crate::events::Told;
use crate::observation::{LogObservation, Observation};
use crate::seen::Seen;
use crate::slots::Slot;
use crate::{detect, reading, value};

const NANOS_PER_MILLI: f64 = 1e6;
/// Longest duration that is believed, in milliseconds: a year.
const LONGEST_MILLIS: f64 = 365.0 * 24.0 * 3_600_000.0;

/// A call that a log record tells and no span.
#[derive(Debug, Clone, PartialEq)]
pub struct LogCall {
    /// What was read of the record.
    pub reading: LlmReading,
    /// Name of the event.
    pub name: Text,
    /// Nanoseconds that the call took until the record was made; `None` if the record does not tell.
    pub duration_nanos: Option<i64>,
    /// What records of the same trace have in common: the id of a prompt, a conversation or a session. `None` if the record
    /// names none.
    pub trace: Option<Text>,
}

/// The call that a log record tells; `None` if it tells none, or if a span does.
///
/// The record of another library costs some ten nanoseconds, and one that tells a call about a microsecond.
pub fn log_call(log: &LogObservation<'_>) -> Option<LogCall> {
    let observation = Observation::Log(*log);
    let seen = Seen::of(&observation)?;
    let rules = detect::rules(&seen)?;
    let reading = reading::reading(&seen, &Told::default(), rules);
    if !reading.is_call {
        return None;
    }
    let trace = rules.trace_of_log(&seen).or_else(|| reading.conversation_id.clone());
    let trace = trace.or_else(|| reading.session_id.clone());
    let name = Text::from(value::short(seen.name));
    Some(LogCall { trace, name, duration_nanos: duration(&seen), reading })
}

fn duration(seen: &Seen<'_>) -> Option<i64> {
    let millis = seen.number(&[Slot::PlainDurationMillis])?;
    // A year of nanoseconds is far less than the largest i64, so the cast is exact but for the rounding.
    (0.0..=LONGEST_MILLIS).contains(&millis).then(|| (millis * NANOS_PER_MILLI).round() as i64)
}

#[cfg(test)]
mod tests {
    use llm_observatory_core::attributes::{Attribute, Value};

    use super::*;
    use crate::observation::Scope;

    fn call(
        scope: &str,
        attributes: &[Attribute<'_>],
        body: &Value<'_>,
        is_in_span: bool,
    ) -> Option<LogCall> {
        let scope = Scope { name: scope, version: "" };
        log_call(&LogObservation { scope, event_name: "", attributes, body, is_in_span })
    }

    #[test]
    fn a_request_of_claude_code_is_a_call_outside_of_spans() {
        let attributes = [
            Attribute::new("event.name", "api_request"),
            Attribute::new("session.id", "s-1"),
            Attribute::new("prompt.id", "p-1"),
            Attribute::new("model", "claude-haiku-4-5-20251001"),
            Attribute::new("input_tokens", 10),
            Attribute::new("output_tokens", 5),
            Attribute::new("duration_ms", 68),
            Attribute::new("ttft_ms", 62),
        ];
        let body = Value::from("claude_code.api_request");
        let told = call("com.anthropic.claude_code.events", &attributes, &body, false).unwrap();
        assert_eq!((told.name.as_str(), told.trace.as_deref()), ("claude_code.api_request", Some("p-1")));
        assert_eq!(told.duration_nanos, Some(68_000_000));
        assert_eq!(told.reading.session_id.as_deref(), Some("s-1"));
        assert_eq!(told.reading.time_to_first_token, Some(62_000_000));
        assert_eq!(call("com.anthropic.claude_code.events", &attributes, &body, true), None, "its span is");
    }

    #[test]
    fn details_of_an_inference_are_a_call_where_no_span_is() {
        let details = [
            Attribute::new("event.name", "gen_ai.client.inference.operation.details"),
            Attribute::new("gen_ai.operation.name", "chat"),
            Attribute::new("gen_ai.request.model", "gpt-4o"),
            Attribute::new("gen_ai.conversation.id", "c-1"),
            Attribute::new("gen_ai.usage.input_tokens", 7),
        ];
        let told = call("any", &details, &Value::Empty, false).unwrap();
        assert_eq!((told.trace.as_deref(), told.duration_nanos), (Some("c-1"), None));
        assert_eq!(call("any", &details, &Value::Empty, true), None);
        assert_eq!(call("gemini-cli", &details, &Value::Empty, false), None, "its response tells the call");
    }

    #[test]
    fn messages_and_records_of_others_are_no_calls() {
        let choice = [
            Attribute::new("event.name", "gen_ai.choice"),
            Attribute::new("gen_ai.operation.name", "chat"),
            Attribute::new("gen_ai.request.model", "gpt-4o"),
        ];
        assert_eq!(call("any", &choice, &Value::Empty, false), None);
        let other = [Attribute::new("model", "T"), Attribute::new("input_tokens", 7)];
        assert_eq!(call("shop", &other, &Value::from("a car was sold"), false), None);
    }

    #[test]
    fn no_duration_is_longer_than_a_year() {
        for millis in [-1.0, f64::INFINITY, f64::NAN, 1e18] {
            let attributes = [
                Attribute::new("event.name", "gemini_cli.api_response"),
                Attribute::new("model", "gemini-2.5-flash"),
                Attribute::new("duration_ms", millis),
            ];
            assert_eq!(call("gemini-cli", &attributes, &Value::Empty, false).unwrap().duration_nanos, None);
        }
    }
}
