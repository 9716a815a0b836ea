//! The questions that every dialect answers.

use llm_observatory_core::llm::{Dialect, LlmKind, LlmReading};
use llm_observatory_core::text::Text;

use crate::seen::Seen;
use crate::usage::{Counts, Includes};

/// What a dialect says of its spans. Where it says nothing of its own, the common reading stands: it takes each field from
/// the first key of any dialect that holds something.
pub(crate) trait Rules: Sync {
    /// The dialect.
    fn dialect(&self) -> Dialect;

    /// Whether the observation speaks it.
    fn speaks(&self, seen: &Seen<'_>) -> bool;

    /// The kind of step, where words of this dialect decide it before any other's.
    fn kind(&self, _seen: &Seen<'_>) -> Option<LlmKind> {
        None
    }

    /// Whether a step of this kind is a call of its own, not one that repeats what its children tell.
    fn is_call(&self, _seen: &Seen<'_>, kind: LlmKind) -> bool {
        kind.calls_a_model()
    }

    /// Whether a log record of such a step is the call, and no span tells it. OpenTelemetry's details of an inference belong to
    /// their span, if they are in one; other records tell parts of a call.
    fn is_call_in_log(&self, seen: &Seen<'_>) -> bool {
        seen.name == "gen_ai.client.inference.operation.details" && !seen.is_in_span
    }

    /// What a log record has in common with those of the same trace, if that is something else than session or conversation.
    fn trace_of_log(&self, _seen: &Seen<'_>) -> Option<Text> {
        None
    }

    /// Adds the counts that only this dialect knows how to find.
    fn count(&self, _seen: &Seen<'_>, _counts: &mut Counts) {}

    /// Whether the told input includes cached tokens. `provider` is the canonical name.
    fn input(&self, _seen: &Seen<'_>, _provider: Option<&str>) -> Includes {
        Includes::Yes
    }

    /// Whether the told output includes reasoning.
    fn output(&self, _seen: &Seen<'_>) -> Includes {
        Includes::Yes
    }

    /// The unit of `gen_ai.server.time_to_first_token`.
    fn first_token_unit(&self) -> Unit {
        Unit::Seconds
    }

    /// Adds fields that only this dialect has words for.
    fn amend(&self, _seen: &Seen<'_>, _reading: &mut LlmReading) {}
}

/// A unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Seconds, as OpenTelemetry's conventions have it.
    Seconds,
    /// Milliseconds.
    Millis,
}
