//! OpenLLMetry (Traceloop): keys `traceloop.*` and `llm.*`, scopes `opentelemetry.instrumentation.<library>`.
//!
//! Source: `opentelemetry/semconv_ai/__init__.py` and the instrumentations of traceloop/openllmetry and its JavaScript twin.
//! Input includes cached tokens, but for Bedrock's Converse, whose total is input and output all the same, and for Anthropic
//! in JavaScript.

use llm_observatory_core::llm::{Dialect, LlmKind, LlmReading};
use llm_observatory_core::text::Text;

use crate::rules::Rules;
use crate::seen::Seen;
use crate::slots::Slot::*;
use crate::usage::Includes;

/// OpenLLMetry.
pub(crate) struct OpenLlmetry;

/// What its Python instrumentations are for. OpenTelemetry's own have other names (`openai_v2`, `genai.*`).
const LIBRARIES: &[&str] = &[
    "alephalpha",
    "agno",
    "anthropic",
    "bedrock",
    "chromadb",
    "cohere",
    "crewai",
    "google_generativeai",
    "groq",
    "haystack",
    "lancedb",
    "langchain",
    "llamaindex",
    "marqo",
    "mcp",
    "milvus",
    "mistralai",
    "ollama",
    "openai",
    "openai.v0",
    "openai.v1",
    "openai_agents",
    "pinecone",
    "qdrant",
    "replicate",
    "sagemaker",
    "together",
    "transformers",
    "vertexai",
    "watsonx",
    "weaviate",
    "writer",
];

/// Those for stores of vectors, whose spans have keys of databases.
const VECTOR_STORES: &[&str] = &["chromadb", "lancedb", "marqo", "milvus", "pinecone", "qdrant", "weaviate"];

/// Beginnings of methods of such stores that search.
const SEARCHES: &[&str] =
    &["query", "search", "hybrid_search", "get", "fetch", "scroll", "recommend", "discover", "near", "do"];

/// Whether a library is one of OpenLLMetry's instrumentations of stores of vectors.
pub(crate) fn is_vector_store(scope: &str) -> bool {
    scope
        .strip_prefix("opentelemetry.instrumentation.")
        .is_some_and(|library| VECTOR_STORES.contains(&library))
}

impl Rules for OpenLlmetry {
    fn dialect(&self) -> Dialect {
        Dialect::OpenLlmetry
    }

    fn speaks(&self, seen: &Seen<'_>) -> bool {
        let keys = [TraceloopKind, TraceloopEntityName, TraceloopEntityInput, LlmRequestType, LlmUsageTotal];
        let scope = seen.scope.name;
        let library = || scope.strip_prefix("opentelemetry.instrumentation.");
        keys.iter().any(|slot| seen.has(*slot))
            || scope == "traceloop.tracer"
            || scope.starts_with("@traceloop/")
            || library().is_some_and(|library| LIBRARIES.contains(&library))
    }

    fn kind(&self, seen: &Seen<'_>) -> Option<LlmKind> {
        // `chroma.query`, `pinecone.upsert`.
        let is_search = || {
            let method = seen.name.rsplit('.').next().unwrap_or_default();
            SEARCHES.iter().any(|search| method.starts_with(search))
        };
        (is_vector_store(seen.scope.name) && !seen.slots.marks.llm).then(|| match is_search() {
            true => LlmKind::Retriever,
            false => LlmKind::Other,
        })
    }

    fn input(&self, seen: &Seen<'_>, _provider: Option<&str>) -> Includes {
        match seen.scope.name {
            "@traceloop/instrumentation-anthropic" => Includes::No,
            scope if scope.ends_with("bedrock") => Includes::No,
            _ => Includes::Yes,
        }
    }

    fn amend(&self, seen: &Seen<'_>, reading: &mut LlmReading) {
        if reading.framework.is_none() && seen.scope.name.ends_with("langchain") {
            reading.framework = Some(Text::from_static("langchain"));
        }
    }
}

/// The kind that `traceloop.span.kind` tells.
pub(crate) fn kind_of(kind: &str) -> Option<LlmKind> {
    Some(match kind {
        "workflow" | "task" => LlmKind::Workflow,
        "agent" => LlmKind::Agent,
        "tool" => LlmKind::Tool,
        _ => return None,
    })
}

