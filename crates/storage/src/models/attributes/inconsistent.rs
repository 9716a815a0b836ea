//! Stored columns that contradict each other.

/// How the columns of a stored row contradict each other.
#[derive(Debug, thiserror::Error)]
pub enum Inconsistent {
    /// A jsonb column holds JSON that this program does not write.
    #[error("unreadable JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// A column of OTLP bytes does not decode.
    #[error("unreadable OTLP bytes: {0}")]
    Otlp(#[from] prost::DecodeError),
    /// A layout does not fit its JSON.
    #[error("the layout of an attribute list does not fit its JSON")]
    Layout,
    /// Of the two columns of nested messages only one is filled.
    #[error("of the JSON and the OTLP bytes of nested messages only one is present")]
    Nested,
    /// A column holds a value outside its range.
    #[error("column {0} holds a value outside its range")]
    Column(&'static str),
}
