//! Readings as text, for snapshots: a line a step, and what it tells below it.

use std::fmt::{Debug, Write as _};
use std::path::Path;

use llm_observatory_core::llm::LlmReading;

use crate::otlp::{Export, Step};

/// All LLM steps of a recording.
pub(crate) fn case(folder: &Path) -> String {
    let mut text = format!("== {}\n", folder.file_name().unwrap().to_str().unwrap());
    let steps = Export::of(folder).steps();
    for step in steps.iter().filter(|step| step.reading.is_some()) {
        show(step, &mut text);
    }
    text
}

fn show(step: &Step, text: &mut String) {
    let reading = step.reading.as_ref().unwrap();
    let call = if reading.is_call { ", a call" } else { "" };
    _ = writeln!(text, "{:?}: {} of {}{call}", step.name, reading.kind, reading.dialect);
    let mut line = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            _ = writeln!(text, "    {name}: {value}");
        }
    };
    models(reading, &mut line);
    counts(reading, &mut line);
    let list = |texts: &[llm_observatory_core::text::Text]| {
        (!texts.is_empty()).then(|| texts.iter().map(|text| text.to_string()).collect::<Vec<_>>().join(", "))
    };
    line("finish_reasons", list(&reading.finish_reasons));
    let parameters = format!("{:?}", reading.parameters);
    let told = parameters.trim_start_matches("Parameters { ").trim_end_matches(" }").split(", ");
    let told: Vec<_> = told.filter(|field| !field.ends_with("None") && !field.ends_with("[]")).collect();
    line("parameters", (!told.is_empty()).then(|| told.join(", ")));
    line("streaming", plain(&reading.streaming));
    // The time of a recorded call differs from recording to recording.
    line("time_to_first_token", reading.time_to_first_token.map(|_| "told".to_owned()));
    for (name, value) in [
        ("session_id", &reading.session_id),
        ("conversation_id", &reading.conversation_id),
        ("user_id", &reading.user_id),
        ("tool_name", &reading.tool_name),
        ("tool_call_id", &reading.tool_call_id),
        ("agent_name", &reading.agent_name),
        ("agent_id", &reading.agent_id),
        ("prompt_name", &reading.prompt_name),
        ("prompt_version", &reading.prompt_version),
        ("error_type", &reading.error_type),
    ] {
        line(name, value.as_ref().map(|value| value.to_string()));
    }
    line("tags", list(&reading.tags));
    let keys: Vec<_> = reading.metadata.iter().map(|entry| &*entry.key).collect();
    line("metadata", (!keys.is_empty()).then(|| keys.join(", ")));
}

fn plain<T: Debug>(value: &Option<T>) -> Option<String> {
    value.as_ref().map(|value| format!("{value:?}"))
}

fn models(reading: &LlmReading, line: &mut impl FnMut(&str, Option<String>)) {
    for (name, value) in [
        ("operation", &reading.operation),
        ("provider", &reading.provider),
        ("framework", &reading.framework),
        ("request_model", &reading.request_model),
        ("response_model", &reading.response_model),
        ("response_id", &reading.response_id),
        ("service_tier", &reading.service_tier),
    ] {
        line(name, value.as_ref().map(|value| value.to_string()));
    }
}

fn counts(reading: &LlmReading, line: &mut impl FnMut(&str, Option<String>)) {
    let usage = &reading.usage;
    let told: Vec<String> = [
        ("input", usage.input),
        ("cache_read", usage.cache_read),
        ("cache_creation", usage.cache_creation),
        ("cache_creation_1h", usage.cache_creation_1h),
        ("output", usage.output),
        ("reasoning", usage.reasoning),
        ("input_audio", usage.input_audio),
        ("output_audio", usage.output_audio),
        ("input_image", usage.input_image),
        ("output_image", usage.output_image),
    ]
    .into_iter()
    .filter_map(|(name, count)| count.map(|count| format!("{name} {count}")))
    .collect();
    line("tokens", (!told.is_empty()).then(|| told.join(", ")));
    line("reported_cost", reading.reported_cost.map(|cost| cost.to_string()));
}
