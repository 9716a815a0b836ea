//! Attribute values in the forms that clients send them: numbers as texts, lists as JSON, lists with commas.

use std::borrow::Cow;

use llm_observatory_core::attributes::Value;

use crate::json;

/// Most tokens that one call may tell. What is more is an error of the sender; sums and costs of such counts would overflow.
pub(crate) const MAX_TOKENS: i64 = 1_000_000_000_000;

/// Longest text of a field that people filter by, in bytes; what is longer is cut. PostgreSQL's indexes hold 2,700 bytes.
pub(crate) const MAX_TEXT_BYTES: usize = 512;

/// Most entries of a list: tags, finish reasons, texts that end an answer.
pub(crate) const MAX_LIST: usize = 64;

/// What instrumentations write where they have nothing to tell, or do not want to tell it.
const PLACEHOLDERS: &[&str] = &[
    "[REDACTED]",
    "<REDACTED>",
    "__REDACTED__",
    "<elided>",
    "<not specified>",
    "<not serializable>",
    "N/A",
    "None",
    "null",
    "undefined",
];

/// What Logfire writes in place of what looks like a secret.
const SCRUBBED: &str = "[Scrubbed due to";

/// The text, without the quotes of a JSON text, at most [`MAX_TEXT_BYTES`]; `None` if it is empty or a placeholder.
/// Numbers and truth values are told as texts.
pub(crate) fn text<'v>(value: &'v Value<'_>) -> Option<Cow<'v, str>> {
    match value {
        Value::Str(text) => plain(text),
        Value::Int(number) => Some(Cow::Owned(number.to_string())),
        Value::Double(number) if number.is_finite() => Some(Cow::Owned(number.to_string())),
        Value::Bool(truth) => Some(Cow::Borrowed(if *truth { "true" } else { "false" })),
        _ => None,
    }
}

fn plain(text: &str) -> Option<Cow<'_, str>> {
    let text = text.trim();
    let text = match text.as_bytes() {
        [b'"', inner @ .., b'"'] if !inner.contains(&b'\\') && !inner.contains(&b'"') => {
            Cow::Borrowed(text[1..text.len() - 1].trim())
        }
        [b'"', .., b'"'] if text.len() <= json::MAX_JSON_BYTES => {
            json::text(text).unwrap_or(Cow::Borrowed(text))
        }
        _ => Cow::Borrowed(text),
    };
    let absent = text.is_empty()
        || matches!(text.as_bytes()[0], b'[' | b'<' | b'_' | b'N' | b'n' | b'u')
            && (PLACEHOLDERS.contains(&&*text) || text.starts_with(SCRUBBED));
    (!absent).then(|| cut(text))
}

/// The text inside a JSON text.
pub(crate) fn unquoted(value: &Value<'_>) -> Option<Cow<'static, str>> {
    match value {
        Value::Str(text) if text.starts_with('"') && text.len() <= json::MAX_JSON_BYTES => {
            json::text(text).map(|text| Cow::Owned(text.into_owned()))
        }
        _ => None,
    }
}

/// The text, cut to [`MAX_TEXT_BYTES`] between two characters.
fn cut(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(short(text)),
        Cow::Owned(mut text) => {
            text.truncate(short(&text).len());
            Cow::Owned(text)
        }
    }
}

/// The beginning of a text, at most [`MAX_TEXT_BYTES`].
pub(crate) fn short(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_TEXT_BYTES)]
}

/// A count of tokens: a whole number from zero to [`MAX_TOKENS`], as a number or a text.
pub(crate) fn count(value: &Value<'_>) -> Option<i64> {
    whole(value).filter(|count| (0..=MAX_TOKENS).contains(count))
}

/// A whole number, as a number or a text.
pub(crate) fn whole(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        Value::Double(number) => whole_double(*number),
        Value::Str(text) => {
            let text = bare(text);
            text.parse().ok().or_else(|| text.parse().ok().and_then(whole_double))
        }
        _ => None,
    }
}

fn whole_double(number: f64) -> Option<i64> {
    // Below 9e15 every whole double is exact, so the cast is too. NaN fails both comparisons.
    (number.fract() == 0.0 && number.abs() < 9.0e15).then_some(number as i64)
}

