//! Links and exemplars: repeated messages that are stored in the row of their record, as JSON and as exact protobuf.

use bytes::Bytes;
use llm_observatory_core::attributes::Value;
use llm_observatory_storage::models::attributes::ValueColumns;
use llm_observatory_storage::models::trace::Nested;

use super::decoder::Decoder;

/// The two columns of nested messages: `shown` as JSON, `exact` as protobuf.
pub(super) fn nested(
    shown: Vec<Value<'_>>,
    exact: &impl prost::Message,
    decoder: &mut Decoder<'_>,
) -> Nested {
    let columns = ValueColumns::encode(&Value::Array(shown), &mut decoder.arena);
    Nested { json: columns.json.unwrap_or_default(), otlp: Bytes::from(exact.encode_to_vec()) }
}