/// The kind that `llm.request.type` tells.
pub(crate) fn kind_of_request(request: &str) -> Option<LlmKind> {
    Some(match request {
        "chat" | "completion" => LlmKind::Llm,
        "embedding" => LlmKind::Embedding,
        "rerank" => LlmKind::Reranker,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use llm_observatory_core::attributes::Attribute;

    use super::*;
    use crate::tests::span;

    #[test]
    fn the_generation_with_numbered_messages() {
        let attributes = [
            Attribute::new("llm.request.type", "chat"),
            Attribute::new("gen_ai.system", "OpenAI"),
            Attribute::new("gen_ai.request.model", "gpt-4o"),
            Attribute::new("gen_ai.prompt.0.content", "hi"),
            Attribute::new("gen_ai.completion.0.finish_reason", "tool_calls"),
            Attribute::new("gen_ai.usage.prompt_tokens", 100),
            Attribute::new("gen_ai.usage.completion_tokens", 50),
            Attribute::new("gen_ai.usage.cache_read_input_tokens", 60),
            Attribute::new("llm.usage.total_tokens", 150),
            Attribute::new("llm.is_streaming", false),
            Attribute::new("traceloop.association.properties.session_id", "s-1"),
            Attribute::new("traceloop.association.properties.user_id", "u-1"),
            Attribute::new("traceloop.association.properties.team", "blue"),
        ];
        let reading = span("opentelemetry.instrumentation.openai.v1", "openai.chat", &attributes).unwrap();
        assert_eq!(
            (reading.dialect, reading.kind, reading.is_call),
            (Dialect::OpenLlmetry, LlmKind::Llm, true)
        );
        assert_eq!((reading.provider.as_deref(), reading.usage.input), (Some("openai"), Some(100)));
        assert_eq!(&*reading.finish_reasons[0], "tool_call");
        assert_eq!((reading.session_id.as_deref(), reading.user_id.as_deref()), (Some("s-1"), Some("u-1")));
        assert_eq!(reading.metadata, [Attribute::new("team", "blue")]);
        assert_eq!(reading.streaming, Some(false));
    }

    #[test]
    fn cached_tokens_stand_beside_the_input_for_some() {
        let input = |scope| {
            let attributes = [
                Attribute::new("gen_ai.operation.name", "chat"),
                Attribute::new("gen_ai.usage.input_tokens", 80),
                Attribute::new("gen_ai.usage.output_tokens", 5),
                Attribute::new("gen_ai.usage.total_tokens", 85),
                Attribute::new("gen_ai.usage.cache_read_input_tokens", 60),
            ];
            span(scope, "x", &attributes).unwrap().usage.input
        };
        assert_eq!(input("opentelemetry.instrumentation.anthropic"), Some(80));
        assert_eq!(input("@traceloop/instrumentation-anthropic"), Some(140));
        assert_eq!(input("opentelemetry.instrumentation.bedrock"), Some(140));
    }

    #[test]
    fn stores_of_vectors_search() {
        for (scope, name, kind) in [
            ("opentelemetry.instrumentation.chromadb", "chroma.query", LlmKind::Retriever),
            ("opentelemetry.instrumentation.pinecone", "pinecone.upsert", LlmKind::Other),
        ] {
            let attributes = [Attribute::new("db.system", "chroma"), Attribute::new("db.operation", "query")];
            let reading = span(scope, name, &attributes).unwrap();
            assert_eq!((reading.dialect, reading.kind), (Dialect::OpenLlmetry, kind), "{name}");
        }
        assert_eq!(span("opentelemetry.instrumentation.psycopg", "query", &[]), None);
    }

    #[test]
    fn workflows_and_what_is_copied_to_other_spans() {
        let task =
            [Attribute::new("traceloop.span.kind", "tool"), Attribute::new("traceloop.entity.name", "add")];
        let reading = span("traceloop.tracer", "add.tool", &task).unwrap();
        assert_eq!((reading.kind, reading.tool_name.as_deref()), (LlmKind::Tool, Some("add")));
        let copied = [
            Attribute::new("traceloop.workflow.name", "w"),
            Attribute::new("traceloop.association.properties.user_id", "u-1"),
            Attribute::new("http.request.method", "GET"),
        ];
        assert_eq!(span("opentelemetry.instrumentation.httpx", "GET", &copied), None);
    }
}
