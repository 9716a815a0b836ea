//! Attribute lists: values of every kind, and the keys that jsonb and protobuf see with other eyes.

use super::Seed;
use super::wire::{double, field, varint};

/// Lists of encoded `KeyValue`s.
pub(super) fn attributes() -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let one = |(name, value): Seed| (name, vec![named(b"key", &value)]);
    let mut lists: Vec<_> = values().into_iter().map(one).collect();
    lists.extend([
        (
            "keys-in-order",
            vec![named(b"a", &text(b"1")), named(b"b", &text(b"2")), named(b"aa", &text(b"3"))],
        ),
        (
            "keys-out-of-order",
            vec![named(b"aa", &text(b"1")), named(b"b", &text(b"2")), named(b"a", &text(b"3"))],
        ),
        ("keys-twice", vec![named(b"a", &text(b"1")), named(b"b", &[]), named(b"a", &text(b"2"))]),
        ("key-with-nul", vec![named(b"\0", &text(b"1")), named("\u{fffd}".as_bytes(), &text(b"2"))]),
        ("key-not-utf8", vec![named(b"\xff", &text(b"1")), named("\u{fffd}".as_bytes(), &text(b"2"))]),
        ("key-alone", vec![field(1, b"key"), Vec::new()]),
        ("key-of-profiles", vec![[varint(3, 1), named(b"key", &text(b"value"))].concat()]),
        ("value-twice", vec![[named(b"key", &text(b"first")), field(2, &varint(2, 1))].concat()]),
        ("attribute-breaks-off", vec![named(b"key", b"\x0a\x05abc")]),
        ("more-keys-than-places", (0..300_u32).rev().map(|n| field(1, n.to_string().as_bytes())).collect()),
        (
            "llm",
            vec![
                named(b"gen_ai.operation.name", &text(b"chat")),
                named(b"gen_ai.request.model", &text(b"gpt-4o")),
                named(b"gen_ai.usage.input_tokens", &varint(3, 12)),
                named(b"gen_ai.usage.output_tokens", &varint(3, u64::MAX)),
            ],
        ),
        ("service", vec![named(b"service.name", &text(b"checkout"))]),
    ]);
    lists
}

/// Encoded `AnyValue`s.
pub(super) fn values() -> Vec<Seed> {
    vec![
        ("value-empty", Vec::new()),
        ("text", text("日本語 \"quoted\" \\ /\n\u{1}\u{7f}🦀".as_bytes())),
        ("text-empty", text(b"")),
        ("text-with-nul", text(b"a\0b")),
        ("text-not-utf8", text(b"a\xff\xc3(\xed\xa0\x80")),
        ("true", varint(2, 1)),
        ("bool-of-many-bits", varint(2, 1 << 63)),
        ("least-integer", varint(3, i64::MIN.cast_unsigned())),
        ("double", double(4, 0.1)),
        ("whole-double", double(4, 3.0)),
        ("negative-zero", double(4, -0.0)),
        ("nan", double(4, f64::NAN)),
        ("infinity", double(4, f64::NEG_INFINITY)),
        ("large-double", double(4, 1e300)),
        ("double-that-jsonb-writes-as-an-integer", double(4, 1e17)),
        ("small-double", double(4, 5e-324)),
        ("bytes", field(7, b"\0\xff")),
        ("array", field(5, &[field(1, &text(b"a")), field(1, &[]), field(1, &varint(3, 1))].concat())),
        ("array-of-nothing", field(5, b"")),
        ("map", field(6, &[entry(b"a", &varint(3, 1)), entry(b"b", &double(4, 0.5))].concat())),
        ("map-out-of-order", field(6, &[entry(b"bb", &varint(3, 1)), entry(b"a", &[])].concat())),
        ("map-with-keys-twice", field(6, &[entry(b"a", &varint(3, 1)), entry(b"a", &varint(3, 2))].concat())),
        ("map-with-nul", field(6, &entry(b"\0", &text(b"\0")))),
        ("oneof-twice", [text(b"first"), varint(3, 2)].concat()),
        ("arrays-twice", [field(5, &field(1, &text(b"a"))), field(5, &field(1, &text(b"b")))].concat()),
        ("text-of-profiles", [text(b"stays"), varint(8, 1)].concat()),
        ("deepest-arrays", arrays(42)),
        ("cut-arrays", arrays(43)),
        ("deepest-maps", maps(28)),
        ("cut-maps", maps(29)),
        ("deeper-than-prost-reads", arrays(200)),
    ]
}

pub(super) fn named(key: &[u8], value: &[u8]) -> Vec<u8> {
    [field(1, key), field(2, value)].concat()
}

pub(super) fn text(text: &[u8]) -> Vec<u8> {
    field(1, text)
}

fn entry(key: &[u8], value: &[u8]) -> Vec<u8> {
    field(1, &named(key, value))
}

fn arrays(levels: usize) -> Vec<u8> {
    (0..levels).fold(varint(3, 7), |inner, _| field(5, &field(1, &inner)))
}

fn maps(levels: usize) -> Vec<u8> {
    (0..levels).fold(varint(3, 7), |inner, _| field(6, &entry(b"k", &inner)))
}
