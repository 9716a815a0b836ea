//! Parameters of a request.

use llm_observatory_core::attributes::Value;
use llm_observatory_core::llm::Parameters;
use llm_observatory_core::text::Text;

use crate::json::{field, structure};
use crate::seen::Seen;
use crate::slots::Slot::{self, *};
use crate::value;

/// Attributes that hold all parameters, as JSON.
const MAPS: &[Slot] =
    &[LlmInvocationParameters, EmbeddingParameters, LangfuseParameters, LangsmithParameters, RequestData];

/// What a request asks for.
#[derive(Default)]
pub(crate) struct Asked {
    pub(crate) parameters: Parameters,
    /// The model, where it stands among the parameters.
    pub(crate) model: Option<Text>,
    /// Whether to stream.
    pub(crate) stream: Option<bool>,
    /// The tier of service.
    pub(crate) service_tier: Option<Text>,
}

/// What the request asks for: keys of their own first, then what the maps tell.
pub(crate) fn asked(seen: &Seen<'_>) -> Asked {
    let told = in_maps(seen, MAPS);
    let mut parameters = by_keys(seen);
    complete(&mut parameters, told.parameters);
    Asked { parameters, ..told }
}

/// What the maps in these slots ask for, the first of them first.
pub(crate) fn in_maps(seen: &Seen<'_>, maps: &[Slot]) -> Asked {
    let mut asked = Asked::default();
    for slot in maps {
        let Some(map) = seen.get(*slot).and_then(structure) else { continue };
        complete(&mut asked.parameters, of_map(&map));
        let text = |keys: &[&str]| {
            let told = keys.iter().find_map(|key| field(&map, key).and_then(value::text));
            told.map(|told| Text::from(&*told))
        };
        asked.model = asked.model.or_else(|| text(&["model", "model_name", "model_id"]));
        asked.stream = asked.stream.or_else(|| field(&map, "stream").and_then(value::truth));
        asked.service_tier = asked.service_tier.or_else(|| text(&["service_tier"]));
    }
    asked
}

fn by_keys(seen: &Seen<'_>) -> Parameters {
    Parameters {
        temperature: seen.number(&[
            Temperature,
            VercelTemperature,
            LlmTemperature,
            LangsmithTemperature,
            PlainTemperature,
        ]),
        top_p: seen.number(&[TopP, VercelTopP, LlmTopP, PlainTopP]),
        top_k: seen.number(&[TopK, VercelTopK, LlmTopK]),
        max_tokens: seen.count(&[
            MaxTokens,
            MaxCompletionTokens,
            VercelMaxOutputTokens,
            VercelMaxTokens,
            LlmMaxTokens,
            LangsmithMaxTokens,
            PlainMaxTokens,
            PlainMaxCompletionTokens,
            PlainMaxOutputTokens,
        ]),
        seed: seen.whole(&[Seed, OpenAiSeed, VercelSeed, PlainSeed]),
        stop: stops(
            seen.first(
                &[StopSequences, VercelStopSequences, LlmStopSequences, LangsmithStop, PlainStop],
                Some,
            ),
        ),
        frequency_penalty: seen.number(&[FrequencyPenalty, VercelFrequencyPenalty, LlmFrequencyPenalty]),
        presence_penalty: seen.number(&[PresencePenalty, VercelPresencePenalty, LlmPresencePenalty]),
        choice_count: seen.count(&[ChoiceCount, ChoiceN]),
        reasoning_effort: seen.text(&[ReasoningLevel, ReasoningEffort, LlmReasoningEffort]),
    }
}

/// The parameters in a map, by the names of OpenAI, Anthropic, Google and their clients.
pub(crate) fn of_map(map: &Value<'_>) -> Parameters {
    let first =
        |keys: &[&str]| keys.iter().find_map(|key| field(map, key).filter(|value| **value != Value::Empty));
    let number = |keys: &[&str]| first(keys).and_then(value::number);
    let whole = |keys: &[&str]| first(keys).and_then(value::whole);
    let count = |keys: &[&str]| first(keys).and_then(value::count);
    Parameters {
        temperature: number(&["temperature"]),
        top_p: number(&["top_p", "topP"]),
        top_k: number(&["top_k", "topK"]),
        max_tokens: count(&[
            "max_tokens",
            "max_completion_tokens",
            "max_output_tokens",
            "maxTokens",
            "maxOutputTokens",
        ]),
        seed: whole(&["seed"]),
        stop: stops(first(&["stop", "stop_sequences", "stopSequences"])),
        frequency_penalty: number(&["frequency_penalty", "frequencyPenalty"]),
        presence_penalty: number(&["presence_penalty", "presencePenalty"]),
        choice_count: count(&["n", "candidate_count", "candidateCount"]),
        reasoning_effort: first(&["reasoning_effort"])
            .or_else(|| first(&["reasoning"]).and_then(|reasoning| field(reasoning, "effort")))
            .and_then(value::text)
            .map(|effort| Text::from(&*effort)),
    }
}

/// Takes from `told` what is not there yet.
pub(crate) fn complete(parameters: &mut Parameters, told: Parameters) {
    parameters.temperature = parameters.temperature.or(told.temperature);
    parameters.top_p = parameters.top_p.or(told.top_p);
    parameters.top_k = parameters.top_k.or(told.top_k);
    parameters.max_tokens = parameters.max_tokens.or(told.max_tokens);
    parameters.seed = parameters.seed.or(told.seed);
    if parameters.stop.is_empty() {
        parameters.stop = told.stop;
    }
    parameters.frequency_penalty = parameters.frequency_penalty.or(told.frequency_penalty);
    parameters.presence_penalty = parameters.presence_penalty.or(told.presence_penalty);
    parameters.choice_count = parameters.choice_count.or(told.choice_count);
    parameters.reasoning_effort = parameters.reasoning_effort.take().or(told.reasoning_effort);
}

/// Texts that end an answer. A text without brackets is one of them, commas and spaces included.
fn stops(value: Option<&Value<'_>>) -> Vec<Text> {
    let mut stops = Vec::new();
    match value {
        Some(Value::Str(one)) if !one.trim_start().starts_with('[') => {
            stops.extend((!one.is_empty()).then(|| Text::from(&**one)));
        }
        Some(several) => value::list(several, |stop| stops.push(Text::from(stop))),
        None => {}
    }
    stops
}
