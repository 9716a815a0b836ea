//! OpenLLMetry's instrumentations of stores of vectors, whose spans say little of themselves.

/// Those for stores of vectors, whose spans have keys of databases.
const VECTOR_STORES: &[&str] = &["chromadb", "lancedb", "marqo", "milvus", "pinecone", "qdrant", "weaviate"];

/// Whether a library is one of OpenLLMetry's instrumentations of stores of vectors.
pub(crate) fn is_vector_store(scope: &str) -> bool {
    scope
        .strip_prefix("opentelemetry.instrumentation.")
        .is_some_and(|library| VECTOR_STORES.contains(&library))
}
