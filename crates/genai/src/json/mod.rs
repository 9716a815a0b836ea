//! JSON inside attributes, read within bounds. It never fails: what can't be read is `None`.

mod parser;
mod python;
mod tree;

use std::borrow::Cow;

use llm_observatory_core::attributes::{Value, find};

pub(crate) use tree::{Json, quote};

/// Longest text that is read as JSON for a reading: usage, parameters, metadata. They take some hundred bytes; what is
/// longer is something else.
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
pub(crate) fn parse(text: &str) -> Option<Value<'_>> {
    let text = text.trim();
    if text.len() > MAX_JSON_BYTES {
        return None;
    }
    match text.as_bytes().first()? {
        b'{' | b'[' => nest(text).or_else(|| Some(nest(&python::as_json(text)?)?.to_static())),
        // MLflow and old Langfuse SDKs encode twice.
        b'"' => nest(Json::parse(text)?.text()?).map(|inner| inner.to_static()),
        _ => None,
    }
}

/// The text that a JSON text holds.
pub(crate) fn text(json: &str) -> Option<Cow<'_, str>> {
    match Json::parse(json)? {
        Json::Text(text) => Some(text),
        _ => None,
    }
}

fn nest(text: &str) -> Option<Value<'_>> {
    Json::parse_nest(text).map(Json::into_value)
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
