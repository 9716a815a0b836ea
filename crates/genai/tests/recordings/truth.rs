//! What the fakes of the providers' APIs told, beside what was read.

use std::path::Path;

use llm_observatory_core::llm::{LlmKind, LlmReading};
use serde_json::Value;

use crate::otlp::Export;

/// The truth of one case.
pub(crate) struct Truth {
    instrumentation: String,
    name: String,
    json: Value,
}

/// Instrumentations whose span is not above that of the client inside it. The client's span counts, and does not tell all
/// that the outer one does.
const APART: &[&str] = &[
    "openinference-anthropic",
    "openinference-langchain",
    "openinference-langchain-openai",
    "langsmith-anthropic",
    "openinference-js-langchain",
    "openinference-js-langchain-openai",
    "openllmetry-anthropic",
    "openllmetry-langchain",
];

/// Cases in which the instrumentation makes no span, or one span for several calls.
const UNTRACED: &[&str] = &[
    "mlflow-anthropic/cached_stream",
    "mlflow-anthropic/stream",
    "openinference-crewai/chat",
    "openinference-crewai/session",
    "openinference-crewai/tools",
    "openinference-google-genai/tools_automatic",
    "opentelemetry-google-genai/tools_automatic",
];

/// What is told, but wrong, and can't be known to be: instrumentation, field, why.
const MISTOLD: &[(&str, &str, &str)] = &[
    ("claude-code", "cache_write_1h_tokens", "the span does not tell it; the log record beside it does"),
    (
        "codex",
        "request_model",
        "the span with the usage does not name the model; the log record beside it does",
    ),
    ("gemini-cli", "response_model", "it stands in another log record than the usage"),
    ("gemini-cli", "response_id", "it stands in another log record than the usage"),
    ("langfuse-openai", "request_model", "one key for both models, which holds that of the response"),
    ("langfuse-openai", "response_id", "of streamed responses alone, among the metadata"),
    ("langsmith-openai", "service_tier", "another attribute is named default"),
    ("gemini-cli", "parameters.temperature", "it stands in another log record than the usage"),
    ("gemini-cli", "parameters.top_p", "it stands in another log record than the usage"),
    (
        "openinference-js-anthropic",
        "parameters.temperature",
        "the SDK's own span, which counts, does not tell it",
    ),
    ("openinference-js-anthropic", "parameters.stop", "the SDK's own span, which counts, does not tell it"),
    ("openinference-js-langchain", "stream", "LangChain notes no streaming among its parameters"),
    ("openinference-js-langchain-openai", "stream", "LangChain notes no streaming; the inner span is right"),
    ("openinference-langchain", "stream", "LangChain notes no streaming among its parameters"),
    ("openinference-langchain-openai", "stream", "LangChain notes no streaming; the inner span is right"),
    (
        "opentelemetry-genai-anthropic",
        "parameters.stop",
        "the SDK's own span, which counts, does not tell it",
    ),
    ("vercel-5-anthropic", "finish_reason", "an object comes by way of a tool, which the SDK hides"),
    (
        "openllmetry-anthropic",
        "output_tokens",
        "it counts one too many in streams; the SDK's own span is right",
    ),
    ("openllmetry-langchain", "cache_write_tokens", "it tells zero; the SDK's own span is right"),
    ("openllmetry-langchain", "response_model", "in streams it tells the request's"),
];

impl Truth {
    /// The truth in a folder.
    pub(crate) fn of(folder: &Path) -> Self {
        let text = std::fs::read_to_string(folder.join("truth.json")).unwrap();
        let parts: Vec<_> = folder.iter().rev().take(2).map(|part| part.to_str().unwrap()).collect();
        Self {
            instrumentation: parts[1].to_owned(),
            name: format!("{}/{}", parts[1], parts[0]),
            json: serde_json::from_str(&text).unwrap(),
        }
    }

