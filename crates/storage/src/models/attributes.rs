//! Attribute lists as JSON that people can query, without losing anything of OTLP.
//!
//! An attribute list fills two columns: the JSON, as a text or as `jsonb`, and a [`layout`], which is NULL when the JSON
//! holds everything.

mod inconsistent;
mod jsonb;
mod layout;
mod otlp;

use std::borrow::Cow;

use bytes::Bytes;
use llm_observatory_core::attributes::{Attribute, Value};
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value as Any};
use prost::Message as _;

use super::arena::Arena;
use super::json::{Json, Kept, write_string, write_value};

pub use inconsistent::Inconsistent;
pub(super) use otlp::canonical;
use otlp::{exact_value, from_key_value};
pub use otlp::{from_any_value, to_key_value};

/// An attribute list in its two columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attributes {
    /// A JSON object: in a column of text with all attributes in their order, in one of jsonb in the order of its keys.
    pub json: Bytes,
    /// The layout; empty (NULL) when the JSON holds everything.
    pub layout: Bytes,
}

impl Default for Attributes {
    /// The empty list.
    fn default() -> Self {
        Self { json: Bytes::from_static(b"{}"), layout: Bytes::new() }
    }
}

impl Attributes {
    /// Length of both columns together, in bytes.
    pub fn bytes(&self) -> usize {
        self.json.len() + self.layout.len()
    }

    /// The columns for `attributes`, where the JSON is a text.
    pub fn new(attributes: &[Attribute<'_>]) -> Self {
        Self::encode(attributes, &mut Arena::of_one())
    }

    /// The same columns, written into `arena`: the lists of one request share one allocation.
    pub fn encode(attributes: &[Attribute<'_>], arena: &mut Arena) -> Self {
        if attributes.is_empty() {
            return Self::default();
        }
        let (json, exact) = arena.column(|out| write_object(attributes, out));
        Self { json, layout: layout::of_text(attributes, &exact, arena) }
    }

    /// The attributes as OTLP, from the JSON text and the layout.
    ///
    /// # Errors
    /// [`Inconsistent::Json`] for JSON that does not parse, [`Inconsistent::Otlp`] for a layout that does not decode,
    /// [`Inconsistent::Layout`] for JSON that is not an object or a layout of other attributes.
    pub fn decode(json: &[u8], layout: Option<&[u8]>) -> Result<Vec<KeyValue>, Inconsistent> {
        match serde_json::from_slice::<Json>(json)?.0 {
            Any::KvlistValue(list) => layout::arrange(list.values, layout.unwrap_or_default()),
            _ => Err(Inconsistent::Layout),
        }
    }

    /// The attributes, from both columns.
    ///
    /// # Errors
    /// Those of [`Self::decode`].
    pub fn attributes(&self) -> Result<Vec<Attribute<'static>>, Inconsistent> {
        Ok(Self::decode(&self.json, Some(&self.layout))?.into_iter().map(from_key_value).collect())
    }
}

/// Writes the attributes as a JSON object, in their order. Returns the places of those that JSON can't hold.
fn write_object(attributes: &[Attribute<'_>], out: &mut Vec<u8>) -> Vec<usize> {
    let mut exact = Vec::new();
    out.push(b'{');
    for (place, attribute) in attributes.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        let is_kept = write_string(&attribute.key, out);
        out.push(b':');
        if write_value(&attribute.value, out) == Kept::Shown || !is_kept {
            exact.push(place);
        }
    }
    out.push(b'}');
    exact
}

/// One value (the body of a log record) in its three columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ValueColumns {
    /// A text, as UTF-8.
    pub text: Option<Bytes>,
    /// Any other value, as JSON text.
    pub json: Option<Bytes>,
    /// The exact value as an encoded `AnyValue`; empty (NULL) when the text or JSON holds everything.
    pub exact: Bytes,
}

impl ValueColumns {
    /// The columns for `value`, written into `arena`.
    pub fn encode(value: &Value<'_>, arena: &mut Arena) -> Self {
        if let Value::Str(text) = value {
            let plain = !text.as_bytes().contains(&0);
            let shown =
                if plain { Cow::Borrowed(&**text) } else { Cow::Owned(text.replace('\0', "\u{fffd}")) };
            let text = Some(arena.column(|out| out.extend_from_slice(shown.as_bytes())).0);
            return Self { text, json: None, exact: if plain { Bytes::new() } else { exact_value(value) } };
        }
        let (json, kept) = arena.column(|out| write_value(value, out));
        let exact = if kept == Kept::Shown { exact_value(value) } else { Bytes::new() };
        Self { text: None, json: Some(json), exact }
    }

