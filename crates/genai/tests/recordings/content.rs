//! What real exports say that was asked and answered, against what the providers' fakes were asked and answered.

use llm_observatory_core::attributes::Attribute;
use llm_observatory_core::ids::{ProjectId, SpanId, TraceId};
use llm_observatory_core::llm::{LlmContent, LlmSpan, Message, Part};
use llm_observatory_core::text::Text;
use llm_observatory_core::time::UnixNanos;
use llm_observatory_core::trace::{SpanKind, StatusCode};
use llm_observatory_genai::{Observation, Scope, SpanObservation, attributes, content, read, remaining};
use serde_json::{Value, json};

use crate::otlp::Export;

/// A recording, with the content of each of its observations.
struct Recording {
    /// `<instrumentation>/<case>`.
    name: String,
    truth: Value,
    contents: Vec<LlmContent>,
    /// All that was exported, to look for a text in it.
    exported: String,
}

fn recordings(capture: bool) -> Vec<Recording> {
    let instrumentations = crate::recordings();
    let cases = instrumentations.iter().flat_map(|instrumentation| crate::folders(instrumentation));
    let read = cases.map(|case| {
        let truth = std::fs::read(case.join("truth.json")).unwrap();
        let export = Export::of(&case);
        let name: Vec<_> = case.iter().rev().take(2).map(|part| part.to_str().unwrap()).collect();
        Recording {
            name: format!("{}/{}", name[1], name[0]),
            truth: serde_json::from_slice(&truth).unwrap(),
            contents: export.each(content),
            exported: export.each(all).concat(),
        }
    });
    read.filter(|recording| recording.truth["content"] == capture).collect()
}

fn all(observation: &Observation<'_>) -> String {
    format!("{observation:?}")
}

