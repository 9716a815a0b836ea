//! Values, attributes, resources and scopes.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use proptest::collection::vec;
use proptest::prelude::*;

/// 2026-01-01T00:00:00Z.
const RECENT: u64 = 1_767_225_600_000_000_000;

const DAY: u64 = 86_400_000_000_000;

/// Keys that the daemon or a convention knows, keys that sort in an odd way, and awkward ones.
const KEYS: &[&str] = &[
    "",
    "a",
    "b",
    "aa",
    "Z",
    "ä",
    "\0",
    "key with \"quotes\"",
    "back\\slash",
    "http.route",
    "service.name",
    "user.id",
    "gen_ai.system",
    "gen_ai.request.model",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
];

/// Texts of every kind: empty, plain, awkward for JSON and for PostgreSQL, and now and then large.
pub fn text() -> BoxedStrategy<String> {
    prop_oneof![
        2 => Just(String::new()),
        6 => "[a-zA-Z0-9 ./-]{1,24}",
        3 => any::<String>(),
        1 => Just("null".to_owned()),
        1 => Just("a\0b".to_owned()),
        1 => Just("\u{1f}\u{7f}\u{85}\u{2028}\u{feff}\u{fffd}\u{10ffff}".to_owned()),
        1 => Just("日本語 \"quoted\" \\ /\n\r\t🦀".to_owned()),
        1 => (20_000_usize..60_000).prop_map(|length| "große Zeile\n".chars().cycle().take(length).collect()),
    ]
    .boxed()
}

/// Times: none, the first, today's, and the last that there are.
pub fn time() -> BoxedStrategy<u64> {
    prop_oneof![
        1 => Just(0),
        1 => Just(1),
        8 => RECENT..RECENT + DAY,
        1 => RECENT - 3 * DAY..RECENT + 3 * DAY,
        1 => Just(u64::MAX),
    ]
    .boxed()
}

/// Unsigned 64-bit counts.
pub fn count() -> BoxedStrategy<u64> {
    prop_oneof![4 => 0..1000_u64, 1 => Just(u64::MAX), 1 => Just(i64::MAX as u64 + 1), 1 => any::<u64>()]
        .boxed()
}

/// Dropped counts, flags and other numbers of 32 bits.
pub fn word() -> BoxedStrategy<u32> {
    prop_oneof![4 => Just(0), 2 => 1..1024_u32, 1 => Just(u32::MAX), 1 => Just(1_u32 << 31)].boxed()
}

/// Doubles, with those that JSON can't say.
pub fn double() -> BoxedStrategy<f64> {
    prop_oneof![
        Just(0.0),
        Just(-0.0),
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY),
        Just(f64::MIN_POSITIVE / 2.0),
        Just(f64::MAX),
        (-1000_i32..1000).prop_map(f64::from),
        -1.0e6..1.0e6_f64,
        any::<f64>(),
    ]
    .boxed()
}

/// Values of an open enumeration: the known ones up to `last`, and ones of some later version.
pub fn open_enum(last: i32) -> BoxedStrategy<i32> {
    prop_oneof![6 => 0..=last, 1 => Just(last + 1), 1 => Just(i32::MAX), 1 => Just(i32::MIN)].boxed()
}

/// Any value, nested a few levels deep.
pub fn any_value() -> BoxedStrategy<AnyValue> {
    let integers = prop_oneof![Just(i64::MIN), Just(i64::MAX), -1000_i64..1000, any::<i64>()];
    let leaf = prop_oneof![
        1 => Just(None),
        4 => text().prop_map(|text| Some(Value::StringValue(text))),
        1 => any::<bool>().prop_map(|truth| Some(Value::BoolValue(truth))),
        2 => integers.prop_map(|number| Some(Value::IntValue(number))),
        2 => double().prop_map(|number| Some(Value::DoubleValue(number))),
        1 => vec(any::<u8>(), 0..40).prop_map(|bytes| Some(Value::BytesValue(bytes))),
    ];
    let leaf = leaf.prop_map(|value| AnyValue { value });
    leaf.prop_recursive(4, 24, 4, |inner| {
        let list = vec(inner.clone(), 0..4).prop_map(|values| Value::ArrayValue(ArrayValue { values }));
        let map = attributes_of(inner).prop_map(|values| Value::KvlistValue(KeyValueList { values }));
        prop_oneof![list, map].prop_map(|value| AnyValue { value: Some(value) })
    })
    .boxed()
}

/// One attribute.
pub fn named(key: &str, value: AnyValue) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(value), ..KeyValue::default() }
}

/// A list of attributes, in any order, with duplicate keys and absent values.
pub fn attributes() -> BoxedStrategy<Vec<KeyValue>> {
    attributes_of(any_value().boxed())
}

fn attributes_of(value: BoxedStrategy<AnyValue>) -> BoxedStrategy<Vec<KeyValue>> {
    let key = prop_oneof![6 => proptest::sample::select(KEYS).prop_map(str::to_owned), 1 => text()];
    let value = prop_oneof![9 => value.prop_map(Some), 1 => Just(None)];
    vec((key, value).prop_map(|(key, value)| KeyValue { key, value, ..KeyValue::default() }), 0..6).boxed()
}

/// A resource, or none.
pub fn resource() -> BoxedStrategy<Option<Resource>> {
    let name = proptest::sample::select(vec!["checkout", "chat", "", "nul\0byte"]);
    let service = name.prop_map(|name| {
        let value = Some(Value::StringValue(name.to_owned()));
        named("service.name", AnyValue { value })
    });
    let entity = (text(), text(), vec(text(), 0..3)).prop_map(|(schema_url, r#type, id_keys)| EntityRef {
        schema_url,
        r#type,
        description_keys: id_keys.iter().rev().cloned().collect(),
        id_keys,
    });
    let entities = prop_oneof![4 => Just(Vec::new()), 1 => vec(entity, 1..3)];
    let resource = (proptest::option::of(service), attributes(), word(), entities);
    let resource =
        resource.prop_map(|(service, attributes, dropped_attributes_count, entity_refs)| Resource {
            attributes: service.into_iter().chain(attributes).collect(),
            dropped_attributes_count,
            entity_refs,
        });
    proptest::option::weighted(0.9, resource).boxed()
}

/// An instrumentation scope, or none.
pub fn scope() -> BoxedStrategy<Option<InstrumentationScope>> {
    let scope = (text(), text(), attributes(), word());
    let scope = scope.prop_map(|(name, version, attributes, dropped_attributes_count)| {
        InstrumentationScope { name, version, attributes, dropped_attributes_count }
    });
    proptest::option::weighted(0.9, scope).boxed()
}

/// `length` bytes that are an id, or none.
pub fn optional_id(length: usize) -> BoxedStrategy<Vec<u8>> {
    prop_oneof![1 => Just(Vec::new()), 2 => id(length)].boxed()
}

/// `length` bytes that are not all zero.
pub fn id(length: usize) -> BoxedStrategy<Vec<u8>> {
    vec(any::<u8>(), length)
        .prop_filter("an id is not all zero", |id| id.iter().any(|byte| *byte != 0))
        .boxed()
}
