//! JSON inside attributes, read within bounds. It never fails: what can't be read is `None`.

use std::borrow::Cow;

use llm_observatory_core::attributes::{Attribute, Value, find};

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
        b'{' | b'[' => match serde_json::from_str(text) {
            Ok(json) => Some(value(json)),
            Err(_) => serde_json::from_str(&from_python(text)?).ok().map(value),
        },
        // MLflow and old Langfuse SDKs encode twice.
        b'"' => match serde_json::from_str(text).ok()? {
            serde_json::Value::String(inner) if inner.starts_with(['{', '[']) => {
                serde_json::from_str(&inner).ok().map(value)
            }
            _ => None,
        },
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

fn value(json: serde_json::Value) -> Value<'static> {
    match json {
        serde_json::Value::Null => Value::Empty,
        serde_json::Value::Bool(truth) => Value::Bool(truth),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(whole) => Value::Int(whole),
            None => Value::Double(number.as_f64().unwrap_or(f64::NAN)),
        },
        serde_json::Value::String(text) => Value::Str(Cow::Owned(text)),
        serde_json::Value::Array(values) => Value::Array(values.into_iter().map(value).collect()),
        serde_json::Value::Object(map) => Value::Map(
            map.into_iter()
                .map(|(key, json)| Attribute { key: Cow::Owned(key), value: value(json) })
                .collect(),
        ),
    }
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
