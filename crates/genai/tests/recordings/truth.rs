//! What the fakes of the providers' APIs told, beside what was read.

use std::path::Path;

use llm_observatory_core::llm::LlmReading;
use serde_json::Value;

use crate::otlp::Export;

/// The truth of one case.
pub(crate) struct Truth {
    instrumentation: String,
    name: String,
    json: Value,
}

/// Instrumentations that open a trace of its own for a call inside their own call, so that no span of either trace tells that
/// both are one. Each of the two traces must tell the truth.
const APART: &[&str] = &[
    "openinference-anthropic",
    "openinference-langchain",
    "openinference-langchain-openai",
    "openllmetry-anthropic",
    "openllmetry-langchain",
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

    /// What is wrong with these calls, which are given by trace.
    pub(crate) fn compare(&self, export: &Export, traces: Vec<Vec<&LlmReading>>) -> Vec<String> {
        let truths = self.json["calls"].as_array().unwrap();
        let apart = APART.contains(&&*self.instrumentation);
        let mut left: Vec<&LlmReading> = traces.into_iter().flatten().collect();
        if left.len() != truths.len() && !(apart && left.len() == 2 * truths.len()) {
            return vec![format!("{}: {} calls are read of {}", self.name, left.len(), truths.len())];
        }
        let mut wrong = Vec::new();
        while !left.is_empty() {
            for truth in truths {
                // Calls side by side start in any order: the one that fits best is meant.
                let faults = left.iter().map(|call| self.faults(export, truth, call)).enumerate();
                let (place, faults) = faults.min_by_key(|(_, faults)| faults.len()).unwrap();
                left.remove(place);
                wrong.extend(faults.into_iter().map(|fault| format!("{}: {fault}", self.name)));
            }
        }
        wrong
    }

    /// Whether the instrumentation tells a field: a truth that stands nowhere in its export, but for the content of
    /// messages, is not told, and neither is one that the recording calls so.
    fn tells(&self, export: &Export, field: &str, told: &str) -> bool {
        let mistold = MISTOLD.iter().any(|(instrumentation, mistold, _)| {
            *instrumentation == self.instrumentation && *mistold == field
        });
        self.json["untold"].get(field).is_none() && !mistold && export.tells(told)
    }

    fn faults(&self, export: &Export, truth: &Value, call: &LlmReading) -> Vec<String> {
        let mut faults = Vec::new();
        let apart = APART.contains(&&*self.instrumentation);
        let mut check = |field: &str, told: Option<String>, read: Option<String>| {
            let Some(told) = told else { return };
            // Of two spans apart the other one tells it.
            let silent = read.is_none() && apart;
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
        let embeds = truth["api"] == "openai.embeddings";
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
        let kind = if embeds { "embedding" } else { "llm" };
        if call.kind.name() != kind {
            faults.push(format!("kind is {}", call.kind));
        }
        faults
    }
}
