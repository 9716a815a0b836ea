//! JSON as a tree that remembers the text that it was read from: arguments of tools are shown as they were sent.

use std::borrow::Cow;
use std::fmt::Write;

use llm_observatory_core::attributes::{Attribute, Value};

/// Most lists and maps inside each other. What is nested deeper is no JSON for us: it is shown as text.
pub(crate) const MAX_DEPTH: usize = 128;

/// A JSON value; texts are borrowed where they hold no escapes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json<'a> {
    /// `null`, `true`, `false` or a number, as written.
    Literal(Cow<'a, str>),
    /// A text, without its quotes and escapes.
    Text(Cow<'a, str>),
    /// A list, and the text that it was read from.
    List(Vec<Json<'a>>, Option<&'a str>),
    /// A map in its order, and the text that it was read from.
    Map(Vec<(Cow<'a, str>, Json<'a>)>, Option<&'a str>),
}

impl<'a> Json<'a> {
    /// `null`.
    pub(crate) const NULL: Self = Self::Literal(Cow::Borrowed("null"));

    /// The value that this is.
    pub(crate) fn into_value(self) -> Value<'a> {
        match self {
            Self::Literal(literal) => match &*literal {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                number => match number.parse() {
                    Ok(number) => Value::Int(number),
                    Err(_) => number.parse().map_or(Value::Empty, Value::Double),
                },
            },
            Self::Text(text) => Value::Str(text),
            Self::List(items, _) => Value::Array(items.into_iter().map(Self::into_value).collect()),
            Self::Map(fields, _) => Value::Map(
                fields.into_iter().map(|(key, value)| Attribute { key, value: value.into_value() }).collect(),
            ),
        }
    }

    /// An attribute's value as it is. What is nested too deep is `null`.
    pub(crate) fn of(value: &'a Value<'a>) -> Self {
        Self::nested(value, 0)
    }

    fn nested(value: &'a Value<'a>, depth: usize) -> Self {
        match value {
            Value::Array(_) | Value::Map(_) if depth == MAX_DEPTH => Self::NULL,
            Value::Empty => Self::NULL,
            Value::Str(text) => Self::Text(Cow::Borrowed(text)),
            Value::Bool(truth) => Self::Literal(Cow::Borrowed(if *truth { "true" } else { "false" })),
            Value::Int(number) => Self::Literal(number.to_string().into()),
            Value::Double(number) if number.is_finite() => Self::Literal(format!("{number:?}").into()),
            Value::Double(number) => Self::Text(number.to_string().into()),
            Value::Bytes(bytes) => Self::Text(String::from_utf8_lossy(bytes)),
            Value::Array(items) => {
                Self::List(items.iter().map(|item| Self::nested(item, depth + 1)).collect(), None)
            }
            Value::Map(fields) => Self::Map(
                fields
                    .iter()
                    .map(|field| (Cow::Borrowed(&*field.key), Self::nested(&field.value, depth + 1)))
                    .collect(),
                None,
            ),
        }
    }

    /// The field of a map, `null` included. Of duplicates the last wins.
    pub(crate) fn field(&self, name: &str) -> Option<&Self> {
        let Self::Map(fields, _) = self else { return None };
        fields.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// The field of a map, unless it is `null`.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        self.field(name).filter(|value| !value.is_null())
    }

    /// The first of these fields that is there and not `null`.
    pub(crate) fn any(&self, names: &[&str]) -> Option<&Self> {
        names.iter().find_map(|name| self.get(name))
    }

    /// The text, if this is a text that is not empty.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// The first of these fields that is a text and not empty.
    pub(crate) fn text_at(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.get(name)?.text())
    }

    /// The items, if this is a list.
    pub(crate) fn items(&self) -> Option<&[Self]> {
        if let Self::List(items, _) = self { Some(items) } else { None }
    }

    /// Whether this is `null`.
    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Self::Literal(literal) if literal == "null")
    }

    /// Whether this is a list or map that holds nothing but `null` and more such: some hide content so, and decorated
    /// functions without arguments are told so.
    pub(crate) fn is_empty(&self) -> bool {
        let says_nothing = |json: &Self| json.is_null() || json.is_empty();
        match self {
            Self::List(items, _) => items.iter().all(says_nothing),
            Self::Map(fields, _) => fields.iter().all(|(_, value)| says_nothing(value)),
            _ => false,
        }
    }

    /// Whether this is a map.
    pub(crate) fn is_map(&self) -> bool {
        matches!(self, Self::Map(..))
    }

    /// The JSON text: the one that was sent, if it was sent as JSON.
    pub(crate) fn to_json(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::List(_, Some(sent)) | Self::Map(_, Some(sent)) => out.push_str(sent),
            Self::Literal(literal) => out.push_str(literal),
            Self::Text(text) => quote(text, out),
            Self::List(items, None) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    out.push_str(if at == 0 { "" } else { "," });
                    item.write(out);
                }
                out.push(']');
            }
            Self::Map(fields, None) => {
                out.push('{');
                for (at, (key, value)) in fields.iter().enumerate() {
                    out.push_str(if at == 0 { "" } else { "," });
                    quote(key, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

/// Appends `text` as a JSON string.
pub(crate) fn quote(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c < ' ' || c == '"' || c == '\\') {
        out.push_str(&rest[..at]);
        match rest.as_bytes()[at] {
            b'\n' => out.push_str("\\n"),
            b'\t' => out.push_str("\\t"),
            b'\r' => out.push_str("\\r"),
            byte @ (b'"' | b'\\') => out.extend(['\\', byte as char]),
            // Writing into a String never fails.
            byte => _ = write!(out, "\\u{byte:04x}"),
        }
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.push('"');
}
