//! Laminar: keys `lmnr.*`.
//!
//! Source: `app-server/src/traces` of lmnr-ai/lmnr. Calls of models are told by `gen_ai.*`, whose instrumentations are those of
//! OpenLLMetry.

use llm_observatory_core::llm::{Dialect, LlmKind};

use crate::rules::Rules;
use crate::seen::Seen;
use crate::slots::Slot::*;

/// Laminar.
pub(crate) struct Laminar;

impl Rules for Laminar {
    fn dialect(&self) -> Dialect {
        Dialect::Laminar
    }

    fn speaks(&self, seen: &Seen<'_>) -> bool {
        seen.has(LaminarType) || seen.slots.marks.owns(Dialect::Laminar)
    }
}

/// The kind that `lmnr.span.type` tells. A default span may be anything.
pub(crate) fn kind_of(kind: &str) -> Option<LlmKind> {
    Some(match kind {
        "LLM" => LlmKind::Llm,
        "TOOL" => LlmKind::Tool,
        "PIPELINE" | "EXECUTOR" | "EVALUATION" => LlmKind::Workflow,
        "EVALUATOR" | "HUMAN_EVALUATOR" => LlmKind::Evaluator,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use llm_observatory_core::attributes::Attribute;

    use super::*;
    use crate::tests::span;

    #[test]
    fn types_are_kinds() {
        for (kind, expected, is_call) in [
            ("LLM", LlmKind::Llm, true),
            ("TOOL", LlmKind::Tool, false),
            ("PIPELINE", LlmKind::Workflow, false),
            ("EVALUATOR", LlmKind::Evaluator, false),
            ("DEFAULT", LlmKind::Other, false),
        ] {
            let attributes = [
                Attribute::new("lmnr.span.type", kind),
                Attribute::new("lmnr.association.properties.session_id", "s-1"),
                Attribute::new("lmnr.association.properties.team", "blue"),
            ];
            let reading = span("lmnr.tracer", "step", &attributes).unwrap();
            assert_eq!(
                (reading.dialect, reading.kind, reading.is_call),
                (Dialect::Laminar, expected, is_call)
            );
            assert_eq!(reading.session_id.as_deref(), Some("s-1"));
            assert_eq!(reading.metadata, [Attribute::new("team", "blue")]);
        }
    }
}
