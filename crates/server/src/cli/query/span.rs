//! One LLM span with its conversation, as text and as JSON.

use std::fmt::Write as _;

use llm_observatory_proto::v1::llm_part::Part;
use llm_observatory_proto::v1::llm_service_client::LlmServiceClient;
use llm_observatory_proto::v1::media::Source;
use llm_observatory_proto::v1::{
    GetLlmSpanRequest, GetLlmSpanResponse, LlmBilling, LlmContent, LlmMessage, LlmParameters, LlmPart,
    LlmReading, LlmSpan, Media, Money, TokenUsage,
};
use serde_json::{Map, Value, json};
use tonic::transport::Channel;

use super::show::{duration_nanos, milliseconds, moment, money, nanos_of, printable};
use crate::cli::failure::Failure;
use crate::cli::output::{CallFailed, Format, print, print_json};

pub(super) async fn span(
    mut client: LlmServiceClient<Channel>,
    trace_id: String,
    span_id: String,
    format: Format,
) -> Result<(), Failure> {
    let request = GetLlmSpanRequest { trace_id, span_id, max_value_bytes: 0 };
    let whole = client.get_llm_span(request).await.map_err(CallFailed)?.into_inner();
    match format {
        Format::Json => print_json(&whole_json(&whole)?),
        Format::Table => print(printable(&text(&whole)).trim_end()),
    }
}

/// What a person reads first: who and what, then the conversation.
fn text(whole: &GetLlmSpanResponse) -> String {
    let mut out = String::new();
    if let Some(span) = &whole.span {
        head(&mut out, span);
    }
    if let Some(content) = &whole.content {
        conversation(&mut out, content);
    }
    out
}

fn head(out: &mut String, span: &LlmSpan) {
    let mut line = |name: &str, value: String| {
        if !value.is_empty() {
            let _ = writeln!(out, "{name:<12}{}", value.replace('\n', "\n            "));
        }
    };
    let reading = span.reading.clone().unwrap_or_default();
    let billing = span.billing.clone().unwrap_or_default();
    line("span", format!("{} ({}, {})", span.name, reading.kind, reading.dialect));
    line("service", span.service.clone());
    line("trace", span.trace_id.clone());
    line("span id", span.span_id.clone());
    line("parent", span.parent_span_id.clone());
    line("log record", span.log_id.clone());
    let start = span.start_time.map(|start| format!("{} UTC", moment(nanos_of(start))));
    line("start", start.unwrap_or_default());
    line("duration", span.duration.map(|time| milliseconds(duration_nanos(time))).unwrap_or_default());
    let first = reading.time_to_first_token.map(|time| milliseconds(duration_nanos(time)));
    line("first token", first.unwrap_or_default());
    line("status", [&*span.status, &span.status_message].join(" ").trim_end().to_owned());
    line("provider", reading.provider.clone());
    line("model", models(&reading));
    line("tokens", tokens(&reading.usage.unwrap_or_default()));
    line("billable", billable(&reading, &billing).to_owned());
    line("cost", money(billing.cost.as_ref()));
    line("reported", money(billing.reported_cost.as_ref()));
    let taken_over = |field: &str| reading.taken_over.iter().any(|taken| taken == field);
    let whose = |field: &str, id: &str| match taken_over(field) {
        true => format!("{id} (told by a span above)"),
        false => id.to_owned(),
    };
    line("session", whose("session_id", &reading.session_id));
    line("user", whose("user_id", &reading.user_id));
    line("agent", reading.agent_name.clone());
    line("tool", reading.tool_name.clone());
    line("prompt", [&*reading.prompt_name, &reading.prompt_version].join(" ").trim_end().to_owned());
    line("finished by", reading.finish_reasons.join(", "));
    line("error", reading.error_type.clone());
    line("tags", reading.tags.join(", "));
}

/// What is worth knowing of the billing; nothing for a call that counts and told its tokens.
fn billable(reading: &LlmReading, billing: &LlmBilling) -> &'static str {
    match (billing.billable, billing.usage_missing) {
        (true, true) => "yes, and it told no tokens",
        (false, _) if reading.is_call => "no: another span tells the same call",
        _ => "",
    }
}

fn models(reading: &LlmReading) -> String {
    match (reading.request_model.as_str(), reading.response_model.as_str()) {
        (asked, answered) if asked.is_empty() || asked == answered => answered.to_owned(),
        (asked, "") => asked.to_owned(),
        (asked, answered) => format!("{asked}, answered by {answered}"),
    }
}