/// A finite number, as a number or a text.
pub(crate) fn number(value: &Value<'_>) -> Option<f64> {
    let number = match value {
        Value::Int(number) => *number as f64,
        Value::Double(number) => *number,
        Value::Str(text) => bare(text).parse().ok()?,
        _ => return None,
    };
    number.is_finite().then_some(number)
}

/// A truth value, as such or as a text in any case.
pub(crate) fn truth(value: &Value<'_>) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::Str(text) => match bare(text) {
            "true" | "True" | "TRUE" => Some(true),
            "false" | "False" | "FALSE" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn bare(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).map_or(text, str::trim)
}

/// The texts of a list: a list, JSON of one, texts with commas between them, or one text. At most [`MAX_LIST`] of them.
pub(crate) fn list(value: &Value<'_>, mut take: impl FnMut(&str)) {
    match value {
        Value::Array(values) => {
            values.iter().filter_map(text).take(MAX_LIST).for_each(|text| take(&text));
        }
        Value::Str(joined) if joined.trim_start().starts_with('[') => {
            if let Some(Value::Array(values)) = json::parse(joined) {
                values.iter().filter_map(text).take(MAX_LIST).for_each(|text| take(&text));
            }
        }
        Value::Str(joined) => {
            // The quotes of a JSON text stand around all of it.
            let one = bare(joined);
            one.split(',').filter_map(plain).take(MAX_LIST).for_each(|text| take(&text));
        }
        _ => {}
    }
}

/// The sum of what is told; `None` if nothing is. Counts are bounded, so that no sum of a few overflows.
pub(crate) fn sum(counts: &[Option<i64>]) -> Option<i64> {
    counts.iter().flatten().copied().reduce(i64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_whole_and_sane() {
        for (value, expected) in [
            (Value::from(7), Some(7)),
            (Value::from(7.0), Some(7)),
            (Value::from(" 7 "), Some(7)),
            (Value::from("\"7\""), Some(7)),
            (Value::from("7.0"), Some(7)),
            (Value::from("1e3"), Some(1000)),
            (Value::from(-1), None),
            (Value::from(7.5), None),
            (Value::from(f64::NAN), None),
            (Value::from(f64::INFINITY), None),
            (Value::from("NaN"), None),
            (Value::from("many"), None),
            (Value::from("99999999999999999999"), None),
            (Value::from(i64::MAX), None),
            (Value::Empty, None),
        ] {
            assert_eq!(count(&value), expected, "{value:?}");
        }
    }

    #[test]
    fn texts_lose_quotes_and_placeholders() {
        assert_eq!(text(&Value::from("\"gpt-4o\"")).as_deref(), Some("gpt-4o"));
        assert_eq!(text(&Value::from(r#""a \"b\"""#)).as_deref(), Some("a \"b\""));
        assert_eq!(text(&Value::from(3)).as_deref(), Some("3"));
        for absent in ["", "  ", "<elided>", "N/A", "None", "\"\"", "[Scrubbed due to 'session']"] {
            assert_eq!(text(&Value::from(absent)), None, "{absent}");
        }
        let long = text(&Value::from("ä".repeat(9_999))).map(|text| text.len());
        assert_eq!(long, Some(MAX_TEXT_BYTES));
    }

    #[test]
    fn lists_are_read_in_every_form_that_clients_send() {
        let read = |value: Value<'_>| {
            let mut texts = Vec::new();
            list(&value, |text| texts.push(text.to_owned()));
            texts
        };
        assert_eq!(read(Value::from(vec![Value::from("a"), Value::from("b")])), ["a", "b"]);
        assert_eq!(read(Value::from(r#"["a", "b"]"#)), ["a", "b"]);
        assert_eq!(read(Value::from("a, b")), ["a", "b"]);
        assert_eq!(read(Value::from("\"stop\"")), ["stop"]);
        assert_eq!(read(Value::from("['a', 'b']")), ["a", "b"]);
        assert_eq!(read(Value::from("[broken")), [""; 0]);
        assert_eq!(read(Value::from(vec![Value::from("a"); 5_000])).len(), MAX_LIST);
    }
}
