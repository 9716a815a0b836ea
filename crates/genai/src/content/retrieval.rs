//! The documents that a retriever or a reranker found.

use llm_observatory_core::attributes::Attribute;

use crate::observation::Event;

use super::json::Json;
use super::keys::{Keys, MAX_ROWS};
use super::{openinference, vercel_ai};

/// Keys whose list is one of documents where the span is one of a retriever.
const OUTPUT: &[&str] = &[
    "langfuse.observation.output",
    "mlflow.spanOutputs",
    "gen_ai.completion",
    "traceloop.entity.output",
    "output.value",
    "lmnr.span.output",
    "genkit:output",
    "db.vector.query.response.documents",
];

/// The documents, each as JSON.
pub(super) fn documents(keys: &Keys<'_>, events: &[Event<'_>], is_retrieval: bool) -> Vec<String> {
    let sources: [&dyn Fn() -> Vec<String>; 5] = [
        &|| keys.document("gen_ai.retrieval.documents").map(|json| items(&json)).unwrap_or_default(),
        &|| openinference::documents(keys),
        &|| vercel_ai::documents(keys),
        &|| vector_store(events),
        &|| {
            if is_retrieval {
                OUTPUT.iter().flat_map(|key| listed(keys, key)).next().unwrap_or_default()
            } else {
                Vec::new()
            }
        },
    ];
    let mut documents =
        sources.iter().map(|source| source()).find(|found| !found.is_empty()).unwrap_or_default();
    documents.truncate(MAX_ROWS);
    documents
}

fn items(json: &Json<'_>) -> Vec<String> {
    match json {
        Json::List(items, _) => items.iter().map(Json::result).collect(),
        json => vec![json.result()],
    }
}

/// The list of documents in an output: the output itself, or a field of it.
fn listed(keys: &Keys<'_>, key: &str) -> Option<Vec<String>> {
    let document = keys.document(key)?;
    let list = ["documents", "output", "outputs", "results"]
        .iter()
        .find_map(|name| document.get(name))
        .unwrap_or(&document);
    let list = list.get("documents").unwrap_or(list);
    list.items()
        .map(|items| items.iter().map(Json::result).collect())
        .filter(|found: &Vec<_>| !found.is_empty())
}

/// What OpenLLMetry's instrumentations of vector stores tell as events: one a document.
fn vector_store(events: &[Event<'_>]) -> Vec<String> {
    let found = events.iter().filter(|event| ["db.query.result", "db.search.result"].contains(&event.name));
    found.map(|event| as_json(event.attributes)).collect()
}

fn as_json(attributes: &[Attribute<'_>]) -> String {
    let field = |attribute: &Attribute<'_>| {
        let name = attribute.key.rsplit('.').next().unwrap_or_default().to_owned();
        let value = Json::of(&attribute.value).to_json();
        (name, value)
    };
    let fields: Vec<_> = attributes.iter().map(field).collect();
    let fields =
        fields.iter().map(|(name, value)| (name.as_str().into(), Json::parse(value).unwrap_or(Json::NULL)));
    Json::Map(fields.collect(), None).to_json()
}
