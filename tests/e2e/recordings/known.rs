//! What the export holds and the spans of a call still do not say, or say wrongly, and why. An entry that is right by now
//! fails the test.

/// Beginning of the names of recordings, the field, and the reason.
pub(super) const WRONG: &[(&str, &str, &str)] = &[
    ("adk-google/tools", "tool.arguments", "it stands in the messages of the model alone"),
    ("claude-code/", "cache_write_1h_tokens", "the span does not tell it; the log record beside it does"),
    ("claude-code/", "completion", "in a log record that belongs to no span"),
    ("claude-code/", "cost", "the span does not tell the life of what was written to the cache"),
    ("claude-code/", "messages", "in the span of the interaction"),
    ("claude-code/tools", "tool.arguments", "in a log record"),
    ("claude-code/tools", "tool_call.id", "in the span of the tool"),
    ("codex/", "messages", "in log records of their own"),
    ("codex/tools", "tool_call.id", "in a log record of its own"),
    ("gemini-cli/", "messages", "in log records of their own"),
    ("gemini-cli/", "parameters", "in the log record of the request"),
    ("gemini-cli/tools", "tool.arguments", "in a log record of its own"),
    ("gemini-cli/tools", "tool.result", "in a log record of its own"),
    ("gemini-cli/tools", "tool_call.id", "in a log record of its own"),
    (
        "opentelemetry-genai-langchain/agent_in_event",
        "tool.arguments",
        "it stands in the messages of the model alone",
    ),
    (
        "opentelemetry-genai-langchain/agent_in_event",
        "tool.result",
        "it stands in the messages of the model alone",
    ),
    ("spring-ai-anthropic/", "tool_call.id", "only in the messages of the next call"),
    ("spring-ai-openai/", "tool_call.id", "only in the messages of the next call"),
];

/// The place of a known wrong.
pub(super) fn place(what: &str, field: &str) -> Option<usize> {
    WRONG.iter().position(|(recording, known, _)| what.starts_with(recording) && field.starts_with(known))
}
