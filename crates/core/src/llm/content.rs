//! What was said in an LLM span.

/// What was asked and answered.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LlmContent {
    /// Instructions that stand beside the messages.
    pub system_instructions: Vec<Part>,
    /// The messages that went in, in their order; system messages among them where the dialect puts them there.
    pub input: Vec<Message>,
    /// The messages that came out: one for each choice.
    pub output: Vec<Message>,
    /// The tools that the model could call.
    pub tools: Vec<ToolDefinition>,
    /// For a tool: its arguments, as JSON.
    pub tool_arguments: Option<String>,
    /// For a tool: its result, as JSON.
    pub tool_result: Option<String>,
    /// For a retriever or reranker: the documents found, as JSON.
    pub documents: Vec<String>,
}

/// One message of a conversation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Message {
    /// Who speaks: `system`, `user`, `assistant`, `tool`, or the dialect's own word. Empty if not told.
    pub role: String,
    /// Name of the speaker.
    pub name: Option<String>,
    /// What it says.
    pub parts: Vec<Part>,
    /// For an answer: why the model stopped.
    pub finish_reason: Option<String>,
}

/// A part of a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Text.
    Text(String),
    /// What the model thought before it answered.
    Reasoning(String),
    /// The model asks for a tool.
    ToolCall {
        /// The model's id of the call.
        id: Option<String>,
        /// Name of the tool.
        name: String,
        /// Arguments as JSON; the text itself where it is no JSON.
        arguments: String,
    },
    /// What a tool returned.
    ToolResult {
        /// The id of the call.
        id: Option<String>,
        /// The result as JSON; a text as a JSON string.
        result: String,
    },
    /// An image, audio, a video or a file.
    Media {
        /// `image`, `audio`, `video`, `file` ...
        modality: String,
        /// MIME type.
        mime_type: Option<String>,
        /// Where it is, or what it is.
        source: MediaSource,
    },
    /// Anything else, as JSON.
    Other(String),
}

/// Where the bytes of a medium are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaSource {
    /// In the message, in base64.
    Inline(String),
    /// At a URI.
    Uri(String),
    /// In a file that the provider knows by this id.
    File(String),
}

/// A tool that a model can call.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ToolDefinition {
    /// Name of the tool.
    pub name: String,
    /// What it does.
    pub description: Option<String>,
    /// JSON schema of its arguments.
    pub parameters: Option<String>,
}