    /// What is wrong with these calls.
    pub(crate) fn compare(&self, export: &Export, calls: Vec<&LlmReading>) -> Vec<String> {
        let truths = self.json["calls"].as_array().unwrap();
        if UNTRACED.contains(&&*self.name) {
            return Vec::new();
        }
        let mut left = calls;
        if left.len() != truths.len() {
            return vec![format!("{}: {} calls are read of {}", self.name, left.len(), truths.len())];
        }
        let mut wrong = Vec::new();
        for truth in truths {
            // Calls side by side start in any order: the one that fits best is meant.
            let faults = left.iter().map(|call| self.faults(export, truth, call)).enumerate();
            let (place, faults) = faults.min_by_key(|(_, faults)| faults.len()).unwrap();
            left.remove(place);
            wrong.extend(faults.into_iter().map(|fault| format!("{}: {fault}", self.name)));
        }
        wrong
    }

    /// Whether the instrumentation tells a field: a truth that stands nowhere in its export, but for the content of
    /// messages, is not told, and neither is one that the recording calls so.
    fn tells(&self, export: &Export, field: &str, told: &str) -> bool {
        self.json["untold"].get(field).is_none() && !self.is_mistold(field) && export.tells(told)
    }

    fn is_mistold(&self, field: &str) -> bool {
        MISTOLD.iter().any(|(instrumentation, mistold, _)| {
            *instrumentation == self.instrumentation && *mistold == field
        })
    }

    /// How the call ended.
    fn check_end(&self, export: &Export, truth: &Value, call: &LlmReading, faults: &mut Vec<String>) {
        let apart = APART.contains(&&*self.instrumentation);
        let tells = |field: &str| self.json["untold"].get(field).is_none() && !apart;
        if truth["status"] != 200 && call.error_type.is_none() && tells("error_type") {
            faults.push(format!("error_type is not read, was {}", truth["error_type"]));
        }
        let Some(reason) = truth["finish_reason"].as_str() else { return };
        let calls_tools = !truth["tool_calls"].as_array().unwrap().is_empty();
        let expected = match reason {
            "end_turn" | "completed" | "STOP" | "stop_sequence" => "stop",
            "tool_calls" | "tool_use" => "tool_call",
            "max_tokens" | "MAX_TOKENS" | "max_output_tokens" => "length",
            other => other,
        };
        // The responses API ends with `completed` when it asks for tools, and `incomplete` when it was cut off.
        let read: Vec<&str> = call.finish_reasons.iter().map(|reason| &**reason).collect();
        let fits =
            read.contains(&expected) || read.contains(&"tool_call") && calls_tools || read.contains(&reason);
        let silent = read.is_empty() && (!tells("finish_reason") || !export.tells_an_end());
        if !fits && !silent && !self.is_mistold("finish_reason") {
            faults.push(format!("finish_reasons are {read:?}, was {reason}"));
        }
    }

