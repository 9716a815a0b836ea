//! Attributes and values as OTLP's messages, and back.

use std::borrow::Cow;

use bytes::Bytes;
use llm_observatory_core::attributes::{Attribute, Value};
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, KeyValue, KeyValueList, any_value::Value as Any,
};
use prost::Message as _;

/// The bytes of an attribute list in the hash of its owner. They do not depend on the order of the keys.
pub(in crate::models) fn canonical(attributes: &[Attribute<'_>]) -> Vec<u8> {
    let mut values: Vec<_> = attributes.iter().map(to_key_value).collect();
    values.sort_by(|a, b| a.key.cmp(&b.key));
    KeyValueList { values }.encode_to_vec()
}

/// The attribute as OTLP.
pub fn to_key_value(attribute: &Attribute<'_>) -> KeyValue {
    KeyValue {
        key: attribute.key.clone().into_owned(),
        value: Some(to_any_value(&attribute.value)),
        ..KeyValue::default()
    }
}

/// The value as OTLP.
fn to_any_value(value: &Value<'_>) -> AnyValue {
    let value = match value {
        Value::Empty => None,
        Value::Str(text) => Some(Any::StringValue(text.clone().into_owned())),
        Value::Bool(truth) => Some(Any::BoolValue(*truth)),
        Value::Int(number) => Some(Any::IntValue(*number)),
        Value::Double(number) => Some(Any::DoubleValue(*number)),
        Value::Bytes(bytes) => Some(Any::BytesValue(bytes.clone().into_owned())),
        Value::Array(values) => {
            Some(Any::ArrayValue(ArrayValue { values: values.iter().map(to_any_value).collect() }))
        }
        Value::Map(entries) => {
            Some(Any::KvlistValue(KeyValueList { values: entries.iter().map(to_key_value).collect() }))
        }
    };
    AnyValue { value }
}

/// The attribute of OTLP.
pub(super) fn from_key_value(attribute: KeyValue) -> Attribute<'static> {
    let value = attribute.value.map_or(Value::Empty, from_any_value);
    Attribute { key: Cow::Owned(attribute.key), value }
}

/// The value of OTLP.
pub fn from_any_value(value: AnyValue) -> Value<'static> {
    match value.value {
        None => Value::Empty,
        Some(Any::StringValue(text)) => Value::Str(Cow::Owned(text)),
        Some(Any::BoolValue(truth)) => Value::Bool(truth),
        Some(Any::IntValue(number)) => Value::Int(number),
        Some(Any::DoubleValue(number)) => Value::Double(number),
        Some(Any::BytesValue(bytes)) => Value::Bytes(Cow::Owned(bytes)),
        Some(Any::ArrayValue(array)) => Value::Array(array.values.into_iter().map(from_any_value).collect()),
        Some(Any::KvlistValue(list)) => Value::Map(list.values.into_iter().map(from_key_value).collect()),
        Some(Any::StringValueStrindex(_)) => Value::Empty, // of profiles; never written here
    }
}

/// The value as an encoded `AnyValue`.
pub(super) fn exact_value(value: &Value<'_>) -> Bytes {
    Bytes::from(to_any_value(value).encode_to_vec())
}
