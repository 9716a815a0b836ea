//! Tracers that add words of their own to the spans of others.

use llm_observatory_core::llm::LlmKind;

use crate::dialect::{langfuse, mlflow, openinference};
use crate::seen::Seen;
use crate::slots::Slot::{self, *};

/// A key that tells kinds, and what its words mean.
pub(crate) type Words = (Slot, fn(&str) -> Option<LlmKind>);

/// Keys of tracers that tell kinds, the weightiest first.
const WORDS: &[Words] = &[
    (LangfuseType, langfuse::kind_of),
    (OpenInferenceKind, openinference::kind_of),
    (MlflowType, mlflow::kind_of),
];

/// The kind that a tracer tells which adds its own words to the spans of others, as Langfuse, Arize and MLflow do. Its words
/// are weightier than those of the span's first dialect.
pub(crate) fn by_tracer(seen: &Seen<'_>) -> Option<LlmKind> {
    first_of(WORDS, seen)
}

pub(crate) fn first_of(words: &[Words], seen: &Seen<'_>) -> Option<LlmKind> {
    words.iter().find_map(|(slot, kind_of)| seen.str(&[*slot]).and_then(|word| kind_of(&word)))
}
