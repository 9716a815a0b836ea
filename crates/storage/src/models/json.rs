//! OTLP values to JSON text and back.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use llm_observatory_core::attributes::{Attribute, Value};
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, KeyValue, KeyValueList, any_value::Value as Any,
};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// The order of keys in jsonb: shorter first, then by bytes.
pub(super) fn jsonb_order(a: &str, b: &str) -> std::cmp::Ordering {
    a.len().cmp(&b.len()).then_with(|| a.as_bytes().cmp(b.as_bytes()))
}

/// How much of a value its JSON keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kept {
    /// The JSON only shows the value to people.
    Shown,
    /// The text of the JSON reads back as exactly this value. PostgreSQL's jsonb would not: it orders keys, writes out
    /// exponents, and loses the sign of zero.
    AsText,
    /// The jsonb reads back as exactly this value, and so does the text.
    AsJsonb,
}

/// Writes the value as JSON.
pub(super) fn write_value(value: &Value<'_>, out: &mut Vec<u8>) -> Kept {
    match value {
        Value::Empty => put(out, b"null"),
        Value::Str(text) => write_text(text, out),
        Value::Bool(true) => put(out, b"true"),
        Value::Bool(false) => put(out, b"false"),
        Value::Int(number) => put(out, itoa::Buffer::new().format(*number).as_bytes()),
        Value::Double(number) => write_double(*number, out),
        Value::Bytes(bytes) => {
            write_string(&BASE64.encode(bytes), out);
            Kept::Shown
        }
        Value::Array(values) => {
            let mut kept = Kept::AsJsonb;
            out.push(b'[');
            for (n, value) in values.iter().enumerate() {
                if n > 0 {
                    out.push(b',');
                }
                kept = kept.min(write_value(value, out));
            }
            out.push(b']');
            kept
        }
        Value::Map(entries) => {
            let ordered = |pair: &[Attribute<'_>]| jsonb_order(&pair[0].key, &pair[1].key).is_lt();
            let mut kept = if entries.windows(2).all(ordered) { Kept::AsJsonb } else { Kept::AsText };
            out.push(b'{');
            for (n, entry) in entries.iter().enumerate() {
                if n > 0 {
                    out.push(b',');
                }
                kept = kept.min(write_text(&entry.key, out));
                out.push(b':');
                kept = kept.min(write_value(&entry.value, out));
            }
            out.push(b'}');
            kept
        }
    }
}

fn put(out: &mut Vec<u8>, json: &[u8]) -> Kept {
    out.extend_from_slice(json);
    Kept::AsJsonb
}

fn write_text(text: &str, out: &mut Vec<u8>) -> Kept {
    if write_string(text, out) { Kept::AsJsonb } else { Kept::Shown }
}

/// Writes a double. JSON keeps the scale of a number, so `1.0` stays a double. It has no NaN or infinity: these become the
/// strings of proto3's JSON mapping.
fn write_double(number: f64, out: &mut Vec<u8>) -> Kept {
    if !number.is_finite() {
        let name = if number.is_nan() {
            "NaN"
        } else if number > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        };
        write_string(name, out);
        return Kept::Shown;
    }
    let mut buffer = ryu::Buffer::new();
    let text = buffer.format_finite(number);
    out.extend_from_slice(text.as_bytes());
    let has_exponent = text.contains('e') && !text.contains("e-");
    let negative_zero = number == 0.0 && number.is_sign_negative();
    if has_exponent || negative_zero { Kept::AsText } else { Kept::AsJsonb }
}

/// Writes a JSON string. Returns whether it reads back as this text: PostgreSQL can't store NUL, which becomes U+FFFD.
pub(super) fn write_string(text: &str, out: &mut Vec<u8>) -> bool {
    let mut rest = text.as_bytes();
    let mut plain = true;
    out.reserve(rest.len() + 2);
    out.push(b'"');
    loop {
        let (clean, escaped) = rest.split_at(clean_prefix(rest));
        out.extend_from_slice(clean);
        let Some((byte, after)) = escaped.split_first() else {
            break;
        };
        plain &= *byte != 0;
        write_escape(*byte, out);
        rest = after;
    }
    out.push(b'"');
    plain
}

