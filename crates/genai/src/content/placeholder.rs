//! Texts that stand where an instrumentation was told not to show the content.

/// What instrumentations write instead of content: OpenInference, Strands, Claude Code, ADK and others.
const PLACEHOLDERS: &[&str] = &[
    "",
    "[REDACTED]",
    "<REDACTED>",
    "__REDACTED__",
    "<elided>",
    "N/A",
    "<not serializable>",
    "<not specified>",
];

/// Whether the text stands for content that is not shown. Such a text is read as absent.
pub(crate) fn is_placeholder(text: &str) -> bool {
    // The longest one has 19 bytes, so no long text is compared.
    text.len() < 20 && PLACEHOLDERS.contains(&text)
}
