//! Attribute lists as `jsonb` that people can query, without losing anything of OTLP.
//!
//! jsonb keeps neither the order of keys nor duplicates, and JSON has no bytes, no NaN and no NUL. So an attribute list
//! fills two columns: the JSON, and a *layout*, which is NULL when the JSON holds everything. A layout is
//!
//! 1. the number of attributes, as a protobuf varint;
//! 2. one byte for each attribute in its original order: its place among the keys in jsonb's order (by length, then by bytes), or
//!    255 for "take the next exact attribute";
//! 3. the exact attributes, as an encoded `opentelemetry.proto.common.v1.KeyValueList`.

use std::borrow::Cow;

use bytes::Bytes;
use llm_observatory_core::attributes::{Attribute, Value};
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, KeyValue, KeyValueList, any_value::Value as Any,
};
use prost::Message as _;

use super::arena::Arena;
use super::json::{Json, write_string, write_value};

/// The byte for "take the next exact attribute".
const EXACT: u8 = u8::MAX;

/// An attribute list in its two columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attributes {
    /// A JSON object, its keys ordered as jsonb orders them.
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

    /// The columns for `attributes`.
    pub fn new(attributes: &[Attribute<'_>]) -> Self {
        Self::encode(attributes, &mut Arena::default())
    }

    /// The columns for `attributes`, written into `arena`: the lists of one request share one allocation.
    pub fn encode(attributes: &[Attribute<'_>], arena: &mut Arena) -> Self {
        if attributes.is_empty() {
            return Self::default();
        }
        if attributes.iter().any(|attribute| attribute.key.contains('\0')) {
            return Self::encode_beside(attributes, arena);
        }
        let order = in_jsonb_order(attributes);
        let (json, places) = arena.column(|out| write_object(attributes, &order, out));
        Self { json, layout: layout(attributes, &places, arena) }
    }

    /// For lists with NUL in a key. The JSON shows such a key as another one, which may sort elsewhere or be a
    /// duplicate. So the layout keeps the whole list exactly, and the JSON is for people only.
    fn encode_beside(attributes: &[Attribute<'_>], arena: &mut Arena) -> Self {
        let shown = |attribute: &Attribute<'_>| attribute.key.replace('\0', "\u{fffd}");
        let shown: Vec<_> = attributes
            .iter()
            .map(|attribute| Attribute::new(shown(attribute), attribute.value.clone()))
            .collect();
        let Self { json, .. } = Self::encode(&shown, arena);
        Self { json, layout: layout(attributes, &vec![EXACT; attributes.len()], arena) }
    }

    /// The attributes as OTLP, from the JSON text and the layout.
    ///
    /// # Errors
    /// [`Inconsistent::Json`] for JSON that does not parse, [`Inconsistent::Otlp`] for a layout that does not decode,
    /// [`Inconsistent::Layout`] for JSON that is not an object or a layout of other attributes.
    pub fn decode(json: &[u8], layout: Option<&[u8]>) -> Result<Vec<KeyValue>, Inconsistent> {
        let entries = match serde_json::from_slice::<Json>(json)?.0 {
            Any::KvlistValue(list) => list.values,
            _ => return Err(Inconsistent::Layout),
        };
        match layout {
            None | Some([]) => Ok(entries),
            Some(layout) => arrange(entries, layout),
        }
    }
}

impl Attributes {
    /// The attributes, from both columns.
    ///
    /// # Errors
    /// Those of [`Self::decode`].
    pub fn attributes(&self) -> Result<Vec<Attribute<'static>>, Inconsistent> {
        Ok(Self::decode(&self.json, Some(&self.layout))?.into_iter().map(from_key_value).collect())
    }
}

/// How the columns of a stored row contradict each other.
#[derive(Debug, thiserror::Error)]
pub enum Inconsistent {
    /// A jsonb column holds JSON that this program does not write.
    #[error("unreadable JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// A column of OTLP bytes does not decode.
    #[error("unreadable OTLP bytes: {0}")]
    Otlp(#[from] prost::DecodeError),
    /// A layout does not fit its JSON.
    #[error("the layout of an attribute list does not fit its JSON")]
    Layout,
    /// Of the two columns of nested messages only one is filled.
    #[error("of the JSON and the OTLP bytes of nested messages only one is present")]
    Nested,
    /// A column holds a value outside its range.
    #[error("column {0} holds a value outside its range")]
    Column(&'static str),
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
        let (json, plain) = arena.column(|out| write_value(value, out));
        Self { text: None, json: Some(json), exact: if plain { Bytes::new() } else { exact_value(value) } }
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

/// The bytes of an attribute list in the hash of its owner. They do not depend on the order of the keys.
pub(super) fn canonical(attributes: &[Attribute<'_>]) -> Vec<u8> {
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
fn from_key_value(attribute: KeyValue) -> Attribute<'static> {
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

fn exact_value(value: &Value<'_>) -> Bytes {
    Bytes::from(to_any_value(value).encode_to_vec())
}

/// The places of the attributes in jsonb's order of their keys. Equal keys keep the order of the list.
fn in_jsonb_order(attributes: &[Attribute<'_>]) -> Vec<usize> {
    // The length and the first eight bytes decide nearly every comparison.
    let rank = |(place, attribute): (usize, &Attribute<'_>)| {
        let key = attribute.key.as_bytes();
        let mut start = [0; 8];
        let known = key.len().min(8);
        start[..known].copy_from_slice(&key[..known]);
        (key.len(), u64::from_be_bytes(start), place)
    };
    let mut ranked: Vec<_> = attributes.iter().enumerate().map(rank).collect();
    ranked.sort_unstable_by(|a, b| {
        let keys = || attributes[a.2].key.as_bytes().cmp(attributes[b.2].key.as_bytes());
        (a.0, a.1).cmp(&(b.0, b.1)).then_with(keys).then(a.2.cmp(&b.2))
    });
    ranked.into_iter().map(|(_, _, place)| place).collect()
}

/// Writes the attributes as a JSON object. Returns the place of each among the keys, or [`EXACT`] for one that JSON
/// can't hold.
fn write_object(attributes: &[Attribute<'_>], order: &[usize], out: &mut Vec<u8>) -> Vec<u8> {
    let mut places = vec![EXACT; attributes.len()];
    let mut place = 0_usize;
    out.push(b'{');
    for (n, &index) in order.iter().enumerate() {
        let key = &attributes[index].key;
        let same = |other: Option<&usize>| other.is_some_and(|other| attributes[*other].key == *key);
        if same(order.get(n + 1)) {
            continue; // write only the last of several equal keys, as jsonb keeps it
        }
        let first_of_its_key = n == 0 || !same(order.get(n - 1));
        if place > 0 {
            out.push(b',');
        }
        write_string(key, out);
        out.push(b':');
        let plain = write_value(&attributes[index].value, out) && first_of_its_key;
        if plain && place < usize::from(EXACT) {
            places[index] = place as u8;
        }
        place += 1;
    }
    out.push(b'}');
    places
}

fn layout(attributes: &[Attribute<'_>], places: &[u8], arena: &mut Arena) -> Bytes {
    let in_order = places.iter().enumerate().all(|(n, place)| usize::from(*place) == n && *place != EXACT);
    if in_order {
        return Bytes::new();
    }
    let exact = KeyValueList {
        values: attributes
            .iter()
            .zip(places)
            .filter(|(_, place)| **place == EXACT)
            .map(|(attribute, _)| to_key_value(attribute))
            .collect(),
    };
    let write = |out: &mut Vec<u8>| {
        prost::encoding::encode_varint(places.len() as u64, out);
        out.extend_from_slice(places);
        exact.encode_raw(out);
    };
    arena.column(write).0
}

fn arrange(entries: Vec<KeyValue>, mut layout: &[u8]) -> Result<Vec<KeyValue>, Inconsistent> {
    let count = prost::encoding::decode_varint(&mut layout)?;
    let count = usize::try_from(count).map_err(|_| Inconsistent::Layout)?;
    let (places, exact) = layout.split_at_checked(count).ok_or(Inconsistent::Layout)?;
    let mut exact = KeyValueList::decode(exact)?.values.into_iter();
    let mut entries: Vec<_> = entries.into_iter().map(Some).collect();
    places
        .iter()
        .map(|place| match *place {
            EXACT => exact.next(),
            place => entries.get_mut(usize::from(place)).and_then(Option::take),
        })
        .map(|attribute| attribute.ok_or(Inconsistent::Layout))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(attributes: &[Attribute<'_>]) -> Vec<KeyValue> {
        let columns = Attributes::new(attributes);
        Attributes::decode(&columns.json, Some(&columns.layout)).unwrap()
    }

    #[test]
    fn ordered_plain_attributes_need_no_layout() {
        let columns =
            Attributes::new(&[Attribute::new("a", 1), Attribute::new("b", 1.0), Attribute::new("aa", "x")]);
        assert_eq!(columns.json, r#"{"a":1,"b":1.0,"aa":"x"}"#);
        assert!(columns.layout.is_empty());
    }

    #[test]
    fn order_costs_a_byte_for_each_attribute() {
        let attributes =
            [Attribute::new("http.route", "/"), Attribute::new("b", true), Attribute::new("a", 2)];
        let columns = Attributes::new(&attributes);
        assert_eq!(columns.json, r#"{"a":2,"b":true,"http.route":"/"}"#);
        assert_eq!(columns.layout, [3, 2, 1, 0].as_slice());
        assert_eq!(round_trip(&attributes), attributes.iter().map(to_key_value).collect::<Vec<_>>());
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
        let columns = Attributes::new(&attributes);
        let json: serde_json::Value = serde_json::from_slice(&columns.json).unwrap();
        assert_eq!(json["bytes"], "/wA=");
        assert_eq!(json["nan"], "Infinity");
        assert_eq!(json["k"], "a\u{fffd}b", "the last duplicate wins");
        assert_eq!(round_trip(&attributes), attributes.iter().map(to_key_value).collect::<Vec<_>>());
    }

    #[test]
    fn lists_longer_than_a_place_can_count_come_back() {
        let attributes: Vec<_> = (0..300).rev().map(|n| Attribute::new(format!("k{n}"), n)).collect();
        assert_eq!(round_trip(&attributes), attributes.iter().map(to_key_value).collect::<Vec<_>>());
    }

    #[test]
    fn a_layout_that_does_not_fit_its_json_is_an_error() {
        assert!(matches!(Attributes::decode(b"{}", Some(&[1, 0])), Err(Inconsistent::Layout)));
        assert!(matches!(Attributes::decode(b"{}", Some(&[9])), Err(Inconsistent::Layout)));
        assert!(matches!(Attributes::decode(b"3", None), Err(Inconsistent::Layout)));
    }
}
