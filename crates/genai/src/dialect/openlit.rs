//! OpenLIT: scopes `openlit.*`, keys `gen_ai.*` and its own below them.
//!
//! Sources: `openlit/semcov/__init__.py` and `openlit/__helpers.py`. Its instrumentation of Anthropic tells Anthropic's own
//! count, which excludes cached tokens; that of LangChain, which names its framework, includes them.

use llm_observatory_core::llm::{Dialect, LlmKind, LlmReading};
use llm_observatory_core::text::Text;

use crate::dialect::otel_genai;
use crate::provider;
use crate::rules::Rules;
use crate::seen::Seen;
use crate::slots::Slot::*;
use crate::usage::Includes;
use crate::value;

/// OpenLIT.
pub(crate) struct OpenLit;

impl Rules for OpenLit {
    fn dialect(&self) -> Dialect {
        Dialect::OpenLit
    }

    fn speaks(&self, seen: &Seen<'_>) -> bool {
        seen.scope.name.starts_with("openlit") || seen.has(OpenLitTotal)
    }

    fn kind(&self, seen: &Seen<'_>) -> Option<LlmKind> {
        // A call that failed has no attributes: `chat claude-sonnet-4-5`.
        let (operation, _) = seen.name.split_once(' ')?;
        if seen.slots.marks.llm { None } else { otel_genai::kind_of(operation) }
    }

    /// Each call has a span, though the record of a streamed one stands in none: the span has ended by then.
    fn is_call_in_log(&self, _seen: &Seen<'_>) -> bool {
        false
    }

    fn amend(&self, seen: &Seen<'_>, reading: &mut LlmReading) {
        if !seen.slots.marks.llm
            && reading.is_call
            && let Some((_, model)) = seen.name.split_once(' ')
        {
            reading.request_model = Some(Text::from(value::short(model)));
            reading.provider = provider::of_model(model).map(Text::from_static);
        }
    }

    fn input(&self, seen: &Seen<'_>, provider: Option<&str>) -> Includes {
        let by_langchain =
            seen.scope.name.ends_with("langchain") || provider::named(seen).framework.is_some();
        match provider.filter(|_| !by_langchain) {
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
    fn anthropic_counts_cached_tokens_beside_the_input() {
        let attributes = [
            Attribute::new("gen_ai.operation.name", "chat"),
            Attribute::new("gen_ai.system", "anthropic"),
            Attribute::new("gen_ai.request.model", "claude-sonnet-4-5"),
            Attribute::new("gen_ai.usage.input_tokens", 70),
            Attribute::new("gen_ai.usage.output_tokens", 5),
            Attribute::new("gen_ai.client.token.usage", 75),
            Attribute::new("gen_ai.usage.cache_read.input_tokens", 60),
            Attribute::new("gen_ai.usage.cost", "0.000285"),
            Attribute::new("gen_ai.server.time_to_first_token", 0.5),
            Attribute::new("gen_ai.request.is_stream", true),
        ];
        let reading = span("openlit.otel.tracing", "chat claude-sonnet-4-5", &attributes).unwrap();
        assert_eq!((reading.dialect, reading.usage.input), (Dialect::OpenLit, Some(130)));
        assert_eq!(reading.reported_cost.map(|cost| cost.0), Some(285_000));
        assert_eq!((reading.time_to_first_token, reading.streaming), (Some(500_000_000), Some(true)));
    }

    #[test]
    fn langchain_counts_cached_tokens_in_the_input() {
        let attributes = [
            Attribute::new("gen_ai.operation.name", "chat"),
            Attribute::new("gen_ai.system", "langchain"),
            Attribute::new("gen_ai.request.model", "claude-sonnet-4-5"),
            Attribute::new("gen_ai.usage.input_tokens", 130),
            Attribute::new("gen_ai.usage.cache_read.input_tokens", 60),
        ];
        let reading = span("openlit.otel.tracing", "chat claude-sonnet-4-5", &attributes).unwrap();
        assert_eq!((reading.provider.as_deref(), reading.usage.input), (Some("anthropic"), Some(130)));
    }

    #[test]
    fn a_failed_call_has_no_attributes() {
        let reading = span("openlit.instrumentation.anthropic", "chat claude-haiku-4-5", &[]).unwrap();
        assert_eq!((reading.kind, reading.is_call), (LlmKind::Llm, true));
        assert_eq!(reading.request_model.as_deref(), Some("claude-haiku-4-5"));
        assert_eq!(reading.provider.as_deref(), Some("anthropic"));
    }
}
