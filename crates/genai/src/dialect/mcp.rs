//! OpenTelemetry's conventions for the Model Context Protocol: key `mcp.method.name`.
//!
//! Source: `model/mcp` of open-telemetry/semantic-conventions 1.41, now docs/mcp of semantic-conventions-genai.
//! `mcp.session.id` is a session of the transport, not of a user.

use llm_observatory_core::llm::{Dialect, LlmKind};

use crate::rules::Rules;
use crate::seen::Seen;
use crate::slots::Slot::*;

/// Model Context Protocol.
pub(crate) struct Mcp;

impl Rules for Mcp {
    fn dialect(&self) -> Dialect {
        Dialect::Mcp
    }

    fn speaks(&self, seen: &Seen<'_>) -> bool {
        seen.has(McpMethod)
    }

    fn is_call(&self, _seen: &Seen<'_>, _kind: LlmKind) -> bool {
        false
    }
}

/// The kind that a method tells.
pub(crate) fn kind_of(method: &str) -> Option<LlmKind> {
    Some(match method {
        "tools/call" => LlmKind::Tool,
        "prompts/get" => LlmKind::Prompt,
        "resources/read" => LlmKind::Retriever,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use llm_observatory_core::attributes::Attribute;

    use super::*;
    use crate::tests::span;

    #[test]
    fn a_tool_and_a_list() {
        let attributes = [
            Attribute::new("mcp.method.name", "tools/call"),
            Attribute::new("mcp.session.id", "transport"),
            Attribute::new("gen_ai.tool.name", "add"),
            Attribute::new("gen_ai.operation.name", "execute_tool"),
            Attribute::new("error.type", "tool_error"),
        ];
        let reading = span("mcp", "tools/call add", &attributes).unwrap();
        assert_eq!((reading.dialect, reading.kind), (Dialect::Mcp, LlmKind::Tool));
        assert_eq!((reading.tool_name.as_deref(), reading.session_id), (Some("add"), None));
        assert_eq!(reading.error_type.as_deref(), Some("tool_error"));
        let list = [Attribute::new("mcp.method.name", "tools/list")];
        assert_eq!(span("mcp", "tools/list", &list).unwrap().kind, LlmKind::Other);
    }
}
