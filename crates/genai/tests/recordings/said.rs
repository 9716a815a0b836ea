//! Content as text, for snapshots: a line a message, `<` before what went in and `>` before what came out.

use std::fmt::Write as _;
use std::path::Path;

use llm_observatory_core::llm::{LlmContent, Message, Part};
use llm_observatory_genai::{Observation, content};

use crate::otlp::Export;

/// Most characters of a line that are shown.
const SHOWN: usize = 160;

/// The content of all observations of a recording that have some.
pub(crate) fn case(folder: &Path) -> String {
    let mut text = format!("== {}\n", folder.file_name().unwrap().to_str().unwrap());
    for (name, content) in Export::of(folder).each(named) {
        if content != LlmContent::default() {
            _ = writeln!(text, "{name}");
            show(&content, &mut text);
        }
    }
    text
}

fn named(observation: &Observation<'_>) -> (String, LlmContent) {
    let name = match observation {
        Observation::Span(span) => span.name.to_owned(),
        Observation::Log(log) => format!("log {}", log.body.as_str().unwrap_or(log.event_name)),
    };
    (name, content(observation))
}

fn show(content: &LlmContent, text: &mut String) {
    let mut line = |mark: &str, said: &str| {
        let said = said.replace('\n', "\\n");
        let shown: String = said.chars().take(SHOWN).collect();
        let rest = if shown.len() < said.len() { "..." } else { "" };
        _ = writeln!(text, "    {mark} {shown}{rest}");
    };
    if !content.system_instructions.is_empty() {
        line("system:", &parts(&content.system_instructions));
    }
    content.input.iter().for_each(|message| line("<", &said(message)));
    content.output.iter().for_each(|message| line(">", &said(message)));
    for tool in &content.tools {
        line("tool:", &format!("{} {}", tool.name, tool.parameters.as_deref().unwrap_or_default()));
    }
    for (mark, json) in [("arguments:", &content.tool_arguments), ("result:", &content.tool_result)] {
        json.iter().for_each(|json| line(mark, json));
    }
    content.documents.iter().for_each(|document| line("document:", document));
}

fn said(message: &Message) -> String {
    let name = message.name.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
    let reason = message.finish_reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    format!("{}{name}{reason}: {}", message.role, parts(&message.parts))
}

fn parts(parts: &[Part]) -> String {
    parts.iter().map(part).collect::<Vec<_>>().join(" | ")
}

fn part(part: &Part) -> String {
    match part {
        Part::Text(text) => text.clone(),
        Part::Reasoning(text) => format!("thinks {text}"),
        Part::ToolCall { id, name, arguments } => {
            format!("calls {name} [{}] {arguments}", id.as_deref().unwrap_or("-"))
        }
        Part::ToolResult { id, result } => format!("result [{}] {result}", id.as_deref().unwrap_or("-")),
        Part::Media { modality, mime_type, source } => format!("{modality} {mime_type:?} {source:?}"),
        Part::Other(json) => format!("other {json}"),
    }
}