#[test]
fn calls_say_what_was_asked_and_answered() {
    let mut wrong = Vec::new();
    for recording in recordings(true) {
        let answered =
            recording.truth["calls"].as_array().unwrap().iter().filter(|call| call["status"] == 200);
        for call in answered {
            let found = recording.contents.iter().map(|content| missing(&recording, call, content));
            let missing = found.min_by_key(Vec::len).unwrap_or_default();
            if !missing.is_empty() {
                wrong.push(format!("{} call {}: {missing:?}", recording.name, call["call_index"]));
            }
        }
        for run in recording.truth["tools"].as_array().unwrap() {
            let ran =
                |content: &&LlmContent| content.tool_arguments.is_some() || content.tool_result.is_some();
            let tools = recording.contents.iter().filter(ran);
            let found: Vec<_> = tools.map(|content| tool_missing(&recording, run, content)).collect();
            if !found.is_empty() && !found.iter().any(Vec::is_empty) {
                wrong.push(format!("{} tool: {found:?}", recording.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}\n{} wrong", wrong.join("\n"), wrong.len());
}

#[test]
fn where_capture_is_off_nothing_is_said() {
    let mut told = Vec::new();
    for recording in recordings(false) {
        let asked: Vec<_> = recording.truth["calls"].as_array().unwrap().iter().flat_map(prompt).collect();
        let is_shown = asked.iter().any(|prompt| recording.exported.contains(prompt));
        let messages =
            recording.contents.iter().flat_map(|content| content.input.iter().chain(&content.output));
        // A mask is the application's own text.
        let is_mask = |part: &&Part| **part == Part::Text("<masked>".to_owned());
        let parts: Vec<_> =
            messages.flat_map(|message| &message.parts).filter(|part| !is_mask(part)).collect();
        if !parts.is_empty() && !is_shown {
            told.push(format!("{}: {parts:?}", recording.name));
        }
    }
    assert!(told.is_empty(), "{}", told.join("\n"));
}

#[test]
fn real_spans_are_written_and_read_back() {
    let mut spans = 0;
    for case in crate::recordings().iter().flat_map(|instrumentation| crate::folders(instrumentation)) {
        for span in Export::of(&case).each(llm_span).into_iter().flatten() {
            let written = attributes(&span);
            let again = of(&written);
            // As text, since a NaN, which Vercel's SDK sends, is not equal to itself.
            assert_eq!(format!("{again:?}"), format!("{:?}", Some(&span)), "{}", case.display());
            spans += 1;
        }
    }
    assert!(spans > 500, "{spans} LLM spans are no recordings");
}

fn llm_span(observation: &Observation<'_>) -> Option<LlmSpan> {
    match observation {
        Observation::Span(span) => Some(LlmSpan {
            project_id: ProjectId::DEFAULT,
            trace_id: TraceId::from_wire(&[1; 16]).unwrap(),
            span_id: SpanId::from_wire(&[2; 8]).unwrap(),
            parent_span_id: None,
            name: Text::EMPTY,
            service_name: Text::EMPTY,
            start_time: UnixNanos(1),
            end_time: UnixNanos(2),
            status_code: StatusCode::UNSET,
            status_message: Text::EMPTY,
            reading: read(observation)?,
            content: content(observation),
            attributes: remaining(span.attributes),
        }),
        Observation::Log(_) => None,
    }
}

/// The LLM span in these attributes.
fn of(attributes: &[Attribute<'_>]) -> Option<LlmSpan> {
    llm_span(&Observation::Span(SpanObservation {
        scope: Scope::default(),
        name: "",
        kind: SpanKind::CLIENT,
        status: None,
        status_message: "",
        start_time: UnixNanos(1),
        end_time: UnixNanos(2),
        attributes,
        buffer: None,
        events: &[],
    }))
}

fn prompt(call: &Value) -> Vec<&str> {
    call["messages"].as_array().unwrap().iter().filter_map(|message| message["text"].as_str()).collect()
}

/// What the content does not say though the export holds it: recording, field, reason.
const UNSAID: &[(&str, &str, &str)] = &[
    (
        "claude-code/tools",
        "tool_call.id",
        "known from the span of the tool; no span tells what the model answered",
    ),
    ("claude-code/tools", "messages", "the span of the interaction has the answer to the last call only"),
    (
        "openllmetry-0.47-openai/tools_responses",
        "tool_call.id",
        "it tells the id of the item, not of the call",
    ),
    ("openllmetry-openai/tools_responses", "tool_call.id", "it tells the id of the item, not of the call"),
    ("gemini-cli/", "messages", "in log records of its own that belong to no span"),
    ("gemini-cli/", "system", "the fake knows none, though it was sent"),
    ("claude-code/", "completion", "in a log record of its own, without the question"),
    ("codex/", "tool_call.id", "in a log record of its own, without the question"),
    ("adk-google/tools_schema_1", "tool.result", "as the model gets it: ADK puts a map around it"),
    ("claude-code/tools", "tool.result", "in a log record of its own"),
    ("gemini-cli/tools", "tool_call.id", "it writes the name of the tool before the id"),
    ("openinference-crewai/tools", "tool_call.id", "known from the span of the tool"),
    ("openinference-google-genai/tools", "tool_call.id", "it tells the calls of an answer without ids"),
    (
        "openinference-google-genai/tools_automatic",
        "completion",
        "one span for two calls, which tells the last answer",
    ),
    (
        "opentelemetry-google-genai/tools_automatic",
        "completion",
        "one span for two calls, which tells the last answer",
    ),
    ("openlit-openai/tools_responses", "tool_call.id", "it tells the id of the item, not of the call"),
    ("spring-ai-", "tool_call.id", "known from the span of the tool; its messages have texts only"),
];

/// What of the truth about a call its content lacks, but for what the instrumentation does not tell: it says so in `untold`,
/// or the export holds no such text.
fn missing(recording: &Recording, call: &Value, content: &LlmContent) -> Vec<String> {
    let mut missing = Vec::new();
    let mut expect = |field: &str, said: Value, truth: &Value| {
        let is_told = leaves(truth).iter().all(|text| recording.exported.contains(text));
        let is_untold = is_untold(recording, field) || !is_told;
        if said != *truth && !is_untold {
            missing.push(format!("{field}: said {said} not {truth}"));
        }
    };
    let is_system = |message: &&Message| ["system", "developer"].contains(&&*message.role);
    let system: String = content.input.iter().filter(is_system).map(text).collect();
    let system =
        if system.is_empty() { content.system_instructions.iter().map(part_text).collect() } else { system };
    expect("system", system.into(), &call["system"].as_str().unwrap_or_default().into());
    let input = content.input.iter().filter(|message| !is_system(message));
    let texts = call["texts"].as_array().filter(|texts| !texts.is_empty());
    if let Some(texts) = texts {
        let said = input.flat_map(|message| message.parts.iter().map(part_text)).collect();
        expect("text", said, &texts.clone().into());
        return missing;
    }
    // OpenAI's responses API has calls of tools as items and not as messages, so the fakes count no message for them.
    let said = input.flat_map(|message| {
        let results = message.parts.iter().filter(|part| matches!(part, Part::ToolResult { .. }));
        let texts =
            if role(message) == "tool" { results.map(part_text).collect() } else { vec![text(message)] };
        texts.into_iter().map(|text| json!({"role": role(message), "text": text}))
    });
    let said: Vec<_> = said.filter(|message| message["text"] != "").collect();
    let asked = call["messages"].as_array().unwrap().iter().filter(|message| message["text"] != "");
    let asked: Vec<_> =
        asked.map(|message| json!({"role": message["role"], "text": unwrapped(&message["text"])})).collect();
    expect("messages", said.into(), &asked.into());
    let answer: Vec<_> = content.output.iter().flat_map(|message| &message.parts).collect();
    let said: String = answer
        .iter()
        .filter_map(|part| if let Part::Text(text) = part { Some(&**text) } else { None })
        .collect();
    // Vercel asks Anthropic for an object by way of a tool.
    if recording.truth["case"] != "object" {
        expect("completion", said.into(), &call["completion"]);
    }
    let said: String = answer
        .iter()
        .filter_map(|part| if let Part::Reasoning(text) = part { Some(&**text) } else { None })
        .collect();
    expect("reasoning", said.into(), &call["reasoning"]);
    let calls: Vec<_> = answer
        .iter()
        .filter_map(|part| match part {
            Part::ToolCall { id, name, arguments } => {
                let arguments: Value = serde_json::from_str(arguments).unwrap_or(Value::Null);
                let id = id.as_deref().map(|id| id.trim_start_matches("tool")); // a prefix that an earlier fake put on
                Some(json!({"id": id, "name": name, "arguments": arguments}))
            }
            _ => None,
        })
        .collect();
    expect("tool_call.id", calls.into(), &call["tool_calls"]);
    missing
}

/// Whether the instrumentation does not tell the field, or we don't say it for a reason.
fn is_untold(recording: &Recording, field: &str) -> bool {
    let unsaid = UNSAID.iter().any(|(name, unsaid, _)| recording.name.starts_with(name) && *unsaid == field);
    unsaid || recording.truth["untold"].get(field).is_some()
}

fn tool_missing(recording: &Recording, run: &Value, content: &LlmContent) -> Vec<String> {
    let json =
        |text: &Option<String>| text.as_deref().map(|text| serde_json::from_str::<Value>(text).unwrap());
    let mut missing = Vec::new();
    for (field, said) in
        [("arguments", json(&content.tool_arguments)), ("result", json(&content.tool_result))]
    {
        let is_untold = is_untold(recording, &format!("tool.{field}"));
        // LangChain tells OpenInference the only argument without its name.
        let only = run[field].as_object().filter(|map| map.len() == 1).and_then(|map| map.values().next());
        let is_said = said.as_ref() == Some(&run[field]) || said.is_some() && said.as_ref() == only;
        if !is_said && !is_untold {
            missing.push(format!("{field}: {said:?}"));
        }
    }
    missing
}

/// All texts in the truth, but for roles and names.
fn leaves(truth: &Value) -> Vec<&str> {
    match truth {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(leaves).collect(),
        Value::Object(fields) => ["id", "text"].iter().filter_map(|key| fields.get(*key)?.as_str()).collect(),
        _ => Vec::new(),
    }
}

/// What a tool returned, without the map that Pydantic AI puts around it for Google, as the fake shows it.
fn unwrapped(text: &Value) -> &str {
    let text = text.as_str().unwrap();
    let inner = text.strip_prefix("{'return_value': '").and_then(|text| text.strip_suffix("'}"));
    inner.unwrap_or(text)
}

/// The role; the fakes call a message that holds nothing but results `tool`, also where the provider says `user`.
fn role(message: &Message) -> &str {
    let is_result = message.parts.iter().all(|part| matches!(part, Part::ToolResult { .. }));
    if is_result { "tool" } else { &message.role }
}

fn text(message: &Message) -> String {
    message.parts.iter().map(part_text).collect()
}

fn part_text(part: &Part) -> String {
    match part {
        Part::Text(text) => text.clone(),
        Part::ToolResult { result, .. } => serde_json::from_str(result).unwrap_or_else(|_| result.clone()),
        _ => String::new(),
    }
}
