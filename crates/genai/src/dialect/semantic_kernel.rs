//! Microsoft Semantic Kernel: scopes `semantic_kernel.*` (Python), `Microsoft.SemanticKernel.*` (.NET).
//!
//! Source: `semantic_kernel/utils/telemetry/model_diagnostics`. Counts are the provider's own. The finish reason is singular
//! and Python's name of it (`FinishReason.STOP`); operations are names of methods (`chat.completions`).

use llm_observatory_core::llm::{Dialect, LlmKind};

use crate::rules::Rules;
use crate::seen::Seen;
use crate::slots::Slot::*;
use crate::usage::Includes;

/// Semantic Kernel.
pub(crate) struct SemanticKernel;

impl Rules for SemanticKernel {
    fn dialect(&self) -> Dialect {
        Dialect::SemanticKernel
    }

    fn speaks(&self, seen: &Seen<'_>) -> bool {
        let scope = seen.scope.name;
        scope.starts_with("semantic_kernel")
            || scope.starts_with("Microsoft.SemanticKernel")
            || asks_a_model(seen)
            || seen.str(&[FinishReason]).is_some_and(|reason| reason.starts_with("FinishReason."))
    }

    fn kind(&self, seen: &Seen<'_>) -> Option<LlmKind> {
        asks_a_model(seen).then_some(LlmKind::Llm)
    }

    fn input(&self, _seen: &Seen<'_>, provider: Option<&str>) -> Includes {
        match provider {
            Some("anthropic" | "aws.bedrock") => Includes::No,
            _ => Includes::Yes,
        }
    }
}

/// Whether the operation is a method of Semantic Kernel that asks a model.
fn asks_a_model(seen: &Seen<'_>) -> bool {
    let methods =
        ["chat.completions", "text.completions", "chat.streaming_completions", "text.streaming_completions"];
    methods.iter().any(|method| seen.is(Operation, method))
}

#[cfg(test)]
mod tests {
    use llm_observatory_core::attributes::Attribute;

    use super::*;
    use crate::tests::failed;

    #[test]
    fn a_call_that_failed() {
        let attributes = [
            Attribute::new("gen_ai.operation.name", "chat.completions"),
            Attribute::new("gen_ai.system", "openai"),
            Attribute::new("gen_ai.request.model", "gpt-4o"),
            Attribute::new("gen_ai.response.finish_reason", "FinishReason.STOP,FinishReason.LENGTH"),
            Attribute::new("error.type", "<class 'openai.BadRequestError'>"),
        ];
        let scope = "semantic_kernel.utils.telemetry.model_diagnostics.decorators";
        let reading = failed(scope, "chat.completions gpt-4o", "", &attributes).unwrap();
        assert_eq!((reading.kind, reading.operation.as_deref()), (LlmKind::Llm, Some("chat")));
        assert_eq!(reading.finish_reasons, ["stop".into(), "length".into()]);
        assert_eq!(reading.error_type.as_deref(), Some("openai.BadRequestError"));
    }
}
