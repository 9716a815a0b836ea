//! What was said in an LLM span: its size, and the cut of its long texts.

use llm_observatory_core::llm::{LlmContent, MediaSource, Message, Part};

use crate::encode::ValueLimit;

/// About how many bytes the content takes in a message.
pub(super) fn content_bytes(content: &mut LlmContent) -> usize {
    let mut bytes = 0;
    each_text(content, |text| bytes += text.len() + 8);
    bytes
}

/// Cuts the texts of the content.
pub(super) fn cut(content: &mut LlmContent, limit: ValueLimit) {
    each_text(content, |text| limit.cut_text(text));
}

/// Shows every text of the content that may be long.
fn each_text(content: &mut LlmContent, mut show: impl FnMut(&mut String)) {
    let LlmContent { system_instructions, input, output, tools, tool_arguments, tool_result, documents } =
        content;
    system_instructions.iter_mut().for_each(|part| of_part(part, &mut show));
    for Message { role, name, parts, finish_reason } in input.iter_mut().chain(output) {
        show(role);
        name.iter_mut().chain(finish_reason).for_each(&mut show);
        parts.iter_mut().for_each(|part| of_part(part, &mut show));
    }
    for tool in tools {
        show(&mut tool.name);
        tool.description.iter_mut().chain(&mut tool.parameters).for_each(&mut show);
    }
    tool_arguments.iter_mut().chain(tool_result).chain(documents).for_each(show);
}

fn of_part(part: &mut Part, show: &mut impl FnMut(&mut String)) {
    match part {
        Part::Text(text) | Part::Reasoning(text) | Part::Other(text) => show(text),
        Part::ToolCall { id, name, arguments } => {
            id.iter_mut().for_each(&mut *show);
            show(name);
            show(arguments);
        }
        Part::ToolResult { id, result } => {
            id.iter_mut().for_each(&mut *show);
            show(result);
        }
        Part::Media { modality, mime_type, source } => {
            show(modality);
            mime_type.iter_mut().for_each(&mut *show);
            match source {
                MediaSource::Inline(text) | MediaSource::Uri(text) | MediaSource::File(text) => show(text),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use llm_observatory_core::llm::ToolDefinition;

    use super::*;

    #[test]
    fn every_long_text_is_cut_and_short_ones_stay() {
        let long = || "long text".to_owned();
        let parts = vec![
            Part::Text(long()),
            Part::Reasoning(long()),
            Part::ToolCall { id: Some("id".into()), name: "name".into(), arguments: long() },
            Part::ToolResult { id: None, result: long() },
            Part::Media { modality: "image".into(), mime_type: None, source: MediaSource::Inline(long()) },
            Part::Other(long()),
        ];
        let message = Message { role: "user".into(), parts: parts.clone(), ..Message::default() };
        let mut content = LlmContent {
            system_instructions: parts,
            input: vec![message.clone()],
            output: vec![message],
            tools: vec![ToolDefinition { name: "name".into(), description: None, parameters: Some(long()) }],
            tool_arguments: Some(long()),
            tool_result: Some(long()),
            documents: vec![long()],
        };
        let whole = content_bytes(&mut content);
        cut(&mut content, ValueLimit::from(5));
        let (mut cut, mut kept) = (0, 0);
        each_text(&mut content, |text| match text.as_str() {
            "long <cut: 9 bytes>" => cut += 1,
            "" | "id" | "name" | "user" | "image" => kept += 1,
            other => panic!("{other}"),
        });
        assert_eq!((cut, kept), (3 * 6 + 4, 3 * 3 + 2 + 1));
        assert!(whole > 22 * 9);
    }
}
