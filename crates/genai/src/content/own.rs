//! Content of spans that we wrote ourselves ([`crate::write`]): exactly what is said there, and nothing of the attributes of
//! another dialect that stand beside it.

use llm_observatory_core::llm::LlmContent;

use crate::dialect::native::key;

use super::json::Json;
use super::keys::Keys;
use super::{message, part, tools};

/// Reads the content.
pub(super) fn read(keys: &Keys<'_>) -> LlmContent {
    let document = |name| keys.document(name);
    let messages =
        |name| document(name).and_then(|json| Some(message::list(json.items()?, ""))).unwrap_or_default();
    let text = |name| keys.text(name).map(str::to_owned);
    let mut system_instructions = Vec::new();
    if let Some(json) = document(key::SYSTEM_INSTRUCTIONS) {
        part::read(&json, &mut system_instructions);
    }
    LlmContent {
        system_instructions,
        input: messages(key::INPUT_MESSAGES),
        output: messages(key::OUTPUT_MESSAGES),
        tools: document(key::TOOL_DEFINITIONS).map(|json| tools::read(&json)).unwrap_or_default(),
        tool_arguments: text(key::TOOL_ARGUMENTS),
        tool_result: text(key::TOOL_RESULT),
        documents: document(key::DOCUMENTS)
            .and_then(|json| Some(json.items()?.iter().map(Json::result).collect()))
            .unwrap_or_default(),
    }
}
