//! Attributes whose keys are only known by their beginning: messages by number, metadata by name.

use llm_observatory_core::llm::Dialect;

/// What the beginning of a key tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// A message, by its number. It is only noted that there are some.
    Message,
    /// Something that the application noted; the rest of the key is its name. `true` if only LLM spans have it.
    Metadata {
        /// Number of bytes of the key before the name.
        prefix: usize,
        /// Whether it makes an LLM span.
        marks_llm: bool,
        /// Whether it is a tag with a name and a value.
        tag: bool,
    },
    /// An embedding, by its number.
    Embedding,
    /// A document of a retriever, by its number, or a search of vectors.
    Retrieval,
    /// A document of a reranker, by its number.
    Reranker,
    /// Any other key that only this dialect has.
    Own(Dialect),
    /// Any other key of an LLM dialect.
    Other,
}

/// Keys of metadata: prefix, whether only LLM spans have it, whether it is a tag.
const METADATA: &[(&str, bool, bool)] = &[
    ("ai.telemetry.metadata.", true, false),
    ("ai.settings.context.", true, false),
    ("ai.settings.runtimeContext.", true, false),
    ("langfuse.observation.metadata.", true, false),
    ("langfuse.trace.metadata.", false, false),
    ("langsmith.metadata.", true, false),
    ("litellm.metadata.", true, false),
    ("lmnr.association.properties.", true, false),
    ("mlflow.traceTag.", false, true),
    ("traceloop.association.properties.", false, false),
];

/// Beginnings of keys, each with its family, by their first byte; the longer one first.
const LLM: &[(&str, Family)] = &[
    ("llm.input_messages.", Family::Message),
    ("llm.output_messages.", Family::Message),
    ("llm.prompts.", Family::Message),
    ("llm.choices.", Family::Message),
    ("llm.", Family::Other),
    ("litellm.", Family::Own(Dialect::LiteLlm)),
    ("langsmith.", Family::Other),
    ("langfuse.observation.", Family::Own(Dialect::Langfuse)),
    ("lmnr.", Family::Own(Dialect::Laminar)),
];
const GENAI: &[(&str, Family)] = &[
    ("gen_ai.prompt.", Family::Message),
    ("gen_ai.completion.", Family::Message),
    ("gen_ai.", Family::Other),
    ("gcp.vertex.agent.", Family::Own(Dialect::GoogleAdk)),
    ("genkit:", Family::Own(Dialect::Genkit)),
];
const VERCEL: &[(&str, Family)] = &[("ai.prompt", Family::Message)];
const RERANKERS: &[(&str, Family)] =
    &[("reranker.", Family::Reranker), ("retrieval.documents.", Family::Retrieval)];
const EMBEDDINGS: &[(&str, Family)] = &[("embedding.", Family::Embedding)];
const VECTORS: &[(&str, Family)] = &[("db.vector.", Family::Retrieval)];
const PYDANTIC: &[(&str, Family)] = &[("pydantic_ai.", Family::Own(Dialect::PydanticAi))];
const SPRING: &[(&str, Family)] = &[("spring.ai.", Family::Own(Dialect::SpringAi))];

/// The family of a key that has no slot.
pub(crate) fn family(key: &str) -> Option<Family> {
    let list: &[(&str, Family)] = match key.as_bytes() {
        [b'l', ..] => LLM,
        [b'g', ..] => GENAI,
        [b'a', b'i', ..] => VERCEL,
        [b'r', b'e', ..] => RERANKERS,
        [b'e', b'm', ..] => EMBEDDINGS,
        [b'd', b'b', b'.', b'v', ..] => VECTORS,
        [b'p', b'y', ..] => PYDANTIC,
        [b's', b'p', ..] => SPRING,
        [b'm', b'l', ..] | [b't', b'r', ..] => &[],
        _ => return None,
    };
    let listed = || list.iter().find(|(start, _)| key.starts_with(start)).map(|(_, family)| *family);
    match key.as_bytes() {
        [b'l', b'l', ..] => listed(),
        [b'l' | b'a' | b'm' | b't', ..] => metadata(key).or_else(listed),
        _ => listed(),
    }
}

/// The beginnings of keys that only LLM dialects use.
#[cfg(test)]
pub(super) fn llm_prefixes() -> impl Iterator<Item = &'static str> {
    let lists = [LLM, GENAI, VERCEL, RERANKERS, EMBEDDINGS, VECTORS, PYDANTIC, SPRING];
    let metadata = METADATA.iter().filter(|(_, marks_llm, _)| *marks_llm).map(|(start, ..)| *start);
    lists.into_iter().flatten().map(|(start, _)| *start).chain(metadata)
}

impl Family {
    /// Whether such a key makes an LLM span.
    pub(crate) fn marks_llm(self) -> bool {
        !matches!(self, Self::Metadata { marks_llm: false, .. })
    }
}

fn metadata(key: &str) -> Option<Family> {
    let (start, marks_llm, tag) = METADATA.iter().find(|(start, ..)| key.starts_with(start))?;
    Some(Family::Metadata { prefix: start.len(), marks_llm: *marks_llm, tag: *tag })
}

/// The name under which a key of metadata is known; `None` if it is none.
pub(crate) fn metadata_name(key: &str) -> Option<&str> {
    match metadata(key)? {
        Family::Metadata { prefix, .. } => key.get(prefix..).filter(|name| !name.is_empty()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_known_by_their_beginning() {
        assert_eq!(family("llm.input_messages.12.message.role"), Some(Family::Message));
        assert_eq!(family("gen_ai.prompt.3.content"), Some(Family::Message));
        assert_eq!(family("gen_ai.something.new"), Some(Family::Other));
        assert_eq!(family("db.vector.query.filter"), Some(Family::Retrieval));
        assert_eq!(family("db.statement"), None);
        assert_eq!(family("http.url"), None);
        assert_eq!(family(""), None);
        assert_eq!(metadata_name("traceloop.association.properties.team"), Some("team"));
        assert_eq!(metadata_name("traceloop.association.properties."), None);
    }
}
