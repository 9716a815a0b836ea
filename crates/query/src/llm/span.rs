//! An LLM span without what was said in it, and its size in a message.

use llm_observatory_core::attributes::Attribute;
use llm_observatory_core::llm::LlmReading;
use llm_observatory_core::text::Text;
use llm_observatory_core::trace::StatusCode;
use llm_observatory_storage::models::LlmRow;
use llm_observatory_storage::models::attributes::to_key_value;
use prost::Message as _;

use crate::error::Error;
use crate::sources::Sources;

/// Bytes of a span without its texts in a message, at most.
const FIXED_BYTES: usize = 600;

/// An LLM span without what was said in it.
#[derive(Debug, Clone, PartialEq)]
pub struct LlmSpan {
    /// Who made it, what was read from it, and what it cost.
    pub row: LlmRow,
    /// Reason of a failure, or empty.
    pub status_message: Text,
}

impl LlmSpan {
    /// The spans of these rows, each of which failed with its message.
    pub(super) async fn of(sources: &Sources, rows: &[&LlmRow]) -> Result<Vec<Self>, Error> {
        let has_message = |row: &LlmRow| row.status == Some(StatusCode::ERROR) && row.log_id.is_none();
        let failed: Vec<_> = rows.iter().copied().filter(|row| has_message(row)).collect();
        let mut messages = sources.llm.status_messages(&failed).await?.into_iter();
        let span = |row: &&LlmRow| {
            let message = has_message(row).then(|| messages.next()).flatten();
            Self { row: (*row).clone(), status_message: message.unwrap_or_default() }
        };
        Ok(rows.iter().map(span).collect())
    }

    /// About how many bytes it takes in a message.
    pub(super) fn bytes(&self) -> usize {
        let Self { row, status_message } = self;
        let taken_over = [&row.taken_over.session_id, &row.taken_over.user_id].into_iter().flatten();
        let texts =
            [&row.name, &row.service_name, status_message].into_iter().chain(taken_over).map(text_bytes);
        FIXED_BYTES + texts.sum::<usize>() + reading_bytes(&row.reading)
    }
}

/// About how many bytes the texts of a reading take.
fn reading_bytes(reading: &LlmReading) -> usize {
    let texts = [
        &reading.operation,
        &reading.provider,
        &reading.framework,
        &reading.request_model,
        &reading.response_model,
        &reading.response_id,
        &reading.service_tier,
        &reading.session_id,
        &reading.conversation_id,
        &reading.user_id,
        &reading.tool_name,
        &reading.tool_call_id,
        &reading.agent_name,
        &reading.agent_id,
        &reading.prompt_name,
        &reading.prompt_version,
        &reading.error_type,
        &reading.parameters.reasoning_effort,
    ];
    let lists = [&reading.finish_reasons, &reading.tags, &reading.parameters.stop];
    let texts = texts.into_iter().flatten().chain(lists.into_iter().flatten());
    let metadata = reading.metadata.iter().map(attribute_bytes);
    texts.map(text_bytes).chain(metadata).sum()
}

/// A text with its tag and length.
fn text_bytes(text: &Text) -> usize {
    text.as_bytes().len() + 4
}

fn attribute_bytes(attribute: &Attribute<'_>) -> usize {
    to_key_value(attribute).encoded_len() + 4
}
