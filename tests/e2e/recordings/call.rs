//! One call of a provider's API beside the spans about it, field by field.

use llm_observatory_genai::prices::PriceBook;
use llm_observatory_proto::v1::LlmReading;
use serde_json::{Value, json};

use super::checks::Checks;
use super::content;
use super::totals::{COUNTS, count, providers, true_cost, true_count};
use super::world::Found;

/// Words of providers for why a model stopped, and ours.
const REASONS: &[(&str, &str)] = &[
    ("MAX_TOKENS", "length"),
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
    checks.field(
        "kind",
        &json!(if is_embedding { "embedding" } else { "llm" }),
        &[json!(found.reading().kind)],
    );
    let provider = &*found.reading().provider;
    let named = if providers(call).contains(&provider) { providers(call)[0] } else { provider };
    checks.field("provider", &json!(providers(call)[0]), &[told(named)]);
    let has_failed = call["status"] != 200;
    for name in COUNTS {
        // A failed call may be told to have used nothing.
        let said = count(found, name).filter(|count| !has_failed || *count != 0);
        checks.field(name, &json!(true_count(call, name)), &[json!(said)]);
    }
    let is_silent = found.usage().input.is_none() && found.usage().output.is_none();
    if is_silent && !has_failed || found.billing().usage_missing {
        let is_missing = is_silent && !has_failed;
        checks.field("usage_missing", &json!(is_missing), &[json!(found.billing().usage_missing)]);
    }
    let cost = true_cost(book, call, found.start());
    let said = found.billing().cost.as_ref().map(|cost| cost.nanos).filter(|cost| !has_failed || *cost != 0);
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
    // LiteLLM's names of models have their provider before them.
    let asked = call["request_model"].as_str().unwrap();
    let bare = |model: &str| model.split_once('/').map_or(model.to_owned(), |(_, model)| model.to_owned());
    let said = readings(|reading| told(&reading.request_model));
    let said: Vec<_> =
        said.iter().map(|said| said.as_str().map_or(Value::Null, |model| json!(bare(model)))).collect();
    checks.field("request_model", &json!(asked), &said);
    let said = readings(|reading| told(&reading.response_model));
    match call["response_model"].as_str() {
        Some(answered) => checks.field_if(answered != asked, "response_model", &json!(answered), &said),
        // Of a failed call some say the model that was asked.
        None => {
            let said: Vec<_> = said.into_iter().filter(|said| *said != asked).collect();
            checks.field("response_model", &Value::Null, &said);
        }
    }
    checks.field("response_id", &call["response_id"], &readings(|reading| told(&reading.response_id)));
    let said = readings(|reading| told(&reading.service_tier.replace("standard", "default")));
    let tier = call["service_tier"].as_str().map(|tier| tier.replace("standard", "default"));
    checks.field_as("service_tier", &json!(tier), &call["service_tier"], &said);
    check_reason(checks, call, &readings(|reading| json!(reading.finish_reasons.first())));
    checks.field("error_type", &call["error_type"], &readings(|reading| told(&reading.error_type)));
    if call["stream"] == true {
        let is_there = checks.exported.names(&["stream"]);
        checks.field_if(is_there, "stream", &json!(true), &readings(|reading| json!(reading.streaming)));
        if call["status"] == 200 {
            let said: Vec<_> = spans.iter().map(|found| is_within(found)).collect();
            let is_there = checks.exported.names(&["first", "chunk", "ttft", "completion_start"]);
            checks.field_if(is_there, "time_to_first_token", &json!(true), &said);
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
    // What programs say of their own is not part of the truth.
    if call["system"].is_string() {
        checks.field("system", &call["system"], &said(&|content| json!(content::system(content))));
    }
    let asked = filled(json!(content::asked(call)));
    checks.field("messages", &asked, &said(&|content| json!(content::messages(content))));
    if call["status"] != 200 {
        return;
    }
    let answers = |say: &dyn Fn(content::Answer) -> Value| said(&|content| say(content::answer(content)));
    checks.field("completion", &filled(call["completion"].clone()), &answers(&|answer| json!(answer.text)));
    checks.field(
        "reasoning",
        &filled(call["reasoning"].clone()),
        &answers(&|answer| json!(answer.reasoning)),
    );
    let calls = filled(call["tool_calls"].clone());
    checks.field("tool_call.id", &calls, &answers(&|answer| json!(answer.tool_calls)));
}

/// Checks that a tool that ran has its span.
pub(super) fn check_tool(checks: &mut Checks<'_>, run: &Value, found: &[Found]) {
    let is_it = |found: &&Found| found.reading().kind == "tool" && run["name"] == *found.reading().tool_name;
    let parsed = |text: &Option<String>| -> Value {
        text.as_deref().map_or(Value::Null, |text| serde_json::from_str(text).unwrap_or(Value::Null))
    };
    let said = |found: &Found| {
        let Found { content, .. } = found;
        (arguments(run, parsed(&content.tool_arguments)), result(run, parsed(&content.tool_result)))
    };
    // The same tool may run several times.
    let truth = (&run["arguments"], &run["result"]);
    let faults = |(arguments, result): &(Value, Value)| (arguments != truth.0, result != truth.1);
    let best = found.iter().filter(is_it).map(said).min_by_key(faults);
    let is_there = checks.exported.span_of(run["name"].as_str().unwrap());
    let name = if best.is_some() { run["name"].clone() } else { Value::Null };
    checks.field_if(is_there, "tools", &run["name"], &[name]);
    if let Some((arguments, result)) = best {
        checks.field("tool.arguments", truth.0, &[arguments]);
        checks.field("tool.result", truth.1, &[result]);
    }
}

/// Arguments as the truth has them: LangChain tells some the only one without its name.
fn arguments(run: &Value, said: Value) -> Value {
    let only = run["arguments"].as_object().filter(|map| map.len() == 1).and_then(|map| map.values().next());
    if only == Some(&said) { run["arguments"].clone() } else { said }
}

/// A result as the truth has it, without the map or list that a framework puts around it.
fn result(run: &Value, said: Value) -> Value {
    if json!(content::leaves(&said)) == run["result"] { run["result"].clone() } else { said }
}

/// A model that asks for a tool has stopped for that reason, though some providers' APIs say that it is done.
fn check_reason(checks: &mut Checks<'_>, call: &Value, said: &[Value]) {
    let ours = |reason: &str| REASONS.iter().find(|(theirs, _)| *theirs == reason).expect("a known reason").1;
    let Some(truth) = call["finish_reason"].as_str().map(ours) else { return };
    let is_either = truth == "stop" && call["tool_calls"].as_array().is_some_and(|calls| !calls.is_empty());
    let same = |said: &Value| if is_either && said == "tool_call" { json!(truth) } else { said.clone() };
    let said: Vec<_> = said.iter().map(same).collect();
    checks.field_as("finish_reason", &json!(truth), &call["finish_reason"], &said);
}

/// Whether the first token came within the span; null if it is not told.
fn is_within(found: &Found) -> Value {
    let nanos = |time: &prost_types::Duration| time.seconds * 1_000_000_000 + i64::from(time.nanos);
    let first = found.reading().time_to_first_token.as_ref().map(nanos);
    // Some round it to whole milliseconds.
    let fits = |all: &prost_types::Duration| first.is_some_and(|first| first <= nanos(all) + 1_000_000);
    json!(first.map(|first| first >= 0 && found.span.duration.as_ref().is_none_or(fits)))
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
