//! The dialects, one file each.

pub(crate) mod native;
pub(crate) mod otel_genai;
