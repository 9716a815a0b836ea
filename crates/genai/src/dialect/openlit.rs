//! OpenLIT: scopes `openlit.*`, keys `gen_ai.*` and its own below them.
//!
//! Sources: `openlit/semcov/__init__.py` and `openlit/__helpers.py`. Its instrumentation of Anthropic tells Anthropic's own
//! count, which excludes cached tokens; that of LangChain, which names its framework, includes them.

use llm_observatory_core::llm::Dialect;

use crate::rules::Rules;
use crate::seen::Seen;
use crate::slots::Slot::*;
use crate::usage::Includes;

/// OpenLIT.
pub(crate) struct OpenLit;

impl Rules for OpenLit {
    fn dialect(&self) -> Dialect {
        Dialect::OpenLit
    }

    fn speaks(&self, seen: &Seen<'_>) -> bool {
        seen.scope.name.starts_with("openlit") || seen.has(OpenLitTotal)
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
}
