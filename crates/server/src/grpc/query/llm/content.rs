//! What was said in an LLM span, as messages.

use llm_observatory_core::llm::{LlmContent, MediaSource, Message, Part, ToolDefinition};
use llm_observatory_proto::v1;
use llm_observatory_proto::v1::llm_part::Part as PartField;
use llm_observatory_proto::v1::media::Source;
use llm_observatory_query::llm::WholeLlmSpan;

use super::span::span;

/// The answer to GetLlmSpan.
pub(super) fn answer(whole: WholeLlmSpan) -> v1::GetLlmSpanResponse {
    let count = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
    v1::GetLlmSpanResponse {
        span: Some(span(whole.span)),
        content: Some(content(whole.content)),
        attributes: whole.attributes,
        scope_name: whole.scope_name.to_string(),
        scope_version: whole.scope_version.to_string(),
        event_count: count(whole.events),
        log_record_count: count(whole.log_records),
        log_records_left: whole.log_records_left,
    }
}

fn content(content: LlmContent) -> v1::LlmContent {
    v1::LlmContent {
        system_instructions: parts(content.system_instructions),
        input: content.input.into_iter().map(message).collect(),
        output: content.output.into_iter().map(message).collect(),
        tools: content.tools.into_iter().map(tool).collect(),
        tool_arguments: content.tool_arguments,
        tool_result: content.tool_result,
        documents: content.documents,
    }
}

fn message(Message { role, name, parts: said, finish_reason }: Message) -> v1::LlmMessage {
    v1::LlmMessage { role, name, parts: parts(said), finish_reason }
}

fn tool(ToolDefinition { name, description, parameters }: ToolDefinition) -> v1::ToolDefinition {
    v1::ToolDefinition { name, description, parameters }
}

fn parts(parts: Vec<Part>) -> Vec<v1::LlmPart> {
    parts.into_iter().map(|said| v1::LlmPart { part: Some(part(said)) }).collect()
}

fn part(part: Part) -> PartField {
    match part {
        Part::Text(text) => PartField::Text(text),
        Part::Reasoning(text) => PartField::Reasoning(text),
        Part::ToolCall { id, name, arguments } => PartField::ToolCall(v1::ToolCall { id, name, arguments }),
        Part::ToolResult { id, result } => PartField::ToolResult(v1::ToolResult { id, result }),
        Part::Media { modality, mime_type, source } => {
            let source = match source {
                MediaSource::Inline(bytes) => Source::Inline(bytes),
                MediaSource::Uri(uri) => Source::Uri(uri),
                MediaSource::File(id) => Source::FileId(id),
            };
            PartField::Media(v1::Media { modality, mime_type, source: Some(source) })
        }
        Part::Other(json) => PartField::Other(json),
    }
}
