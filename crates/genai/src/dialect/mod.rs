//! The dialects, one file each.

pub(crate) mod otel_genai;
