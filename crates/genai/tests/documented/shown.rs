//! Readings and contents as JSON, which tests compare.

use llm_observatory_core::attributes::Value;
use llm_observatory_core::llm::{LlmContent, LlmReading, MediaSource, Message, Part};
use serde_json::{Map, Value as Json, json};

/// A field for each that a reading or a content has; `null` where it is not told.
pub(crate) fn shown(reading: Option<&LlmReading>, content: &LlmContent) -> Json {
    let mut fields = reading.map_or_else(Map::new, fields_of);
    let text = |text: &Option<String>| text.as_deref().map_or(Json::Null, json_or_text);
    fields.insert("system".to_owned(), list(&content.system_instructions, part));
    fields.insert("input".to_owned(), list(&content.input, message));
    fields.insert("output".to_owned(), list(&content.output, message));
    let tools = list(&content.tools, |tool| {
        json!([tool.name, tool.description, tool.parameters.as_deref().map(json_or_text)])
    });
    fields.insert("tools".to_owned(), tools);
    fields.insert("arguments".to_owned(), text(&content.tool_arguments));
    fields.insert("result".to_owned(), text(&content.tool_result));
    fields.insert("documents".to_owned(), list(&content.documents, |document| json_or_text(document)));
    Json::Object(fields)
}

fn fields_of(reading: &LlmReading) -> Map<String, Json> {
    let (usage, asked) = (&reading.usage, &reading.parameters);
    let texts = |texts: &[llm_observatory_core::text::Text]| list(texts, |text| json!(text.as_str()));
    let text = |text: &Option<llm_observatory_core::text::Text>| json!(text.as_deref());
    let metadata: Map<_, _> =
        reading.metadata.iter().map(|entry| (entry.key.to_string(), plain(&entry.value))).collect();
    let fields = json!({
        "kind": reading.kind.name(),
        "dialect": reading.dialect.name(),
        "is_call": reading.is_call,
        "operation": text(&reading.operation),
        "provider": text(&reading.provider),
        "framework": text(&reading.framework),
        "request_model": text(&reading.request_model),
        "response_model": text(&reading.response_model),
        "response_id": text(&reading.response_id),
        "service_tier": text(&reading.service_tier),
        "input_tokens": usage.input,
        "output_tokens": usage.output,
        "cache_read": usage.cache_read,
        "cache_creation": usage.cache_creation,
        "cache_creation_1h": usage.cache_creation_1h,
        "reasoning": usage.reasoning,
        "input_audio": usage.input_audio,
        "output_audio": usage.output_audio,
        "input_image": usage.input_image,
        "output_image": usage.output_image,
        "cost_nanos": reading.reported_cost.map(|cost| cost.0),
        "finish_reasons": texts(&reading.finish_reasons),
        "streaming": reading.streaming,
        "first_token_millis": reading.time_to_first_token.map(|nanos| nanos as f64 / 1e6),
        "session_id": text(&reading.session_id),
        "conversation_id": text(&reading.conversation_id),
        "user_id": text(&reading.user_id),
        "tool_name": text(&reading.tool_name),
        "tool_call_id": text(&reading.tool_call_id),
        "agent_name": text(&reading.agent_name),
        "agent_id": text(&reading.agent_id),
        "prompt_name": text(&reading.prompt_name),
        "prompt_version": text(&reading.prompt_version),
        "error_type": text(&reading.error_type),
        "tags": texts(&reading.tags),
        "metadata": if metadata.is_empty() { Json::Null } else { Json::Object(metadata) },
    });
    let parameters = json!({
        "temperature": asked.temperature,
        "top_p": asked.top_p,
        "top_k": asked.top_k,
        "max_tokens": asked.max_tokens,
        "seed": asked.seed,
        "stop": texts(&asked.stop),
        "frequency_penalty": asked.frequency_penalty,
        "presence_penalty": asked.presence_penalty,
        "choice_count": asked.choice_count,
        "reasoning_effort": text(&asked.reasoning_effort),
    });
    let maps = [fields, parameters].into_iter().filter_map(|fields| match fields {
        Json::Object(fields) => Some(fields),
        _ => None,
    });
    maps.flatten().collect()
}

/// A list; `null` if it is empty.
fn list<T>(items: &[T], show: impl Fn(&T) -> Json) -> Json {
    if items.is_empty() { Json::Null } else { items.iter().map(show).collect() }
}

/// A message as the list of its role and its parts; its name and why the model stopped stand before it.
fn message(message: &Message) -> Json {
    let named = message.name.iter().map(|name| json!(format!("name {name}")));
    let stopped = message.finish_reason.iter().map(|reason| json!(format!("stopped {reason}")));
    named.chain(stopped).chain([json!(message.role)]).chain(message.parts.iter().map(part)).collect()
}

fn part(part: &Part) -> Json {
    match part {
        Part::Text(text) => json!(text),
        Part::Reasoning(text) => json!({ "thinks": text }),
        Part::ToolCall { id, name, arguments } => {
            json!({ "calls": name, "id": id, "with": json_or_text(arguments) })
        }
        Part::ToolResult { id, result } => json!({ "result": json_or_text(result), "id": id }),
        Part::Media { modality, mime_type, source } => {
            let (place, told) = match source {
                MediaSource::Inline(data) => ("inline", data),
                MediaSource::Uri(uri) => ("uri", uri),
                MediaSource::File(id) => ("file", id),
            };
            json!({ "medium": modality, "mime": mime_type, place: told })
        }
        Part::Other(json) => json!({ "other": json_or_text(json) }),
    }
}

fn json_or_text(text: impl AsRef<str>) -> Json {
    serde_json::from_str(text.as_ref()).unwrap_or_else(|_| json!(text.as_ref()))
}

fn plain(value: &Value<'_>) -> Json {
    match value {
        Value::Empty => Json::Null,
        Value::Str(text) => json!(text),
        Value::Bool(truth) => json!(truth),
        Value::Int(number) => json!(number),
        Value::Double(number) => json!(number),
        Value::Bytes(bytes) => json!(bytes),
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Map(fields) => fields
            .iter()
            .map(|field| (field.key.to_string(), plain(&field.value)))
            .collect::<Map<_, _>>()
            .into(),
    }
}
