//! One call of a provider's API beside the spans about it, field by field.

use llm_observatory_genai::prices::PriceBook;
use llm_observatory_proto::v1::LlmReading;
use serde_json::{Value, json};

use super::content;
use super::report::Checks;
use super::totals::{COUNTS, count, providers, true_cost, true_count};
use super::world::Found;

/// Words of providers for why a model stopped, and ours.
const REASONS: &[(&str, &str)] = &[
    ("STOP", "stop"),
    ("completed", "stop"),
    ("end_turn", "stop"),
    ("stop", "stop"),
    ("length", "length"),
    ("max_output_tokens", "length"),
    ("max_tokens", "length"),
    ("tool_calls", "tool_call"),
    ("tool_use", "tool_call"),
];

/// Checks what is paid: all of it stands on the billable span.
pub(super) fn check_bill(checks: &mut Checks<'_>, book: &PriceBook, call: &Value, found: &Found) {
    let is_embedding = call["api"].as_str().unwrap().ends_with("embeddings");
    checks.field("kind", &json!(if is_embedding { "embedding" } else { "llm" }), &[json!(found.reading().kind)]);
    let provider = &*found.reading().provider;
    let named = if providers(call).contains(&provider) { providers(call)[0] } else { provider };
    checks.field("provider", &json!(providers(call)[0]), &[told(named)]);
    for name in COUNTS {
        checks.field(name, &json!(true_count(call, name)), &[json!(count(found, name))]);
    }
    let is_silent = call["usage_on_wire"] == false && call["status"] == 200;
    let is_marked = found.billing().usage_missing;
    if is_silent && !found.usage().input.is_some() && !found.usage().output.is_some() || is_marked {
        checks.field("usage_missing", &json!(is_silent || checks.is_untold("input_tokens")), &[json!(is_marked)]);
    }
    let cost = true_cost(book, call, found.start());
    let said = found.billing().cost.as_ref().map(|cost| cost.nanos);
    // What it is made of must be told, or it can't be right.
    let mut parts = COUNTS.iter().chain(&["service_tier"]);
    match said != cost && parts.any(|name| checks.lacks(call, name)) {
        true => checks.untold("cost"),
        false => checks.field("cost", &json!(cost), &[json!(said)]),
    }
}

/// Checks what may stand on any span of the call, and must be right on each that tells it.
pub(super) fn check_facts(checks: &mut Checks<'_>, call: &Value, spans: &[&Found]) {
    let readings = |tell: fn(&LlmReading) -> Value| -> Vec<Value> {
        spans.iter().map(|found| tell(found.reading())).collect()
    };
    checks.field("request_model", &call["request_model"], &readings(|reading| told(&reading.request_model)));
    checks.field("response_model", &call["response_model"], &readings(|reading| told(&reading.response_model)));
    checks.field("response_id", &call["response_id"], &readings(|reading| told(&reading.response_id)));
    let tier = call["service_tier"].as_str().map(|tier| tier.replace("standard", "default"));
    let said = readings(|reading| told(&reading.service_tier));
    checks.field_as("service_tier", &json!(tier), &call["service_tier"], &said);
    check_reason(checks, call, &readings(|reading| json!(reading.finish_reasons.first())));
    checks.field("error_type", &call["error_type"], &readings(|reading| told(&reading.error_type)));
    if call["stream"] == true {
        checks.field("stream", &json!(true), &readings(|reading| json!(reading.streaming)));
        if call["status"] == 200 {
            let said: Vec<_> = spans.iter().map(|found| is_within(found)).collect();
            checks.field("time_to_first_token", &json!(true), &said);
        }
    } else {
        checks.field("stream", &json!(0), &readings(|reading| json!(reading.streaming.filter(|yes| *yes))));
    }
    for (name, truth) in call["parameters"].as_object().into_iter().flatten() {
        let said: Vec<_> = spans.iter().map(|found| parameter(found.reading(), name)).collect();
        checks.field(&format!("parameters.{name}"), truth, &said);
    }
}

/// Checks who spoke. Every billable span should know it, since sessions and users are what costs are summed up by.
pub(super) fn check_speaker(checks: &mut Checks<'_>, truth: &Value, spans: &[&Found]) {
    let said: Vec<_> = spans.iter().map(|found| told(&found.reading().session_id)).collect();
    if truth["session_id"].is_string() {
        checks.field("session_id", &truth["session_id"], &said);
        let said: Vec<_> = spans.iter().map(|found| told(&found.reading().user_id)).collect();
        checks.field("user_id", &truth["user_id"], &said);
    }
}

