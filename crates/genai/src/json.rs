//! JSON inside attributes, read within bounds. It never fails: what can't be read is `None`.

use std::borrow::Cow;
use std::fmt;

use llm_observatory_core::attributes::{Attribute, Value, find};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// Longest text that is read as JSON for a reading: usage, parameters, metadata. They take some hundred bytes; what is
/// longer is something else. serde_json bounds the depth.
pub(crate) const MAX_JSON_BYTES: usize = 64 * 1024;

/// The list or map that an attribute holds: as such, as JSON, as JSON inside a JSON text, or as Python prints it.
pub(crate) fn structure<'v>(value: &'v Value<'v>) -> Option<Cow<'v, Value<'v>>> {
    match value {
        Value::Array(_) | Value::Map(_) => Some(Cow::Borrowed(value)),
        Value::Str(text) => parse(text).map(Cow::Owned),
        _ => None,
    }
}

/// The list or map that a text holds.
pub(crate) fn parse(text: &str) -> Option<Value<'static>> {
    let text = text.trim();
    if text.len() > MAX_JSON_BYTES {
        return None;
    }
    match text.as_bytes().first()? {
        b'{' | b'[' => from_json(text).or_else(|| from_json(&from_python(text)?)),
        // MLflow and old Langfuse SDKs encode twice.
        b'"' => {
            let inner: String = serde_json::from_str(text).ok()?;
            if inner.starts_with(['{', '[']) { from_json(&inner) } else { None }
        }
        _ => None,
    }
}

/// Longest id that [`leading_id`] takes.
const MAX_ID_BYTES: usize = 256;

/// The text below `id` of a JSON map that begins with it. Costs as much as the id is long, however long the map is.
pub(crate) fn leading_id(text: &str) -> Option<&str> {
    let tokens = ["{", "\"id\"", ":", "\""];
    let rest = tokens.iter().try_fold(text, |rest, token| rest.trim_start().strip_prefix(token))?;
    let (id, _) = rest.split_at(rest.as_bytes().iter().take(MAX_ID_BYTES).position(|byte| *byte == b'"')?);
    (!id.is_empty() && !id.contains('\\')).then_some(id)
}

/// The value below `key` of a map.
pub(crate) fn field<'v, 'a>(map: &'v Value<'a>, key: &str) -> Option<&'v Value<'a>> {
    match map {
        Value::Map(entries) => find(entries, key),
        _ => None,
    }
}

/// The value at the end of a path of keys.
pub(crate) fn at<'v, 'a>(map: &'v Value<'a>, path: &[&str]) -> Option<&'v Value<'a>> {
    path.iter().try_fold(map, |map, key| field(map, key))
}

/// A value straight from JSON.
struct Json(Value<'static>);

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor).map(Self)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Value<'static>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Value::Empty)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Self::Value, E> {
        Ok(Value::Bool(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Value::Int(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(number).map_or(Value::Double(number as f64), Value::Int))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Value::Double(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Value::Str(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Json(value)) = list.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, Json(value))) = map.next_entry::<String, Json>()? {
            entries.push(Attribute { key: Cow::Owned(key), value });
        }
        Ok(Value::Map(entries))
    }
}

fn from_json(text: &str) -> Option<Value<'static>> {
    serde_json::from_str(text).ok().map(|Json(value)| value)
}

/// JSON of what Python's `repr` shows of a dictionary (LangSmith and LiteLLM send those): single quotes, `None`, `True`.
fn from_python(text: &str) -> Option<String> {
    let mut json = String::with_capacity(text.len() + 16);
    let mut rest = text.chars();
    let mut word = String::new();
    while let Some(next) = rest.next() {
        if next.is_ascii_alphanumeric() {
            word.push(next);
            continue;
        }
        push_word(&mut json, &mut word);
        match next {
            '\'' | '"' => json.push_str(&python_text(next, &mut rest)?),
            other => json.push(other),
        }
    }
    push_word(&mut json, &mut word);
    Some(json)
}

fn push_word(json: &mut String, word: &mut String) {
    json.push_str(match word.as_str() {
        "None" => "null",
        "True" => "true",
        "False" => "false",
        other => other,
    });
    word.clear();
}

/// The rest of a Python text up to its closing quote, as a JSON text.
fn python_text(quote: char, rest: &mut std::str::Chars<'_>) -> Option<String> {
    let mut text = String::new();
    loop {
        match rest.next()? {
            next if next == quote => return serde_json::to_string(&text).ok(),
            '\\' => match rest.next()? {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                other => text.push(other),
            },
            other => text.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_are_read_in_every_form_that_clients_send() {
        let plain = parse(r#"{"cache_read": 5, "deep": {"x": [1.5, null]}}"#).unwrap();
        assert_eq!(field(&plain, "cache_read"), Some(&Value::Int(5)));
        assert_eq!(
            at(&plain, &["deep", "x"]).unwrap(),
            &Value::Array(vec![Value::Double(1.5), Value::Empty])
        );
        let twice = parse(r#""{\"input\": 7}""#).unwrap();
        assert_eq!(field(&twice, "input"), Some(&Value::Int(7)));
        let python = parse(r#"{'cache_read': 5, 'on': True, 'none': None, 'it\'s': "it's"}"#).unwrap();
        assert_eq!(field(&python, "cache_read"), Some(&Value::Int(5)));
        assert_eq!(field(&python, "on"), Some(&Value::Bool(true)));
        assert_eq!(field(&python, "it's"), Some(&Value::from("it's")));
    }

    #[test]
    fn what_is_no_map_or_too_long_is_nothing() {
        for text in ["", "  ", "7", "gpt-4o", "{\"a\": ", "{'a': ", "\"text\"", "[[[[", "{'\\"] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse(&"[".repeat(10_000)), None, "too deep");
        assert_eq!(parse(&format!("[{}1]", " ".repeat(MAX_JSON_BYTES))), None, "too long");
    }
}
