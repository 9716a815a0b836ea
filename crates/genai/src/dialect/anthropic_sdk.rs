//! Anthropic's SDKs, which trace themselves: scopes `com.anthropic.sdk.python` and `com.anthropic.sdk.typescript`.
//!
//! Source: what the Python SDK 2.14 and the TypeScript one 1.14 export. They follow OpenTelemetry's GenAI conventions, and
//! input includes cached tokens. The dialect has a name of its own because every call of the client passes through it,
//! whatever other instrumentation stands around it (see `repeats`).

use llm_observatory_core::llm::{Dialect, LlmKind};

use super::otel_genai::OtelGenai;
use crate::rules::Rules;
use crate::seen::Seen;

/// Anthropic's SDKs.
pub(crate) struct AnthropicSdk;

impl Rules for AnthropicSdk {
    fn dialect(&self) -> Dialect {
        Dialect::AnthropicSdk
    }

    fn speaks(&self, seen: &Seen<'_>) -> bool {
        seen.scope.name.starts_with("com.anthropic.sdk.") && OtelGenai.speaks(seen)
    }

    fn is_call(&self, seen: &Seen<'_>, kind: LlmKind) -> bool {
        OtelGenai.is_call(seen, kind)
    }
}

#[cfg(test)]
mod tests {
    use llm_observatory_core::attributes::{Attribute, Value};

    use super::*;
    use crate::tests::span;

    #[test]
    fn a_call_as_the_sdk_tells_it() {
        let attributes = [
            Attribute::new("gen_ai.operation.name", "chat"),
            Attribute::new("gen_ai.provider.name", "anthropic"),
            Attribute::new("gen_ai.request.model", "claude-sonnet-4-5"),
            Attribute::new("gen_ai.response.model", "claude-sonnet-4-5-20250929"),
            Attribute::new("gen_ai.response.finish_reasons", vec![Value::from("end_turn")]),
            Attribute::new("gen_ai.usage.input_tokens", 100),
            Attribute::new("gen_ai.usage.output_tokens", 20),
            Attribute::new("gen_ai.usage.cache_read.input_tokens", 60),
            Attribute::new("gen_ai.usage.cache_write.input_tokens", 30),
        ];
        for scope in ["com.anthropic.sdk.python", "com.anthropic.sdk.typescript"] {
            let reading = span(scope, "anthropic.messages.create", &attributes).unwrap();
            assert_eq!((reading.dialect, reading.is_call), (Dialect::AnthropicSdk, true));
            assert_eq!((reading.usage.input, reading.usage.cache_creation), (Some(100), Some(30)));
            assert_eq!(&*reading.finish_reasons[0], "stop");
        }
    }
}
