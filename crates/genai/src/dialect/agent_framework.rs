//! Microsoft Agent Framework: scope `agent_framework` (Python), `Microsoft.Agents.AI` (.NET).
//!
//! Source: `agent_framework/observability.py`. Counts are the provider's own: Anthropic's input excludes cached tokens.
//! `invoke_agent` repeats the usage of its calls.

use llm_observatory_core::llm::{Dialect, LlmKind};

use crate::rules::Rules;
use crate::seen::Seen;
use crate::usage::Includes;

/// Microsoft Agent Framework.
pub(crate) struct AgentFramework;

impl Rules for AgentFramework {
    fn dialect(&self) -> Dialect {
        Dialect::AgentFramework
    }

    fn speaks(&self, seen: &Seen<'_>) -> bool {
        let scope = seen.scope.name.trim_start_matches("Experimental.");
        scope == "agent_framework" || scope.starts_with("Microsoft.Agents")
    }

    fn kind(&self, seen: &Seen<'_>) -> Option<LlmKind> {
        let workflow = ["workflow.", "executor.", "edge_group.", "message.send"];
        workflow.iter().any(|start| seen.name.starts_with(start)).then_some(LlmKind::Workflow)
    }

    fn input(&self, _seen: &Seen<'_>, provider: Option<&str>) -> Includes {
        match provider {
            Some("anthropic" | "aws.bedrock") => Includes::No,
            _ => Includes::Yes,
        }
    }
}

#[cfg(test)]
mod tests {
    use llm_observatory_core::attributes::Attribute;

    use super::*;
    use crate::tests::span;

    #[test]
    fn a_call_and_a_workflow() {
        let attributes = [
            Attribute::new("gen_ai.operation.name", "chat"),
            Attribute::new("gen_ai.system", "openai"),
            Attribute::new("gen_ai.request.model", "gpt-4o"),
            Attribute::new("gen_ai.response.finish_reasons", "[\"stop\"]"),
            Attribute::new("gen_ai.usage.input_tokens", 12),
        ];
        let reading = span("agent_framework", "chat gpt-4o", &attributes).unwrap();
        assert_eq!((reading.dialect, reading.is_call), (Dialect::AgentFramework, true));
        assert_eq!(reading.finish_reasons, ["stop".into()]);
        assert_eq!(span("agent_framework", "executor.process", &[]).unwrap().kind, LlmKind::Workflow);
    }
}