/// `input 1200 (cache read 200), output 30 (reasoning 10)`.
fn tokens(usage: &TokenUsage) -> String {
    let part = |name: &str, count: Option<i64>, parts: &[(&str, Option<i64>)]| {
        let parts: Vec<_> =
            parts.iter().filter_map(|(name, count)| Some(format!("{name} {}", (*count)?))).collect();
        let parts = if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) };
        count.map(|count| format!("{name} {count}{parts}"))
    };
    let input = part(
        "input",
        usage.input,
        &[
            ("cache read", usage.cache_read),
            ("cache write", usage.cache_creation),
            ("cache write 1h", usage.cache_creation_1h),
            ("audio", usage.input_audio),
            ("images", usage.input_image),
        ],
    );
    let output = part(
        "output",
        usage.output,
        &[("reasoning", usage.reasoning), ("audio", usage.output_audio), ("images", usage.output_image)],
    );
    [input, output].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn conversation(out: &mut String, content: &LlmContent) {
    let mut section = |title: &str, body: String| {
        if !body.is_empty() {
            let _ = writeln!(out, "\n{title}\n{}", indented(&body));
        }
    };
    section("system instructions", parts_text(&content.system_instructions));
    let tools: Vec<_> = content.tools.iter().map(|tool| tool.name.as_str()).collect();
    section("tools", tools.join(", "));
    for message in &content.input {
        section(&title(message), parts_text(&message.parts));
    }
    for message in &content.output {
        section(&format!("{} answers", title(message)), parts_text(&message.parts));
    }
    section("tool arguments", content.tool_arguments.clone().unwrap_or_default());
    section("tool result", content.tool_result.clone().unwrap_or_default());
    section("documents", content.documents.join("\n"));
}

/// Who speaks, and why the speech ended.
fn title(message: &LlmMessage) -> String {
    let role = if message.role.is_empty() { "message" } else { &message.role };
    let name = message.name.iter().map(|name| format!(" {name}"));
    let reason = message.finish_reason.iter().map(|reason| format!(" ({reason})"));
    [role.to_owned()].into_iter().chain(name).chain(reason).collect()
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}").trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

fn parts_text(parts: &[LlmPart]) -> String {
    parts.iter().filter_map(|part| part.part.as_ref()).map(part_text).collect::<Vec<_>>().join("\n")
}

fn part_text(part: &Part) -> String {
    let id = |id: &Option<String>| id.as_ref().map(|id| format!(" [{id}]")).unwrap_or_default();
    match part {
        Part::Text(text) | Part::Other(text) => text.clone(),
        Part::Reasoning(text) => format!("(thinks) {text}"),
        Part::ToolCall(call) => format!("calls {}{} {}", call.name, id(&call.id), call.arguments),
        Part::ToolResult(result) => format!("result{} {}", id(&result.id), result.result),
        Part::Media(media) => media_text(media),
    }
}

/// What the medium is, without its bytes.
fn media_text(media: &Media) -> String {
    let kind = media.mime_type.as_ref().unwrap_or(&media.modality);
    match &media.source {
        Some(Source::Inline(bytes)) => format!("<{kind}, {} bytes in base64>", bytes.len()),
        Some(Source::Uri(uri)) => format!("<{kind} {uri}>"),
        Some(Source::FileId(id)) => format!("<{kind}, file {id}>"),
        None => format!("<{kind}>"),
    }
}

/// A JSON object without the fields that were not told: null, empty texts, lists and objects.
fn told(fields: Value) -> Value {
    let is_told = |value: &Value| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    };
    match fields {
        Value::Object(fields) => {
            fields.into_iter().filter(|(_, value)| is_told(value)).collect::<Map<_, _>>().into()
        }
        other => other,
    }
}

/// An amount, without an object when it was not told.
pub(super) fn money_json(money: Option<&Money>) -> Value {
    money.map_or(Value::Null, |money| {
        json!({ "nanos": money.nanos.to_string(), "currency": money.currency, "amount": money.amount })
    })
}

/// Token counts that were told.
pub(super) fn usage_json(usage: &TokenUsage) -> Value {
    told(json!({
        "input": usage.input,
        "output": usage.output,
        "cacheRead": usage.cache_read,
        "cacheCreation": usage.cache_creation,
        "cacheCreation1h": usage.cache_creation_1h,
        "reasoning": usage.reasoning,
        "inputAudio": usage.input_audio,
        "outputAudio": usage.output_audio,
        "inputImage": usage.input_image,
        "outputImage": usage.output_image,
    }))
}

fn parameters_json(parameters: &LlmParameters) -> Value {
    told(json!({
        "temperature": parameters.temperature,
        "topP": parameters.top_p,
        "topK": parameters.top_k,
        "maxTokens": parameters.max_tokens,
        "seed": parameters.seed,
        "stop": parameters.stop,
        "frequencyPenalty": parameters.frequency_penalty,
        "presencePenalty": parameters.presence_penalty,
        "choiceCount": parameters.choice_count,
        "reasoningEffort": parameters.reasoning_effort,
    }))
}

