#![doc = include_str!("../README.md")]

mod dialect;

use llm_observatory_core::attributes::Attribute;
use llm_observatory_core::span::LlmReading;

/// What the span with these attributes says about an LLM operation, or `None` when it is not one.
pub fn read(attributes: &[Attribute<'_>]) -> Option<LlmReading> {
    dialect::otel_genai::read(attributes)
}
