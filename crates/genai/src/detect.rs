//! Which dialect an observation speaks.

use crate::dialect::otel_genai;
use crate::observation::Observation;

/// The dialects that are understood, each a file in `dialect/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// OpenTelemetry's GenAI semantic conventions.
    OtelGenai,
}

/// The dialect of the observation, or `None` when it is about no LLM call.
pub(crate) fn dialect(observation: &Observation<'_>) -> Option<Dialect> {
    otel_genai::speaks(observation).then_some(Dialect::OtelGenai)
}