/// An LLM span without its content. Fields that were not told are left out.
pub(super) fn json(span: &LlmSpan) -> Value {
    let billing = span.billing.clone().unwrap_or_default();
    told(json!({
        "traceId": span.trace_id,
        "spanId": span.span_id,
        "parentSpanId": span.parent_span_id,
        "name": span.name,
        "service": span.service,
        "startTimeUnixNano": span.start_time.map(|start| nanos_of(start).to_string()),
        "durationNano": span.duration.map(|duration| duration_nanos(duration).to_string()),
        "status": span.status,
        "statusMessage": span.status_message,
        "reading": span.reading.as_ref().map(reading_json),
        "readingVersion": span.reading_version,
        "logId": span.log_id,
        "billable": billing.billable,
        "usageMissing": billing.usage_missing,
        "cost": money_json(billing.cost.as_ref()),
        "reportedCost": money_json(billing.reported_cost.as_ref()),
        "priceId": billing.price_id,
    }))
}

fn reading_json(reading: &LlmReading) -> Value {
    told(json!({
        "kind": reading.kind,
        "dialect": reading.dialect,
        "isCall": reading.is_call,
        "operation": reading.operation,
        "provider": reading.provider,
        "framework": reading.framework,
        "requestModel": reading.request_model,
        "responseModel": reading.response_model,
        "responseId": reading.response_id,
        "serviceTier": reading.service_tier,
        "usage": reading.usage.as_ref().map(usage_json),
        "finishReasons": reading.finish_reasons,
        "parameters": reading.parameters.as_ref().map(parameters_json),
        "streaming": reading.streaming,
        "timeToFirstTokenNano": reading.time_to_first_token.map(|time| duration_nanos(time).to_string()),
        "sessionId": reading.session_id,
        "conversationId": reading.conversation_id,
        "userId": reading.user_id,
        "toolName": reading.tool_name,
        "toolCallId": reading.tool_call_id,
        "agentName": reading.agent_name,
        "agentId": reading.agent_id,
        "promptName": reading.prompt_name,
        "promptVersion": reading.prompt_version,
        "errorType": reading.error_type,
        "tags": reading.tags,
        "metadata": reading.metadata,
        "takenOver": reading.taken_over,
    }))
}

fn whole_json(whole: &GetLlmSpanResponse) -> Result<Value, Failure> {
    let mut shown = whole.span.as_ref().map_or(Value::Null, json);
    shown["content"] = whole.content.as_ref().map_or(Value::Null, content_json);
    shown["attributes"] = serde_json::to_value(&whole.attributes)?;
    shown["scope"] = told(json!({ "name": whole.scope_name, "version": whole.scope_version }));
    shown["eventCount"] = whole.event_count.into();
    shown["logRecordCount"] = whole.log_record_count.into();
    shown["logRecordsLeft"] = whole.log_records_left.into();
    Ok(shown)
}

fn content_json(content: &LlmContent) -> Value {
    let tools = content.tools.iter().map(|tool| {
        told(json!({ "name": tool.name, "description": tool.description, "parameters": tool.parameters }))
    });
    told(json!({
        "systemInstructions": parts_json(&content.system_instructions),
        "input": content.input.iter().map(message_json).collect::<Vec<_>>(),
        "output": content.output.iter().map(message_json).collect::<Vec<_>>(),
        "tools": tools.collect::<Vec<_>>(),
        "toolArguments": content.tool_arguments,
        "toolResult": content.tool_result,
        "documents": content.documents,
    }))
}

fn message_json(message: &LlmMessage) -> Value {
    told(json!({
        "role": message.role,
        "name": message.name,
        "parts": parts_json(&message.parts),
        "finishReason": message.finish_reason,
    }))
}

fn parts_json(parts: &[LlmPart]) -> Vec<Value> {
    parts.iter().filter_map(|part| part.part.as_ref()).map(part_json).collect()
}

fn part_json(part: &Part) -> Value {
    match part {
        Part::Text(text) => json!({ "text": text }),
        Part::Reasoning(text) => json!({ "reasoning": text }),
        Part::ToolCall(call) => {
            json!({ "toolCall": told(json!({ "id": call.id, "name": call.name, "arguments": call.arguments })) })
        }
        Part::ToolResult(result) => {
            json!({ "toolResult": told(json!({ "id": result.id, "result": result.result })) })
        }
        Part::Media(media) => json!({ "media": media_json(media) }),
        Part::Other(json) => json!({ "other": json }),
    }
}

fn media_json(media: &Media) -> Value {
    let mut shown = told(json!({ "modality": media.modality, "mimeType": media.mime_type }));
    match &media.source {
        Some(Source::Inline(bytes)) => shown["inline"] = bytes.as_str().into(),
        Some(Source::Uri(uri)) => shown["uri"] = uri.as_str().into(),
        Some(Source::FileId(id)) => shown["fileId"] = id.as_str().into(),
        None => {}
    }
    shown
}
