//! Google's Agent Development Kit: scope `gcp.vertex.agent`.
//!
//! Source: `google/adk/telemetry/tracing.py`, schema 1 (spans `invocation`, `call_llm`) and schema 2 (semantic conventions).
//! In schema 1 `call_llm` repeats the usage of a `generate_content` below it; both are calls, and their nesting decides.
//! Input includes cached tokens; output includes thoughts, but for older versions.

use llm_observatory_core::llm::{Dialect, LlmKind};

use crate::json::{field, structure};
use crate::provider_usage::of_provider;
use crate::rules::Rules;
use crate::seen::Seen;
use crate::slots::Slot::*;
use crate::usage::{Counts, Includes};

/// Google ADK.
pub(crate) struct GoogleAdk;

impl Rules for GoogleAdk {
    fn dialect(&self) -> Dialect {
        Dialect::GoogleAdk
    }

    fn speaks(&self, seen: &Seen<'_>) -> bool {
        let keys = [AdkSessionId, AdkRequest, AdkResponse, AdkToolArguments];
        seen.scope.name == "gcp.vertex.agent"
            || seen.slots.marks.owns(Dialect::GoogleAdk)
            || keys.iter().any(|slot| seen.has(*slot))
    }

    fn kind(&self, seen: &Seen<'_>) -> Option<LlmKind> {
        match seen.name {
            "call_llm" => Some(LlmKind::Llm),
            "invocation" => Some(LlmKind::Workflow),
            // It repeats the results of the tools that ran side by side.
            "execute_tool (merged tools)" => Some(LlmKind::Workflow),
            name if name.starts_with("agent_run") => Some(LlmKind::Agent),
            _ => None,
        }
    }

    fn count(&self, seen: &Seen<'_>, counts: &mut Counts) {
        if counts.input.is_some() || counts.output.is_some() {
            return;
        }
        let Some(response) = seen.get(AdkResponse).and_then(structure) else { return };
        if let Some(told) = field(&response, "usage_metadata").and_then(of_provider) {
            counts.complete(&told);
        }
    }

    fn output(&self, _seen: &Seen<'_>) -> Includes {
        Includes::Unknown
    }
}

#[cfg(test)]
mod tests {
    use llm_observatory_core::attributes::Attribute;

    use super::*;
    use crate::tests::span;

    #[test]
    fn schema_1() {
        assert_eq!(span("gcp.vertex.agent", "invocation", &[]).unwrap().kind, LlmKind::Workflow);
        let attributes = [
            Attribute::new("gen_ai.system", "gcp.vertex.agent"),
            Attribute::new("gen_ai.request.model", "gemini-2.5-flash"),
            Attribute::new("gcp.vertex.agent.session_id", "s-1"),
            Attribute::new("gcp.vertex.agent.llm_request", "{}"),
            Attribute::new("gen_ai.usage.input_tokens", 100),
            Attribute::new("gen_ai.usage.output_tokens", 20),
            Attribute::new("gen_ai.response.finish_reasons", vec!["max_tokens".into()]),
        ];
        let reading = span("gcp.vertex.agent", "call_llm", &attributes).unwrap();
        assert_eq!((reading.kind, reading.is_call), (LlmKind::Llm, true));
        assert_eq!(reading.provider.as_deref(), Some("gcp.gen_ai"));
        assert_eq!(reading.session_id.as_deref(), Some("s-1"));
        assert_eq!(&*reading.finish_reasons[0], "length");
    }

    #[test]
    fn schema_2() {
        let attributes = [
            Attribute::new("gen_ai.operation.name", "execute_tool"),
            Attribute::new("gen_ai.tool.name", "get_weather"),
            Attribute::new("gen_ai.tool.call.id", "<not specified>"),
        ];
        let reading = span("gcp.vertex.agent", "execute_tool get_weather", &attributes).unwrap();
        assert_eq!((reading.kind, reading.tool_name.as_deref()), (LlmKind::Tool, Some("get_weather")));
        assert_eq!(reading.tool_call_id, None);
    }
}