/// Checks what was asked and answered.
pub(super) fn check_content(checks: &mut Checks<'_>, call: &Value, spans: &[&Found]) {
    let spoken: Vec<_> = spans.iter().map(|found| &found.content).collect();
    let said = |say: &dyn Fn(&llm_observatory_proto::v1::LlmContent) -> Value| -> Vec<Value> {
        spoken.iter().map(|content| filled(say(content))).collect()
    };
    let texts = call["texts"].as_array().unwrap();
    if !texts.is_empty() {
        checks.field("texts", &call["texts"], &said(&|content| json!(content::texts(content))));
        return;
    }
    checks.field("system", &filled(call["system"].clone()), &said(&|content| json!(content::system(content))));
    let asked = filled(json!(content::asked(call)));
    checks.field("messages", &asked, &said(&|content| json!(content::messages(content))));
    if call["status"] != 200 {
        return;
    }
    let answers = |say: &dyn Fn(content::Answer) -> Value| said(&|content| say(content::answer(content)));
    checks.field("completion", &filled(call["completion"].clone()), &answers(&|answer| json!(answer.text)));
    checks.field("reasoning", &filled(call["reasoning"].clone()), &answers(&|answer| json!(answer.reasoning)));
    let calls = filled(call["tool_calls"].clone());
    checks.field("tool_calls", &calls, &answers(&|answer| json!(answer.tool_calls)));
}

/// Checks that a tool that ran has its span.
pub(super) fn check_tool(checks: &mut Checks<'_>, run: &Value, found: &[Found]) {
    let is_it = |found: &&Found| found.reading().kind == "tool" && run["name"] == *found.reading().tool_name;
    let span = found.iter().find(is_it);
    checks.field("tools", &run["name"], &[json!(span.map(|found| &found.reading().tool_name))]);
    let Some(Found { content, .. }) = span else { return };
    let parsed = |text: &Option<String>| -> Value {
        text.as_deref().map_or(Value::Null, |text| serde_json::from_str(text).unwrap_or(Value::Null))
    };
    checks.field("tool.arguments", &run["arguments"], &[parsed(&content.tool_arguments)]);
    checks.field("tool.result", &run["result"], &[parsed(&content.tool_result)]);
}

/// A model that asks for a tool has stopped for that reason, though some providers' APIs say that it is done.
fn check_reason(checks: &mut Checks<'_>, call: &Value, said: &[Value]) {
    let ours = |reason: &str| REASONS.iter().find(|(theirs, _)| *theirs == reason).unwrap().1;
    let truth = call["finish_reason"].as_str().map(ours);
    let is_either = truth == Some("stop") && call["tool_calls"].as_array().is_some_and(|calls| !calls.is_empty());
    let same = |said: &Value| if is_either && said == "tool_call" { json!(truth) } else { said.clone() };
    let said: Vec<_> = said.iter().map(same).collect();
    checks.field_as("finish_reason", &json!(truth), &call["finish_reason"], &said);
}

/// Whether the first token came within the span; null if it is not told.
fn is_within(found: &Found) -> Value {
    let nanos = |time: &prost_types::Duration| time.seconds * 1_000_000_000 + i64::from(time.nanos);
    let first = found.reading().time_to_first_token.as_ref().map(nanos);
    json!(first.map(|first| first > 0 && found.span.duration.as_ref().is_some_and(|all| first <= nanos(all))))
}

fn parameter(reading: &LlmReading, name: &str) -> Value {
    let Some(parameters) = &reading.parameters else { return Value::Null };
    match name {
        "temperature" => json!(parameters.temperature),
        "top_p" => json!(parameters.top_p),
        "top_k" => json!(parameters.top_k),
        "max_tokens" => json!(parameters.max_tokens),
        "seed" => json!(parameters.seed),
        "stop" => filled(json!(parameters.stop)),
        _ => panic!("a parameter that no test knows: {name}"),
    }
}

/// A text of an answer, where an empty one stands for none.
fn told(text: &str) -> Value {
    filled(json!(text))
}

/// The value; null if it is empty.
fn filled(value: Value) -> Value {
    let is_empty = value == "" || value.as_array().is_some_and(Vec::is_empty);
    if is_empty { Value::Null } else { value }
}
