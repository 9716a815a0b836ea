//! Reads JSON texts.

use std::borrow::Cow;

use super::tree::{Json, MAX_DEPTH};

/// Most values in one JSON text. A text with more is shown as text: the tree of such a one would take some 100 MB.
const MAX_VALUES: usize = 1_000_000;

impl<'a> Json<'a> {
    /// The JSON in `text`; `None` if it is none, or is nested too deep, or holds too many values.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        Self::parse_inside(text, 0)
    }

    /// The JSON in `text`, if it fits into `outer` lists and maps around it.
    pub(crate) fn parse_inside(text: &'a str, outer: usize) -> Option<Self> {
        let mut parser = Parser { text, at: 0, values_left: MAX_VALUES };
        let json = parser.value(outer)?;
        parser.skip_space();
        (parser.at == text.len()).then_some(json)
    }

    /// The list or map in `text`; `None` if it is anything else.
    pub(crate) fn parse_nest(text: &'a str) -> Option<Self> {
        let starts_one = text.trim_start().starts_with(['{', '[']);
        if starts_one { Self::parse(text) } else { None }
    }
}

/// Reads JSON by RFC 8259. Every value is looked at once, so the cost is linear in the text.
struct Parser<'a> {
    text: &'a str,
    at: usize,
    values_left: usize,
}

impl<'a> Parser<'a> {
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.byte() {
            self.at += 1;
        }
    }

    /// Goes past `byte` and the space before it, if it is next.
    fn take(&mut self, byte: u8) -> bool {
        self.skip_space();
        let next = self.byte() == Some(byte);
        self.at += usize::from(next);
        next
    }

    fn value(&mut self, depth: usize) -> Option<Json<'a>> {
        self.values_left = self.values_left.checked_sub(1)?;
        self.skip_space();
        let start = self.at;
        match self.byte()? {
            b'"' => Some(Json::Text(self.string()?)),
            b'[' if depth < MAX_DEPTH => {
                let mut items = Vec::new();
                self.at += 1;
                if !self.take(b']') {
                    loop {
                        items.push(self.value(depth + 1)?);
                        if self.take(b']') {
                            break;
                        }
                        self.take(b',').then_some(())?;
                    }
                }
                Some(Json::List(items, Some(&self.text[start..self.at])))
            }
            b'{' if depth < MAX_DEPTH => {
                let mut fields = Vec::new();
                self.at += 1;
                if !self.take(b'}') {
                    loop {
                        fields.push(self.pair(depth)?);
                        if self.take(b'}') {
                            break;
                        }
                        self.take(b',').then_some(())?;
                    }
                }
                Some(Json::Map(fields, Some(&self.text[start..self.at])))
            }
            b'-' | b'0'..=b'9' => self.number(),
            _ => self.word(),
        }
    }

    fn pair(&mut self, depth: usize) -> Option<(Cow<'a, str>, Json<'a>)> {
        self.skip_space();
        let key = if self.byte()? == b'"' { self.string()? } else { return None };
        self.take(b':').then_some(())?;
        Some((key, self.value(depth + 1)?))
    }

    fn word(&mut self) -> Option<Json<'a>> {
        let rest = &self.text[self.at..];
        let word = ["null", "true", "false"].into_iter().find(|word| rest.starts_with(word))?;
        self.at += word.len();
        Some(Json::Literal(Cow::Borrowed(word)))
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.byte() {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    fn number(&mut self) -> Option<Json<'a>> {
        let start = self.at;
        self.at += usize::from(self.byte() == Some(b'-'));
        if self.byte() == Some(b'0') {
            self.at += 1
        } else {
            self.digits()?
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.byte() {
            self.at += 1;
            self.at += usize::from(matches!(self.byte(), Some(b'+' | b'-')));
            self.digits()?;
        }
        Some(Json::Literal(Cow::Borrowed(&self.text[start..self.at])))
    }

    /// A string, whose opening quote is next.
    fn string(&mut self) -> Option<Cow<'a, str>> {
        self.at += 1;
        let mut plain = self.at;
        let mut unescaped: Option<String> = None;
        loop {
            let rest = &self.text.as_bytes()[self.at..];
            self.at += rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))?;
            let part = &self.text[plain..self.at];
            match self.byte()? {
                b'"' => {
                    self.at += 1;
                    return Some(match unescaped {
                        None => Cow::Borrowed(part),
                        Some(text) => Cow::Owned(text + part),
                    });
                }
                b'\\' => {
                    self.at += 1;
                    let text = unescaped.get_or_insert_default();
                    text.push_str(part);
                    text.push(self.escaped()?);
                    plain = self.at;
                }
                _ => return None,
            }
        }
    }

    /// The character of an escape, whose backslash is behind.
    fn escaped(&mut self) -> Option<char> {
        let letter = self.byte()?;
        self.at += 1;
        Some(match letter {
            b'"' | b'\\' | b'/' => letter as char,
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.unit()?;
                let next = self.at;
                match unit {
                    0xd800..0xdc00 if self.text[next..].starts_with("\\u") => {
                        self.at += 2;
                        match self.unit()? {
                            low @ 0xdc00..0xe000 => {
                                char::from_u32(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00))?
                            }
                            // Half a pair, as of an emoji that a stream cut in two; the next escape is its own.
                            _ => {
                                self.at = next;
                                char::REPLACEMENT_CHARACTER
                            }
                        }
                    }
                    _ => char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER),
                }
            }
            _ => return None,
        })
    }

    fn unit(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        self.at += 4;
        if digits.starts_with('+') { None } else { u32::from_str_radix(digits, 16).ok() }
    }
}

