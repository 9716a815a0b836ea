//! An LLM span as attributes, the way back from [`crate::read`] and [`crate::content`].

use llm_observatory_core::attributes::{Attribute, Value};
use llm_observatory_core::llm::{
    LlmContent, LlmReading, LlmSpan, MediaSource, Message, Parameters, Part, TokenUsage, ToolDefinition,
};
use llm_observatory_core::text::Text;

use crate::content::json::{Json, quote};
use crate::content::part;
use crate::dialect::native::{NANOS, key};

/// Lists and maps around a part of a message: the list of messages, the message, its parts, the part.
const AROUND_PART: usize = 4;

/// The attributes of a span that says what the LLM span says: OpenTelemetry's GenAI conventions 1.41 (and four names of
/// their successor), keys of our own below `llm_observatory.` where those have no name, then `span.attributes`, without
/// those that have one of these keys.
///
/// Of a span with these attributes [`crate::read`] gives the same reading, [`crate::content`] the same content and
/// [`remaining`] the same attributes, but for what no reading says:
/// * an empty text, an empty list of parts, a placeholder such as `[REDACTED]` (they mean that nothing was told);
/// * a doubtful spelling: a role under another name (`human`, `model`), a tool's result that is no JSON, or is the JSON string
///   of a list or map, or is a list of one block of text, a `data:` URI that is not inline, NUL in a text that is stored;
/// * a time to first token below zero or above 26 days (the key holds seconds as a double), and NaN;
/// * messages, parts and tools beyond the limits of [`crate::content`].
pub fn attributes(span: &LlmSpan) -> Vec<Attribute<'_>> {
    let mut out = Written(Vec::new());
    out.reading(&span.reading);
    out.usage(&span.reading.usage);
    out.parameters(&span.reading.parameters);
    out.content(&span.content);
    out.0.extend(span.attributes.iter().filter(|attribute| !is_written(&attribute.key)).cloned());
    out.0
}

/// The attributes that an [`LlmSpan`] does not say in its reading and content: those with keys that [`attributes`] never
/// writes.
pub fn remaining(attributes: &[Attribute<'_>]) -> Vec<Attribute<'static>> {
    attributes.iter().filter(|attribute| !is_written(&attribute.key)).map(Attribute::to_static).collect()
}

fn is_written(key: &str) -> bool {
    key::ALL.contains(&key)
}

struct Written<'a>(Vec<Attribute<'a>>);

impl<'a> Written<'a> {
    fn value(&mut self, key: &'static str, value: Option<impl Into<Value<'a>>>) {
        self.0.extend(value.map(|value| Attribute::new(key, value)));
    }

    fn text(&mut self, key: &'static str, text: &'a Option<Text>) {
        self.value(key, text.as_ref().map(|text| text.as_str()));
    }

    fn texts(&mut self, key: &'static str, texts: &'a [Text]) {
        let values = || texts.iter().map(|text| Value::from(text.as_str())).collect::<Vec<_>>();
        self.value(key, (!texts.is_empty()).then(values));
    }

    fn reading(&mut self, reading: &'a LlmReading) {
        self.value(key::KIND, Some(reading.kind.name()));
        self.value(key::DIALECT, Some(reading.dialect.name()));
        self.value(key::IS_CALL, Some(reading.is_call));
        for (key, text) in [
            (key::OPERATION, &reading.operation),
            (key::PROVIDER, &reading.provider),
            (key::FRAMEWORK, &reading.framework),
            (key::REQUEST_MODEL, &reading.request_model),
            (key::RESPONSE_MODEL, &reading.response_model),
            (key::RESPONSE_ID, &reading.response_id),
            (key::SERVICE_TIER, &reading.service_tier),
            (key::SESSION_ID, &reading.session_id),
            (key::CONVERSATION_ID, &reading.conversation_id),
            (key::USER_ID, &reading.user_id),
            (key::TOOL_NAME, &reading.tool_name),
            (key::TOOL_CALL_ID, &reading.tool_call_id),
            (key::AGENT_NAME, &reading.agent_name),
            (key::AGENT_ID, &reading.agent_id),
            (key::PROMPT_NAME, &reading.prompt_name),
            (key::PROMPT_VERSION, &reading.prompt_version),
            (key::ERROR_TYPE, &reading.error_type),
        ] {
            self.text(key, text);
        }
        self.value(key::REPORTED_COST, reading.reported_cost.map(|cost| cost.0));
        self.texts(key::FINISH_REASONS, &reading.finish_reasons);
        self.value(key::STREAMING, reading.streaming);
        self.value(key::TIME_TO_FIRST_TOKEN, reading.time_to_first_token.map(|nanos| nanos as f64 / NANOS));
        self.texts(key::TAGS, &reading.tags);
        let metadata = || Value::Map(reading.metadata.clone());
        self.value(key::METADATA, (!reading.metadata.is_empty()).then(metadata));
    }

    fn usage(&mut self, usage: &TokenUsage) {
        self.value(key::INPUT, usage.input);
        self.value(key::OUTPUT, usage.output);
        self.value(key::CACHE_READ, usage.cache_read);
        self.value(key::CACHE_CREATION, usage.cache_creation);
        self.value(key::CACHE_CREATION_1H, usage.cache_creation_1h);
        self.value(key::REASONING, usage.reasoning);
        self.value(key::INPUT_AUDIO, usage.input_audio);
        self.value(key::OUTPUT_AUDIO, usage.output_audio);
        self.value(key::INPUT_IMAGE, usage.input_image);
        self.value(key::OUTPUT_IMAGE, usage.output_image);
    }

    fn parameters(&mut self, parameters: &'a Parameters) {
        self.value(key::TEMPERATURE, parameters.temperature);
        self.value(key::TOP_P, parameters.top_p);
        self.value(key::TOP_K, parameters.top_k);
        self.value(key::MAX_TOKENS, parameters.max_tokens);
        self.value(key::SEED, parameters.seed);
        self.texts(key::STOP, &parameters.stop);
        self.value(key::FREQUENCY_PENALTY, parameters.frequency_penalty);
        self.value(key::PRESENCE_PENALTY, parameters.presence_penalty);
        self.value(key::CHOICE_COUNT, parameters.choice_count);
        self.text(key::REASONING_EFFORT, &parameters.reasoning_effort);
    }

    fn content(&mut self, content: &'a LlmContent) {
        self.list(key::SYSTEM_INSTRUCTIONS, &content.system_instructions, part_json);
        self.list(key::INPUT_MESSAGES, &content.input, message_json);
        self.list(key::OUTPUT_MESSAGES, &content.output, message_json);
        self.list(key::TOOL_DEFINITIONS, &content.tools, tool_json);
        self.value(key::TOOL_ARGUMENTS, content.tool_arguments.as_deref());
        self.value(key::TOOL_RESULT, content.tool_result.as_deref());
        self.list(key::DOCUMENTS, &content.documents, |document, out| Json::embed_result(document, 1, out));
    }

    /// A list as a JSON text; nothing if it is empty.
    fn list<T>(&mut self, key: &'static str, items: &[T], write: impl Fn(&T, &mut String)) {
        self.value(key, (!items.is_empty()).then(|| list_json(items, write)));
    }
}

fn list_json<T>(items: &[T], write: impl Fn(&T, &mut String)) -> String {
    let mut out = String::from("[");
    for (at, item) in items.iter().enumerate() {
        out.push_str(if at == 0 { "" } else { "," });
        write(item, &mut out);
    }
    out.push(']');
    out
}

/// A JSON map that is being written: each field after the one before.
struct Fields<'o>(&'o mut String, char);