    /// The value as OTLP; `None` when all columns are NULL.
    ///
    /// # Errors
    /// [`Inconsistent::Otlp`] for an exact value that does not decode, [`Inconsistent::Json`] for JSON that does not parse.
    pub fn decode(
        text: Option<String>,
        json: Option<&[u8]>,
        exact: Option<&[u8]>,
    ) -> Result<Option<AnyValue>, Inconsistent> {
        if let Some(exact) = exact {
            return Ok(Some(AnyValue::decode(exact)?));
        }
        Ok(match (text, json) {
            (Some(text), _) => Some(AnyValue { value: Some(Any::StringValue(text)) }),
            (None, Some(b"null")) => Some(AnyValue { value: None }),
            (None, Some(json)) => Some(AnyValue { value: Some(serde_json::from_slice::<Json>(json)?.0) }),
            (None, None) => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The columns of a list as a text and as jsonb. Each reads back as the list.
    fn both(attributes: &[Attribute<'_>]) -> [Attributes; 2] {
        let columns = [Attributes::new(attributes), Attributes::jsonb(attributes)];
        for columns in &columns {
            let back = Attributes::decode(&columns.json, Some(&columns.layout)).unwrap();
            assert_eq!(back, attributes.iter().map(to_key_value).collect::<Vec<_>>());
        }
        columns
    }

    #[test]
    fn ordered_plain_attributes_need_no_layout() {
        for columns in both(&[Attribute::new("a", 1), Attribute::new("b", 1.0), Attribute::new("aa", "x")]) {
            assert_eq!(columns.json, r#"{"a":1,"b":1.0,"aa":"x"}"#);
            assert!(columns.layout.is_empty());
        }
    }

    #[test]
    fn order_costs_nothing_in_a_text_and_a_byte_for_each_attribute_in_jsonb() {
        let attributes =
            [Attribute::new("http.route", "/"), Attribute::new("b", true), Attribute::new("a", 2)];
        let [text, jsonb] = both(&attributes);
        assert_eq!(text.json, r#"{"http.route":"/","b":true,"a":2}"#);
        assert_eq!(text.layout, [].as_slice());
        assert_eq!(jsonb.json, r#"{"a":2,"b":true,"http.route":"/"}"#);
        assert_eq!(jsonb.layout, [3, 2, 1, 0].as_slice());
    }

    #[test]
    fn a_text_needs_no_layout_for_duplicates_exponents_and_orders_of_maps() {
        let map = Value::Map(vec![Attribute::new("zz", 1), Attribute::new("a", 2.5)]);
        let attributes = [Attribute::new("k", 1e300), Attribute::new("k", -0.0), Attribute::new("a", map)];
        let [text, jsonb] = both(&attributes);
        assert_eq!(text.json, r#"{"k":1e300,"k":-0.0,"a":{"zz":1,"a":2.5}}"#);
        assert_eq!(text.layout, [].as_slice());
        assert!(!jsonb.layout.is_empty());
    }

    #[test]
    fn values_that_json_cannot_hold_come_back_exactly() {
        let attributes = [
            Attribute::new("k", "first"),
            Attribute::new("k", "a\0b"),
            Attribute::new("nan", f64::INFINITY),
            Attribute::new("zero", -0.0),
            Attribute::new("big", 1e300),
            Attribute::new("small", 5e-324),
            Attribute::new("bytes", Value::Bytes(b"\xff\0".as_slice().into())),
            Attribute::new("none", Value::Empty),
            Attribute::new("map", Value::Map(vec![Attribute::new("zz", 1), Attribute::new("a", 2.5)])),
            Attribute::new("\0", "sorts before a, and U+FFFD after it"),
            Attribute::new("a", 1),
            Attribute::new("\u{fffd}", "the replacement of NUL"),
        ];
        for columns in both(&attributes) {
            let json: serde_json::Value = serde_json::from_slice(&columns.json).unwrap();
            assert_eq!(json["bytes"], "/wA=");
            assert_eq!(json["nan"], "Infinity");
            assert_eq!(json["k"], "a\u{fffd}b", "the last duplicate wins");
        }
    }

    #[test]
    fn lists_longer_than_a_place_can_count_come_back() {
        let attributes: Vec<_> = (0..300).rev().map(|n| Attribute::new(format!("k{n}"), n)).collect();
        both(&attributes);
    }

    #[test]
    fn a_layout_that_does_not_fit_its_json_is_an_error() {
        assert!(matches!(Attributes::decode(b"{}", Some(&[1, 0])), Err(Inconsistent::Layout)));
        assert!(matches!(Attributes::decode(b"{}", Some(&[9])), Err(Inconsistent::Layout)));
        assert!(matches!(Attributes::decode(b"{}", Some(&[0, 1, 0])), Err(Inconsistent::Layout)));
        assert!(matches!(Attributes::decode(br#"{"a":1}"#, Some(&[0, 1, 0])), Err(Inconsistent::Layout)));
        assert!(matches!(Attributes::decode(br#"{"a":1}"#, Some(&[0, 1, 1])), Err(Inconsistent::Layout)));
        assert!(matches!(Attributes::decode(b"3", None), Err(Inconsistent::Layout)));
    }
}