#[cfg(test)]
mod tests {
    use llm_observatory_core::attributes::Value;

    use super::*;
    use crate::json::quote;

    #[test]
    fn nests_keep_the_text_that_was_sent() {
        let json = Json::parse(r#" {"a": [1.0, "x\n\u00e9\ud83d\ude00"], "b": {"z": 1, "a": 2}} "#).unwrap();
        assert_eq!(json.get("b").unwrap().to_json(), r#"{"z": 1, "a": 2}"#);
        let items = json.get("a").unwrap().items().unwrap();
        assert_eq!(items[0].to_json(), "1.0");
        assert_eq!(items[1].text(), Some("x\né😀"));
        assert_eq!(items[1].to_json(), "\"x\\né😀\"");
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for text in [
            "",
            "{",
            "[1,]",
            "{\"a\"}",
            "01",
            "1.",
            "nul",
            "'a'",
            "\"a\nb\"",
            "[1] x",
            "\"\\x\"",
            "\"\\u+123\"",
            "NaN",
        ] {
            assert_eq!(Json::parse(text), None, "{text}");
        }
        assert_eq!(Json::parse("\"\\ud83d!\"").unwrap().text(), Some("\u{fffd}!"));
        assert_eq!(Json::parse("\"\\ud83d\\u0041\"").unwrap().text(), Some("\u{fffd}A"));
    }

    #[test]
    fn depth_and_number_of_values_have_limits() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(Json::parse(&nested(MAX_DEPTH)).is_some());
        assert!(Json::parse(&nested(MAX_DEPTH + 1)).is_none());
        assert!(Json::parse(&nested(1_000_000)).is_none());
        assert!(Json::parse(&format!("[{}0]", "0,".repeat(MAX_VALUES))).is_none());
        let mut value = Value::Empty;
        for _ in 0..10_000 {
            value = Value::Array(vec![value]);
        }
        assert!(Json::of(&value).to_json().contains("null"));
    }

    #[test]
    fn serde_agrees_on_every_string() {
        let text: String = (0..0x250).filter_map(char::from_u32).chain(['\u{10ffff}', '\u{2028}']).collect();
        let mut ours = String::new();
        quote(&text, &mut ours);
        assert_eq!(serde_json::from_str::<String>(&ours).unwrap(), text);
        assert_eq!(Json::parse(&serde_json::to_string(&text).unwrap()).unwrap().text(), Some(&*text));
    }
}