/// Length of the longest prefix that needs no escape. Checks eight bytes at a time.
fn clean_prefix(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (n, word) in words.iter().enumerate() {
        if let Some(place) = first_escape(u64::from_le_bytes(*word)) {
            return 8 * n + place;
        }
    }
    let needs_escape = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
    let start = bytes.len() - rest.len();
    rest.iter().position(needs_escape).map_or(bytes.len(), |place| start + place)
}

/// The place of the first of eight bytes that needs an escape: a control character, a quote or a backslash.
///
/// Subtracting from a word borrows across bytes, so bytes above the first hit may be false hits. The first hit is right.
/// Source: Sean Eron Anderson, "Bit Twiddling Hacks", "Determine if a word has a byte less than n".
fn first_escape(word: u64) -> Option<usize> {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word;
    let controls = word.wrapping_sub(ONES * 0x20) & !word;
    let hits = (controls | zeros(word ^ (ONES * b'"' as u64)) | zeros(word ^ (ONES * b'\\' as u64))) & HIGH;
    (hits != 0).then(|| hits.trailing_zeros() as usize / 8)
}

fn write_escape(byte: u8, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    match byte {
        b'"' => out.extend_from_slice(b"\\\""),
        b'\\' => out.extend_from_slice(b"\\\\"),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        0 => out.extend_from_slice("\u{fffd}".as_bytes()),
        control => {
            out.extend_from_slice(b"\\u00");
            out.push(HEX[usize::from(control >> 4)]);
            out.push(HEX[usize::from(control & 15)]);
        }
    }
}

/// A value read from JSON. A number with a fraction or an exponent is a double, any other number an integer.
pub(super) struct Json(pub(super) Any);

struct Nullable(Option<Any>);

struct AnyVisitor;

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Nullable::deserialize(deserializer)?.0;
        value.map(Self).ok_or_else(|| serde::de::Error::custom("null in place of a value"))
    }
}

impl<'de> Deserialize<'de> for Nullable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyVisitor)
    }
}

impl<'de> Visitor<'de> for AnyVisitor {
    type Value = Nullable;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Nullable, E> {
        Ok(Nullable(None))
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Nullable, E> {
        Ok(Nullable(Some(Any::BoolValue(truth))))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Nullable, E> {
        Ok(Nullable(Some(Any::IntValue(number))))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Nullable, E> {
        // This program writes no integer beyond i64. One from another program reads as the nearest double.
        Ok(Nullable(Some(i64::try_from(number).map_or(Any::DoubleValue(number as f64), Any::IntValue))))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Nullable, E> {
        Ok(Nullable(Some(Any::DoubleValue(number))))
    }

    fn visit_str<E>(self, text: &str) -> Result<Nullable, E> {
        Ok(Nullable(Some(Any::StringValue(text.to_owned()))))
    }

    fn visit_string<E>(self, text: String) -> Result<Nullable, E> {
        Ok(Nullable(Some(Any::StringValue(text))))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Nullable, A::Error> {
        let mut values = Vec::new();
        while let Some(Nullable(value)) = seq.next_element()? {
            values.push(AnyValue { value });
        }
        Ok(Nullable(Some(Any::ArrayValue(ArrayValue { values }))))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Nullable, A::Error> {
        let mut values = Vec::new();
        while let Some((key, Nullable(value))) = map.next_entry()? {
            values.push(KeyValue { key, value: Some(AnyValue { value }), ..KeyValue::default() });
        }
        Ok(Nullable(Some(Any::KvlistValue(KeyValueList { values }))))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_string_comes_back(text in "[ -~\\x00-\\x1f\"\\\\\u{7f}-\u{2fff}👋]{0,60}") {
            let mut json = Vec::new();
            let plain = write_string(&text, &mut json);
            prop_assert_eq!(plain, !text.contains('\0'));
            let read: String = serde_json::from_slice(&json).unwrap();
            prop_assert_eq!(read, text.replace('\0', "\u{fffd}"));
        }

        #[test]
        fn the_first_escape_is_found(bytes: [u8; 8]) {
            let expected = bytes.iter().position(|byte| *byte < 0x20 || *byte == b'"' || *byte == b'\\');
            prop_assert_eq!(first_escape(u64::from_le_bytes(bytes)), expected);
        }
    }
}
