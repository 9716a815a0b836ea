//! The fields of a reading that nobody filters or groups by, in one column `details_json`.

use llm_observatory_core::attributes::{Attribute, Value};
use llm_observatory_core::llm::{LlmReading, Parameters};
use llm_observatory_core::text::Text;

use crate::models::attributes::{Attributes, Inconsistent};

/// The columns; `None` when there is nothing to say.
pub(super) fn encode(reading: &LlmReading) -> Option<Attributes> {
    let mut details = Vec::with_capacity(4);
    put(&mut details, "metadata", metadata(&reading.metadata));
    put(&mut details, "framework", text(&reading.framework));
    put(&mut details, "parameters", parameters(&reading.parameters));
    if !super::is_session(reading) {
        put(&mut details, "conversation_id", text(&reading.conversation_id));
    }
    (!details.is_empty()).then(|| Attributes::new(&details))
}

/// Adds the fields that [`encode`] wrote to the reading.
pub(super) fn decode(details: &Attributes, reading: &mut LlmReading) -> Result<(), Inconsistent> {
    for Attribute { key, value } in details.attributes()? {
        match (&*key, value) {
            ("metadata", Value::Map(mut metadata)) => {
                metadata.sort_by(|a, b| a.key.cmp(&b.key));
                reading.metadata = metadata;
            }
            ("framework", value) => reading.framework = to_text(&value),
            ("parameters", Value::Map(list)) => reading.parameters = to_parameters(list),
            ("conversation_id", value) => reading.conversation_id = to_text(&value),
            _ => {} // of a newer version
        }
    }
    Ok(())
}

fn put<'a>(list: &mut Vec<Attribute<'a>>, key: &'static str, value: Option<Value<'a>>) {
    list.extend(value.map(|value| Attribute::new(key, value)));
}

fn text(text: &Option<Text>) -> Option<Value<'_>> {
    text.as_ref().map(|text| Value::from(text.as_str()))
}

fn to_text(value: &Value<'_>) -> Option<Text> {
    match value {
        Value::Str(text) => Some(Text::from(&**text)),
        _ => None,
    }
}

fn map(list: Vec<Attribute<'_>>) -> Option<Value<'_>> {
    (!list.is_empty()).then_some(Value::Map(list))
}

fn metadata<'a>(metadata: &'a [Attribute<'static>]) -> Option<Value<'a>> {
    map(metadata.to_vec())
}

fn parameters(parameters: &Parameters) -> Option<Value<'_>> {
    let stop = parameters.stop.iter().map(|stop| Value::from(stop.as_str()));
    let mut list = Vec::new();
    put(&mut list, "seed", parameters.seed.map(Value::from));
    put(&mut list, "stop", (!parameters.stop.is_empty()).then(|| Value::Array(stop.collect())));
    put(&mut list, "top_k", parameters.top_k.map(Value::from));
    put(&mut list, "top_p", parameters.top_p.map(Value::from));
    put(&mut list, "max_tokens", parameters.max_tokens.map(Value::from));
    put(&mut list, "temperature", parameters.temperature.map(Value::from));
    put(&mut list, "choice_count", parameters.choice_count.map(Value::from));
    put(&mut list, "presence_penalty", parameters.presence_penalty.map(Value::from));
    put(&mut list, "reasoning_effort", text(&parameters.reasoning_effort));
    put(&mut list, "frequency_penalty", parameters.frequency_penalty.map(Value::from));
    map(list)
}

fn to_parameters(list: Vec<Attribute<'_>>) -> Parameters {
    let mut parameters = Parameters::default();
    for Attribute { key, value } in list {
        match (&*key, value) {
            ("seed", Value::Int(seed)) => parameters.seed = Some(seed),
            ("stop", Value::Array(stop)) => parameters.stop = stop.iter().filter_map(to_text).collect(),
            ("top_k", Value::Double(top_k)) => parameters.top_k = Some(top_k),
            ("top_p", Value::Double(top_p)) => parameters.top_p = Some(top_p),
            ("max_tokens", Value::Int(most)) => parameters.max_tokens = Some(most),
            ("temperature", Value::Double(temperature)) => parameters.temperature = Some(temperature),
            ("choice_count", Value::Int(count)) => parameters.choice_count = Some(count),
            ("presence_penalty", Value::Double(penalty)) => parameters.presence_penalty = Some(penalty),
            ("reasoning_effort", effort) => parameters.reasoning_effort = to_text(&effort),
            ("frequency_penalty", Value::Double(penalty)) => parameters.frequency_penalty = Some(penalty),
            _ => {} // of a newer version
        }
    }
    parameters
}
