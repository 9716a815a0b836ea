//! OTLP's `KeyValue` and `AnyValue`, borrowed from the wire or owned by the caller.

use std::borrow::Cow;

/// One attribute: a key and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribute<'a> {
    /// The key. OTLP requires unique keys in a list; clients send duplicates all the same.
    pub key: Cow<'a, str>,
    /// The value.
    pub value: Value<'a>,
}

/// OTLP's `AnyValue`.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// No variant set. OTLP defines this as a valid, empty value.
    Empty,
    /// UTF-8 text.
    Str(Cow<'a, str>),
    /// A truth value.
    Bool(bool),
    /// A signed 64-bit integer.
    Int(i64),
    /// A double; may be NaN or infinite.
    Double(f64),
    /// Arbitrary bytes.
    Bytes(Cow<'a, [u8]>),
    /// A list of values, possibly of different kinds.
    Array(Vec<Value<'a>>),
    /// A nested list of attributes.
    Map(Vec<Attribute<'a>>),
}

impl<'a> Attribute<'a> {
    /// An attribute with this key and value.
    pub fn new(key: impl Into<Cow<'a, str>>, value: impl Into<Value<'a>>) -> Self {
        Self { key: key.into(), value: value.into() }
    }
}

impl Attribute<'_> {
    /// The same, with bytes of its own.
    pub fn to_static(&self) -> Attribute<'static> {
        Attribute { key: Cow::Owned(self.key.clone().into_owned()), value: self.value.to_static() }
    }
}

/// The value of the attribute `key`. Of duplicates the last wins, as in PostgreSQL's jsonb.
pub fn find<'s, 'a>(attributes: &'s [Attribute<'a>], key: &str) -> Option<&'s Value<'a>> {
    attributes.iter().rev().find(|attribute| attribute.key == key).map(|attribute| &attribute.value)
}

impl Value<'_> {
    /// The same, with bytes of its own.
    pub fn to_static(&self) -> Value<'static> {
        match self {
            Self::Empty => Value::Empty,
            Self::Str(text) => Value::Str(Cow::Owned(text.clone().into_owned())),
            Self::Bool(truth) => Value::Bool(*truth),
            Self::Int(number) => Value::Int(*number),
            Self::Double(number) => Value::Double(*number),
            Self::Bytes(bytes) => Value::Bytes(Cow::Owned(bytes.clone().into_owned())),
            Self::Array(values) => Value::Array(values.iter().map(Self::to_static).collect()),
            Self::Map(entries) => Value::Map(entries.iter().map(Attribute::to_static).collect()),
        }
    }

    /// The text, if this is a text that is not empty.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// The number, if this is an integer, a whole double below 9e15, or a text of an integer (several SDKs send those).
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            // The range check makes the cast exact.
            Self::Double(number) if number.fract() == 0.0 && number.abs() < 9.0e15 => Some(*number as i64),
            Self::Str(text) => text.trim().parse().ok(),
            _ => None,
        }
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Str(Cow::Borrowed(text))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Str(Cow::Owned(text))
    }
}

impl From<bool> for Value<'_> {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<f64> for Value<'_> {
    fn from(number: f64) -> Self {
        Self::Double(number)
    }
}

impl<'a> From<Vec<Value<'a>>> for Value<'a> {
    fn from(values: Vec<Value<'a>>) -> Self {
        Self::Array(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_duplicate_wins() {
        let attributes = [Attribute::new("k", 1), Attribute::new("k", "two")];
        assert_eq!(find(&attributes, "k"), Some(&Value::from("two")));
        assert_eq!(find(&attributes, "other"), None);
    }

    #[test]
    fn numbers_are_read_in_every_form_that_clients_send() {
        assert_eq!(Value::from(7).as_int(), Some(7));
        assert_eq!(Value::from(7.0).as_int(), Some(7));
        assert_eq!(Value::from(" 7 ").as_int(), Some(7));
        assert_eq!(Value::from(7.5).as_int(), None);
        assert_eq!(Value::from(f64::NAN).as_int(), None);
    }
}