impl<'o> Fields<'o> {
    fn new(out: &'o mut String) -> Self {
        Self(out, '{')
    }

    fn key(&mut self, name: &str) -> &mut String {
        self.0.push(self.1);
        self.1 = ',';
        quote(name, self.0);
        self.0.push(':');
        self.0
    }

    fn text(&mut self, name: &str, text: &str) {
        quote(text, self.key(name));
    }

    fn maybe(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    fn end(self) {
        self.0.push('}');
    }
}

fn message_json(message: &Message, out: &mut String) {
    let mut fields = Fields::new(out);
    fields.maybe("role", Some(&*message.role).filter(|role| !role.is_empty()));
    fields.maybe("name", message.name.as_deref());
    fields.key("parts").push_str(&list_json(&message.parts, part_json));
    fields.maybe("finish_reason", message.finish_reason.as_deref());
    fields.end();
}

fn part_json(part: &Part, out: &mut String) {
    if let Part::Other(json) = part {
        return other_json(json, out);
    }
    let mut fields = Fields::new(out);
    match part {
        Part::Text(text) => {
            fields.text("type", "text");
            fields.text("content", text);
        }
        Part::Reasoning(text) => {
            fields.text("type", "reasoning");
            fields.text("content", text);
        }
        Part::ToolCall { id, name, arguments } => {
            fields.text("type", "tool_call");
            fields.maybe("id", id.as_deref());
            fields.text("name", name);
            if !arguments.is_empty() {
                Json::embed(arguments, AROUND_PART, fields.key("arguments"));
            }
        }
        Part::ToolResult { id, result } => {
            fields.text("type", "tool_call_response");
            fields.maybe("id", id.as_deref());
            if !result.is_empty() {
                Json::embed_result(result, AROUND_PART, fields.key("response"));
            }
        }
        Part::Media { modality, mime_type, source } => {
            let (kind, name, place) = match source {
                MediaSource::Inline(base64) => ("blob", "content", base64),
                MediaSource::Uri(uri) => ("uri", "uri", uri),
                MediaSource::File(id) => ("file", "file_id", id),
            };
            fields.text("type", kind);
            fields.text("modality", modality);
            fields.maybe("mime_type", mime_type.as_deref());
            fields.text(name, place);
        }
        Part::Other(_) => {}
    }
    fields.end();
}

/// A part that is none of ours: as it is, unless a reader would take it for one of ours.
fn other_json(json: &str, out: &mut String) {
    let part = Part::Other(json.to_owned());
    if part::is_read_as(json, AROUND_PART, &part) {
        return out.push_str(json);
    }
    let mut fields = Fields::new(out);
    fields.text("type", part::OTHER);
    fields.text("json", json);
    fields.end();
}

fn tool_json(tool: &ToolDefinition, out: &mut String) {
    let mut fields = Fields::new(out);
    fields.text("type", "function");
    fields.text("name", &tool.name);
    fields.maybe("description", tool.description.as_deref());
    if let Some(schema) = &tool.parameters {
        Json::embed(schema, 2, fields.key("parameters"));
    }
    fields.end();
}
