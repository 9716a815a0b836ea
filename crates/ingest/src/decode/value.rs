//! Decodes attributes and their values.

use std::borrow::Cow;

use llm_observatory_core::attributes::{Attribute, Value};

use super::notes::Notes;
use crate::wire::{Field, Fields, Malformed};

/// The most protobuf messages that a value may nest.
///
/// Decoders stop at 100 nested messages, and readers must be able to decode our answers, where an attribute of an event
/// begins at the eighth message. A nested map takes three messages and a nested array two, so 28 maps or 42 arrays fit.
pub(crate) const MAX_DEPTH: u32 = 84;

const ARRAY_DEPTH: u32 = 2;
const MAP_DEPTH: u32 = 3;

/// A text in an attribute: invalid UTF-8 becomes U+FFFD, NUL stays.
pub(crate) fn string<'a>(bytes: &'a [u8], notes: &mut Notes) -> Cow<'a, str> {
    match simdutf8::basic::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => {
            notes.rejections.mended_texts += 1;
            Cow::Owned(String::from_utf8_lossy(bytes).into_owned())
        }
    }
}

/// Decodes a `KeyValue`.
pub(crate) fn attribute<'a>(message: &'a [u8], notes: &mut Notes) -> Result<Attribute<'a>, Malformed> {
    attribute_within(message, MAX_DEPTH, notes)
}

/// Decodes an `AnyValue`.
pub(crate) fn value<'a>(message: &'a [u8], notes: &mut Notes) -> Result<Value<'a>, Malformed> {
    value_within(message, MAX_DEPTH, notes)
}

fn attribute_within<'a>(
    message: &'a [u8],
    depth: u32,
    notes: &mut Notes,
) -> Result<Attribute<'a>, Malformed> {
    notes.elements(1)?;
    let mut attribute = Attribute { key: Cow::Borrowed(""), value: Value::Empty };
    for field in Fields::of(message) {
        let field = field?;
        match field.number {
            1 => attribute.key = string(field.bytes()?, notes),
            2 => attribute.value = value_within(field.bytes()?, depth, notes)?,
            _ => {}
        }
    }
    Ok(attribute)
}

fn value_within<'a>(message: &'a [u8], depth: u32, notes: &mut Notes) -> Result<Value<'a>, Malformed> {
    let mut value = Value::Empty;
    for field in Fields::of(message) {
        let field = field?;
        // Of a oneof that is set twice, the last one counts.
        value = match field.number {
            1 => {
                let text = field.bytes()?;
                notes.elements(long_escapes(text))?;
                Value::Str(string(text, notes))
            }
            2 => Value::Bool(field.varint()? != 0),
            3 => Value::Int(field.varint()?.cast_signed()),
            4 => Value::Double(field.double()?),
            5 => array(field.bytes()?, depth, notes)?,
            6 => map(field.bytes()?, depth, notes)?,
            7 => Value::Bytes(Cow::Borrowed(field.bytes()?)),
            _ => continue,
        };
    }
    Ok(value)
}

/// The number of characters that JSON writes as six, if the text is long. Each counts as an element, since otherwise a
/// text of them could grow sixfold whatever its length.
fn long_escapes(text: &[u8]) -> usize {
    const LONG: usize = 1024;
    if text.len() < LONG {
        return 0;
    }
    text.iter().filter(|byte| **byte < 0x20 && !matches!(**byte, b'\n' | b'\r' | b'\t')).count()
}

fn array<'a>(message: &'a [u8], depth: u32, notes: &mut Notes) -> Result<Value<'a>, Malformed> {
    let Some(depth) = depth.checked_sub(ARRAY_DEPTH) else {
        return Ok(cut(message, notes));
    };
    let mut values = Vec::new();
    for element in repeated(message) {
        notes.elements(1)?;
        values.push(value_within(element?.bytes()?, depth, notes)?);
    }
    Ok(Value::Array(values))
}

fn map<'a>(message: &'a [u8], depth: u32, notes: &mut Notes) -> Result<Value<'a>, Malformed> {
    let Some(depth) = depth.checked_sub(MAP_DEPTH) else {
        return Ok(cut(message, notes));
    };
    let mut entries = Vec::new();
    for entry in repeated(message) {
        entries.push(attribute_within(entry?.bytes()?, depth, notes)?);
    }
    Ok(Value::Map(entries))
}

/// The occurrences of field 1, the only field of an `ArrayValue` or a `KeyValueList`.
fn repeated<'a>(message: &'a [u8]) -> impl Iterator<Item = Result<Field<'a>, Malformed>> {
    Fields::of(message).filter(|field| field.as_ref().map_or(true, |field| field.number == 1))
}

/// The text that stands in the place of a value that is nested too deep.
fn cut<'a>(message: &[u8], notes: &mut Notes) -> Value<'a> {
    notes.rejections.cut_values += 1;
    Value::from(format!("<cut: {} bytes nested deeper than {MAX_DEPTH} messages>", message.len()))
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, any_value::Value as Any};
    use prost::Message as _;

    use super::*;

    fn nested(levels: u32) -> Vec<u8> {
        let wrap = |inner| AnyValue { value: Some(Any::ArrayValue(ArrayValue { values: vec![inner] })) };
        let innermost = AnyValue { value: Some(Any::IntValue(7)) };
        (0..levels).fold(innermost, |inner, _| wrap(inner)).encode_to_vec()
    }

    #[test]
    fn the_deepest_value_that_fits_is_kept_and_the_next_is_cut() {
        let limits =
            super::super::Limits { max_record_elements: 1_000, allowance: usize::MAX, kept_rejections: 0 };
        let mut notes = Notes::new(limits);
        let deepest = nested(MAX_DEPTH / ARRAY_DEPTH);
        value(&deepest, &mut notes).unwrap();
        assert_eq!(notes.rejections.cut_values, 0);
        let too_deep = nested(MAX_DEPTH / ARRAY_DEPTH + 1);
        let cut = value(&too_deep, &mut notes).unwrap();
        assert_eq!(notes.rejections.cut_values, 1);
        assert!(format!("{cut:?}").contains("<cut: 4 bytes nested deeper than 84 messages>"), "{cut:?}");
    }
}
