//! Finds the dialect of an observation.

use crate::dialect::otel_genai;
use crate::observation::Observation;

/// The known dialects, each a file in `dialect/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// OpenTelemetry's GenAI semantic conventions.
    OtelGenai,
}

/// The dialect of the observation; `None` if no dialect recognises an LLM call in it.
pub(crate) fn dialect(observation: &Observation<'_>) -> Option<Dialect> {
    otel_genai::speaks(observation).then_some(Dialect::OtelGenai)
}
