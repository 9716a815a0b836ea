//! One file a dialect.

pub(crate) mod otel_genai;