    /// Whether some step tells the session and the user, where the case sets them.
    pub(crate) fn compare_people<'r>(
        &self,
        export: &Export,
        readings: impl Iterator<Item = &'r LlmReading> + Clone,
    ) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut check = |field: &str, of: fn(&LlmReading) -> Option<&str>| {
            let Some(told) = self.json[field].as_str() else { return };
            let untold = self.json["untold"].get(field).is_some();
            if !untold && export.tells(told) && !readings.clone().any(|reading| of(reading) == Some(told)) {
                wrong.push(format!("{}: no step tells {field} {told}", self.name));
            }
        };
        check("session_id", |reading| reading.session_id.as_deref());
        check("user_id", |reading| reading.user_id.as_deref());
        // Applications run tools by themselves too.
        let untold = !readings.clone().any(|reading| reading.kind == LlmKind::Tool);
        for tool in self.json["tools"].as_array().unwrap().iter().filter(|_| !untold) {
            let name = tool["name"].as_str();
            // Semantic Kernel's names begin with the plugin.
            let is_it =
                |read: &str| name.is_some_and(|name| read == name || read.ends_with(&format!("-{name}")));
            let ran = |reading: &LlmReading| {
                reading.kind == LlmKind::Tool && reading.tool_name.as_deref().is_some_and(is_it)
            };
            if !readings.clone().any(ran) {
                wrong.push(format!("{}: no step is tool {name:?}", self.name));
            }
        }
        wrong
    }

    fn faults(&self, export: &Export, truth: &Value, call: &LlmReading) -> Vec<String> {
        let mut faults = Vec::new();
        let apart = APART.contains(&&*self.instrumentation);
        let mut check = |field: &str, told: Option<String>, read: Option<String>| {
            let Some(told) = told else { return };
            // Of two spans apart the other one tells it.
            let silent = read.is_none() && apart;
            // LiteLLM's names begin with the provider that it routes to.
            let read = read.map(|read| match read.split_once('/') {
                Some((_, model)) if field == "request_model" && model == told => model.to_owned(),
                _ => read,
            });
            // One key for both models, or the model that was asked alone: that the response names the same is not told.
            let same = field == "response_model" && read.is_none() && truth["request_model"] == told.as_str();
            if read.as_ref() != Some(&told) && !silent && !same && self.tells(export, field, &told) {
                faults.push(format!("{field} is {read:?}, was {told:?}"));
            }
        };
        let text = |key: &str| truth[key].as_str().map(str::to_owned);
        let count = |key: &str| truth[key].as_i64().filter(|_| truth["usage_on_wire"] == true);
        let parts = |key: &str| count(key).filter(|count| *count > 0).map(|count| count.to_string());
        let whole = |key: &str| count(key).map(|count| count.to_string());
        let embeds = truth["api"].as_str().is_some_and(|api| api.ends_with(".embeddings"));
        let usage = &call.usage;
        let shown = |count: Option<i64>| count.map(|count| count.to_string());
        check("input_tokens", whole("input_tokens"), shown(usage.input));
        check("output_tokens", whole("output_tokens").filter(|_| !embeds), shown(usage.output));
        check("cache_read_tokens", parts("cache_read_tokens"), shown(usage.cache_read));
        check("cache_write_tokens", parts("cache_write_tokens"), shown(usage.cache_creation));
        check("cache_write_1h_tokens", parts("cache_write_1h_tokens"), shown(usage.cache_creation_1h));
        check("reasoning_tokens", parts("reasoning_tokens"), shown(usage.reasoning));
        let read = |text: &Option<llm_observatory_core::text::Text>| text.as_deref().map(str::to_owned);
        check("request_model", text("request_model"), read(&call.request_model));
        check("response_model", text("response_model"), read(&call.response_model));
        check("response_id", text("response_id"), read(&call.response_id));
        let tier = |tier: String| if tier == "standard" { "default".to_owned() } else { tier };
        check("service_tier", text("service_tier").map(tier), read(&call.service_tier));
        let asked = |key: &str| truth["parameters"][key].as_f64();
        let number = |number: Option<f64>| number.map(|number| number.to_string());
        let parameters = &call.parameters;
        check("parameters.temperature", number(asked("temperature")), number(parameters.temperature));
        check("parameters.top_p", number(asked("top_p")), number(parameters.top_p));
        check("parameters.max_tokens", number(asked("max_tokens")), shown(parameters.max_tokens));
        check("parameters.seed", number(asked("seed")), shown(parameters.seed));
        let stop = truth["parameters"]["stop"][0].as_str().map(str::to_owned);
        check("parameters.stop", stop, parameters.stop.first().map(|stop| stop.to_string()));
        if truth["stream"] == true && call.streaming == Some(false) && !self.is_mistold("stream") {
            faults.push("stream is false".to_owned());
        }
        self.check_end(export, truth, call, &mut faults);
        let kind = if embeds { "embedding" } else { "llm" };
        if call.kind.name() != kind {
            faults.push(format!("kind is {}", call.kind));
        }
        faults
    }
}
