//! OpenTelemetry's GenAI semantic conventions, 1.26 to 1.41 and the separate repository that followed.
//!
//! Source: `model/gen-ai/registry.yaml` and its deprecated registry in open-telemetry/semantic-conventions.

use llm_observatory_core::attributes::{Attribute, Value, find};
use llm_observatory_core::llm::{Dialect, LlmKind, LlmReading, TokenUsage};
use llm_observatory_core::text::Text;

use crate::observation::Observation;

const PREFIX: &str = "gen_ai.";

const OPERATION: &[&str] = &["gen_ai.operation.name"];
const PROVIDER: &[&str] = &["gen_ai.provider.name", "gen_ai.system"];
const REQUEST_MODEL: &[&str] = &["gen_ai.request.model"];
const RESPONSE_MODEL: &[&str] = &["gen_ai.response.model"];
const SESSION: &[&str] = &["session.id", "gen_ai.conversation.id"];
const USER: &[&str] = &["user.id", "enduser.id"];
const INPUT: &[&str] = &["gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"];
const OUTPUT: &[&str] = &["gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"];
const CACHE_READ: &[&str] = &["gen_ai.usage.cache_read.input_tokens"];
const CACHE_CREATION: &[&str] =
    &["gen_ai.usage.cache_write.input_tokens", "gen_ai.usage.cache_creation.input_tokens"];
const REASONING: &[&str] = &["gen_ai.usage.reasoning.output_tokens"];

/// Whether the observation has any `gen_ai.*` attribute.
pub(crate) fn speaks(observation: &Observation<'_>) -> bool {
    observation.attributes().iter().any(|attribute| attribute.key.starts_with(PREFIX))
}

/// Reads an observation in this dialect.
pub(crate) fn read(observation: &Observation<'_>) -> LlmReading {
    let attributes = observation.attributes();
    let text = |keys| first(attributes, keys, |value| value.as_str().map(Text::from));
    let count = |keys| first(attributes, keys, |value| value.as_int().filter(|count| *count >= 0));
    LlmReading {
        operation: text(OPERATION),
        provider: text(PROVIDER),
        request_model: text(REQUEST_MODEL),
        response_model: text(RESPONSE_MODEL),
        session_id: text(SESSION),
        user_id: text(USER),
        usage: TokenUsage {
            input: count(INPUT),
            output: count(OUTPUT),
            cache_read: count(CACHE_READ),
            cache_creation: count(CACHE_CREATION),
            reasoning: count(REASONING),
            ..TokenUsage::default()
        },
        ..LlmReading::new(LlmKind::Llm, Dialect::OtelGenai)
    }
}

/// The value of the first of `keys` that is present and that `take` accepts.
fn first<T>(
    attributes: &[Attribute<'_>],
    keys: &[&str],
    take: impl Fn(&Value<'_>) -> Option<T>,
) -> Option<T> {
    keys.iter().find_map(|key| find(attributes, key).and_then(&take))
}

#[cfg(test)]
mod tests {
    use llm_observatory_core::time::UnixNanos;
    use llm_observatory_core::trace::SpanKind;

    use super::*;
    use crate::observation::{LogObservation, Scope, SpanObservation};

    fn span<'a>(attributes: &'a [Attribute<'a>]) -> Observation<'a> {
        Observation::Span(SpanObservation {
            scope: Scope::default(),
            name: "chat gpt-4o",
            kind: SpanKind::CLIENT,
            status: None,
            status_message: "",
            start_time: UnixNanos(0),
            end_time: UnixNanos(0),
            attributes,
            events: &[],
        })
    }

    #[test]
    fn newer_names_win_over_the_older_ones() {
        let attributes = [
            Attribute::new("gen_ai.system", "az.ai.openai"),
            Attribute::new("gen_ai.provider.name", "azure.ai.openai"),
            Attribute::new("gen_ai.usage.prompt_tokens", 1),
            Attribute::new("gen_ai.usage.input_tokens", 2),
            Attribute::new("gen_ai.usage.output_tokens", "3"),
            Attribute::new("gen_ai.usage.cache_read.input_tokens", -1),
            Attribute::new("gen_ai.conversation.id", "c-9"),
        ];
        let reading = crate::read(&span(&attributes)).unwrap();
        assert_eq!(reading.provider.as_deref(), Some("azure.ai.openai"));
        assert_eq!(reading.usage.input, Some(2));
        assert_eq!(reading.usage.output, Some(3), "some SDKs send numbers as texts");
        assert_eq!(reading.usage.cache_read, None, "a negative count is ignored");
        assert_eq!(reading.session_id.as_deref(), Some("c-9"));
        assert_eq!(crate::read(&span(&[Attribute::new("http.route", "/chat")])), None);
    }

    #[test]
    fn a_log_record_speaks_the_same_dialect() {
        let attributes = [
            Attribute::new("gen_ai.response.model", "gpt-4o"),
            Attribute::new("gen_ai.usage.input_tokens", 5),
        ];
        let reading = crate::read(&Observation::Log(LogObservation {
            scope: Scope::default(),
            event_name: "gen_ai.client.inference.operation.details",
            attributes: &attributes,
            body: &Value::Empty,
        }));
        let reading = reading.unwrap();
        assert_eq!((reading.response_model.as_deref(), reading.usage.input), (Some("gpt-4o"), Some(5)));
    }
}
