//! Spans that we wrote ourselves ([`crate::attributes`]).
//!
//! They speak OpenTelemetry's GenAI conventions, so that every other reader understands them, with a few keys of our own
//! where OpenTelemetry has no name. The key of the dialect marks such a span: its reading is what stands there, nothing is
//! derived or repaired.

use llm_observatory_core::attributes::{Attribute, Value, find};
use llm_observatory_core::llm::{Dialect, LlmKind, LlmReading, Nanodollars};
use llm_observatory_core::text::Text;

/// Declares the keys, and the list of all.
macro_rules! keys {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)+) => {
        /// The keys that an LLM span is written with.
        pub(crate) mod key {
            $($(#[$doc])* pub(crate) const $name: &str = $text;)+

            /// All of them.
            pub(crate) const ALL: &[&str] = &[$($name),+];
        }
    };
}

keys! {
    /// Our own: name of the `LlmKind`.
    KIND = "llm_observatory.kind",
    /// Our own: name of the `Dialect` that was spoken first.
    DIALECT = "llm_observatory.dialect",
    /// Our own: whether the step calls a model itself.
    IS_CALL = "llm_observatory.is_call",
    /// Our own: the framework.
    FRAMEWORK = "llm_observatory.framework",
    /// Our own: the tier of service that answered; OpenTelemetry has a name for OpenAI's only.
    SERVICE_TIER = "llm_observatory.service_tier",
    /// Our own: the reported cost in billionths of a US dollar.
    REPORTED_COST = "llm_observatory.reported_cost_nanodollars",
    /// Our own: tokens that are cached for an hour.
    CACHE_CREATION_1H = "llm_observatory.usage.cache_creation_1h.input_tokens",
    /// Our own: a list of texts.
    TAGS = "llm_observatory.tags",
    /// Our own: a map.
    METADATA = "llm_observatory.metadata",
    OPERATION = "gen_ai.operation.name",
    PROVIDER = "gen_ai.provider.name",
    REQUEST_MODEL = "gen_ai.request.model",
    RESPONSE_MODEL = "gen_ai.response.model",
    RESPONSE_ID = "gen_ai.response.id",
    FINISH_REASONS = "gen_ai.response.finish_reasons",
    INPUT = "gen_ai.usage.input_tokens",
    OUTPUT = "gen_ai.usage.output_tokens",
    CACHE_READ = "gen_ai.usage.cache_read.input_tokens",
    CACHE_CREATION = "gen_ai.usage.cache_creation.input_tokens",
    REASONING = "gen_ai.usage.reasoning.output_tokens",
    /// This and the other counts of audio and images are OpenTelemetry's since 1.42.
    INPUT_AUDIO = "gen_ai.usage.audio.input_tokens",
    OUTPUT_AUDIO = "gen_ai.usage.audio.output_tokens",
    INPUT_IMAGE = "gen_ai.usage.image.input_tokens",
    OUTPUT_IMAGE = "gen_ai.usage.image.output_tokens",
    TEMPERATURE = "gen_ai.request.temperature",
    TOP_P = "gen_ai.request.top_p",
    TOP_K = "gen_ai.request.top_k",
    MAX_TOKENS = "gen_ai.request.max_tokens",
    SEED = "gen_ai.request.seed",
    STOP = "gen_ai.request.stop_sequences",
    FREQUENCY_PENALTY = "gen_ai.request.frequency_penalty",
    PRESENCE_PENALTY = "gen_ai.request.presence_penalty",
    CHOICE_COUNT = "gen_ai.request.choice.count",
    /// OpenTelemetry's since 1.42.
    REASONING_EFFORT = "gen_ai.request.reasoning.level",
    STREAMING = "gen_ai.request.stream",
    /// Seconds.
    TIME_TO_FIRST_TOKEN = "gen_ai.response.time_to_first_chunk",
    SESSION_ID = "session.id",
    CONVERSATION_ID = "gen_ai.conversation.id",
    USER_ID = "user.id",
    TOOL_NAME = "gen_ai.tool.name",
    TOOL_CALL_ID = "gen_ai.tool.call.id",
    AGENT_NAME = "gen_ai.agent.name",
    AGENT_ID = "gen_ai.agent.id",
    PROMPT_NAME = "gen_ai.prompt.name",
    /// OpenTelemetry's since 1.42.
    PROMPT_VERSION = "gen_ai.prompt.version",
    ERROR_TYPE = "error.type",
    SYSTEM_INSTRUCTIONS = "gen_ai.system_instructions",
    INPUT_MESSAGES = "gen_ai.input.messages",
    OUTPUT_MESSAGES = "gen_ai.output.messages",
    TOOL_DEFINITIONS = "gen_ai.tool.definitions",
    TOOL_ARGUMENTS = "gen_ai.tool.call.arguments",
    TOOL_RESULT = "gen_ai.tool.call.result",
    DOCUMENTS = "gen_ai.retrieval.documents",
}

/// Nanoseconds in a second.
pub(crate) const NANOS: f64 = 1e9;

/// What marks a span that we wrote; `None` for any other.
pub(crate) fn mark(attributes: &[Attribute<'_>]) -> Option<(LlmKind, Dialect)> {
    let dialect = Dialect::of(find(attributes, key::DIALECT)?.as_str()?)?;
    Some((LlmKind::of(find(attributes, key::KIND)?.as_str()?)?, dialect))
}

/// The reading of a span that we wrote; `None` of any other. One pass; of duplicates the last wins.
pub(crate) fn read(attributes: &[Attribute<'_>]) -> Option<LlmReading> {
    let (kind, dialect) = mark(attributes)?;
    let mut reading = LlmReading::new(kind, dialect);
    for attribute in attributes {
        set(&mut reading, &attribute.key, &attribute.value);
    }
    Some(reading)
}

/// Sets the field that the key is about, if there is one.
fn set(reading: &mut LlmReading, key: &str, value: &Value<'_>) {
    let (usage, parameters) = (&mut reading.usage, &mut reading.parameters);
    match key {
        key::IS_CALL => reading.is_call = flag(value).unwrap_or(reading.is_call),
        key::FRAMEWORK => reading.framework = text(value),
        key::SERVICE_TIER => reading.service_tier = text(value),
        key::REPORTED_COST => reading.reported_cost = value.as_int().map(Nanodollars),
        key::TAGS => reading.tags = texts(value),
        key::METADATA => {
            reading.metadata = if let Value::Map(fields) = value {
                fields.iter().map(Attribute::to_static).collect()
            } else {
                Vec::new()
            }
        }
        key::OPERATION => reading.operation = text(value),
        key::PROVIDER => reading.provider = text(value),
        key::REQUEST_MODEL => reading.request_model = text(value),
        key::RESPONSE_MODEL => reading.response_model = text(value),
        key::RESPONSE_ID => reading.response_id = text(value),
        key::FINISH_REASONS => reading.finish_reasons = texts(value),
        key::INPUT => usage.input = value.as_int(),
        key::OUTPUT => usage.output = value.as_int(),
        key::CACHE_READ => usage.cache_read = value.as_int(),
        key::CACHE_CREATION => usage.cache_creation = value.as_int(),
        key::CACHE_CREATION_1H => usage.cache_creation_1h = value.as_int(),
        key::REASONING => usage.reasoning = value.as_int(),
        key::INPUT_AUDIO => usage.input_audio = value.as_int(),
        key::OUTPUT_AUDIO => usage.output_audio = value.as_int(),
        key::INPUT_IMAGE => usage.input_image = value.as_int(),
        key::OUTPUT_IMAGE => usage.output_image = value.as_int(),
        key::TEMPERATURE => parameters.temperature = number(value),
        key::TOP_P => parameters.top_p = number(value),
        key::TOP_K => parameters.top_k = number(value),
        key::MAX_TOKENS => parameters.max_tokens = value.as_int(),
        key::SEED => parameters.seed = value.as_int(),
        key::STOP => parameters.stop = texts(value),
        key::FREQUENCY_PENALTY => parameters.frequency_penalty = number(value),
        key::PRESENCE_PENALTY => parameters.presence_penalty = number(value),
        key::CHOICE_COUNT => parameters.choice_count = value.as_int(),
        key::REASONING_EFFORT => parameters.reasoning_effort = text(value),
        key::STREAMING => reading.streaming = flag(value),
        // The cast saturates; so long a time is no measurement anyway.
        key::TIME_TO_FIRST_TOKEN => {
            reading.time_to_first_token = number(value).map(|seconds| (seconds * NANOS).round() as i64);
        }
        key::SESSION_ID => reading.session_id = text(value),
        key::CONVERSATION_ID => reading.conversation_id = text(value),
        key::USER_ID => reading.user_id = text(value),
        key::TOOL_NAME => reading.tool_name = text(value),
        key::TOOL_CALL_ID => reading.tool_call_id = text(value),
        key::AGENT_NAME => reading.agent_name = text(value),
        key::AGENT_ID => reading.agent_id = text(value),
        key::PROMPT_NAME => reading.prompt_name = text(value),
        key::PROMPT_VERSION => reading.prompt_version = text(value),
        key::ERROR_TYPE => reading.error_type = text(value),
        _ => {}
    }
}

fn text(value: &Value<'_>) -> Option<Text> {
    value.as_str().map(Text::from)
}

fn texts(value: &Value<'_>) -> Vec<Text> {
    if let Value::Array(items) = value { items.iter().filter_map(text).collect() } else { Vec::new() }
}

fn flag(value: &Value<'_>) -> Option<bool> {
    if let Value::Bool(truth) = value { Some(*truth) } else { None }
}

fn number(value: &Value<'_>) -> Option<f64> {
    match value {
        Value::Double(number) => Some(*number),
        Value::Int(number) => Some(*number as f64),
        _ => None,
    }
}
