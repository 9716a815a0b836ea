//! MLflow: keys `mlflow.*`, whose values are all JSON.
//!
//! Source: `mlflow/tracing/constant.py` of mlflow-tracing. Input includes cached tokens. `mlflow.trace.tokenUsage` of the root
//! is a sum, and is not read.

use llm_observatory_core::attributes::Value;
use llm_observatory_core::llm::{Dialect, LlmKind, LlmReading};
use llm_observatory_core::text::Text;

use crate::json::{field, structure};
use crate::money;
use crate::parameters;
use crate::rules::Rules;
use crate::seen::Seen;
use crate::slots::Slot::*;
use crate::usage::Counts;
use crate::value;

/// MLflow.
pub(crate) struct Mlflow;

impl Rules for Mlflow {
    fn dialect(&self) -> Dialect {
        Dialect::Mlflow
    }

    fn speaks(&self, seen: &Seen<'_>) -> bool {
        seen.has(MlflowType) || seen.has(MlflowTraceRequestId)
    }

    fn count(&self, seen: &Seen<'_>, counts: &mut Counts) {
        let Some(map) = seen.get(MlflowUsage).and_then(structure) else { return };
        let count = |key| field(&map, key).and_then(value::count);
        counts.complete(&Counts {
            input: count("input_tokens"),
            output: count("output_tokens"),
            total: count("total_tokens"),
            cache_read: count("cache_read_input_tokens"),
            cache_creation: count("cache_creation_input_tokens"),
            cache_creation_1h: count("cache_creation_input_tokens_above_1hr"),
            reasoning: count("reasoning_tokens"),
            ..Counts::default()
        });
    }

    fn amend(&self, seen: &Seen<'_>, reading: &mut LlmReading) {
        if reading.is_call && reading.request_model.is_none() {
            let asked = parameters::in_maps(seen, &[MlflowInputs]);
            parameters::complete(&mut reading.parameters, asked.parameters);
            reading.streaming = reading.streaming.or(asked.stream);
            reading.request_model =
                asked.model.filter(|model| Some(model) != reading.response_model.as_ref());
        }
        // One key for both models: where the request names another one, it is that of the response, and else that of the
        // request.
        reading.request_model = reading.request_model.take().or_else(|| reading.response_model.take());
        if let Some(map) = seen.get(MlflowCost).and_then(structure)
            && reading.reported_cost.is_none()
        {
            let cost = |key| field(&map, key).and_then(money::dollars);
            let parts = || money::sum(&[cost("input_cost"), cost("output_cost")]);
            reading.reported_cost = cost("total_cost").or_else(parts);
        }
        if reading.prompt_name.is_some() {
            return;
        }
        let Some(prompts) = seen.get(MlflowPrompts).and_then(structure) else { return };
        if let Value::Array(prompts) = &*prompts
            && let Some(prompt) = prompts.first()
        {
            let text = |key| field(prompt, key).and_then(value::text).map(|text| Text::from(&*text));
            reading.prompt_name = text("name");
            reading.prompt_version = text("version");
        }
    }
}

/// The kind that `mlflow.spanType` tells.
pub(crate) fn kind_of(kind: &str) -> Option<LlmKind> {
    Some(match kind {
        "LLM" | "CHAT_MODEL" => LlmKind::Llm,
        "EMBEDDING" => LlmKind::Embedding,
        "RERANKER" => LlmKind::Reranker,
        "AGENT" => LlmKind::Agent,
        "CHAIN" | "WORKFLOW" | "TASK" => LlmKind::Workflow,
        "TOOL" => LlmKind::Tool,
        "RETRIEVER" | "MEMORY" => LlmKind::Retriever,
        "GUARDRAIL" => LlmKind::Guardrail,
        "EVALUATOR" => LlmKind::Evaluator,
        "PARSER" => LlmKind::Other,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use llm_observatory_core::attributes::Attribute;

    use super::*;
    use crate::tests::span;

    #[test]
    fn every_text_is_json() {
        let attributes = [
            Attribute::new("mlflow.traceRequestId", "\"tr-1\""),
            Attribute::new("mlflow.spanType", "\"CHAT_MODEL\""),
            Attribute::new("mlflow.llm.model", "\"claude-sonnet-4-5\""),
            Attribute::new("mlflow.llm.provider", "\"anthropic\""),
            Attribute::new(
                "mlflow.chat.tokenUsage",
                r#"{"input_tokens": 100, "output_tokens": 5, "total_tokens": 105, "cache_read_input_tokens": 60}"#,
            ),
            Attribute::new(
                "mlflow.llm.cost",
                r#"{"input_cost": 0.1, "output_cost": 0.2, "total_cost": 0.3}"#,
            ),
            Attribute::new("mlflow.linkedPrompts", r#""[{\"name\": \"greet\", \"version\": \"2\"}]""#),
            Attribute::new("mlflow.trace.session", "\"s-1\""),
            Attribute::new("mlflow.traceTag.team", "blue"),
            Attribute::new("model", "\"claude-sonnet\""),
            Attribute::new("temperature", "0.2"),
            Attribute::new("stream", "true"),
        ];
        let reading = span("mlflow.openai.autolog", "Completions", &attributes).unwrap();
        assert_eq!((reading.dialect, reading.kind, reading.is_call), (Dialect::Mlflow, LlmKind::Llm, true));
        assert_eq!((reading.usage.input, reading.usage.cache_read), (Some(100), Some(60)));
        assert_eq!(reading.request_model.as_deref(), Some("claude-sonnet"));
        assert_eq!(reading.response_model.as_deref(), Some("claude-sonnet-4-5"));
        assert_eq!(reading.provider.as_deref(), Some("anthropic"));
        assert_eq!(reading.reported_cost.map(|cost| cost.0), Some(300_000_000));
        assert_eq!(
            (reading.prompt_name.as_deref(), reading.prompt_version.as_deref()),
            (Some("greet"), Some("2"))
        );
        assert_eq!(reading.session_id.as_deref(), Some("s-1"));
        assert_eq!((reading.parameters.temperature, reading.streaming), (Some(0.2), Some(true)));
        assert_eq!(reading.tags, ["team:blue".into()]);
    }
}
