//! The columns of a batch: every text and every JSON that PostgreSQL gets, and the memory that they take.

use std::ops::Range;

use llm_observatory_core::text::Text;
use llm_observatory_storage::models::attributes::{Attributes, ValueColumns};
use llm_observatory_storage::models::trace::Nested;
use llm_observatory_storage::models::{ResourceRow, ScopeRow};
use serde_json::Value;

/// Checks columns as they are shown to it, and adds up their memory.
#[derive(Debug)]
pub(super) struct Columns {
    request: Range<*const u8>,
    /// Bytes that were allocated for the rows and columns so far.
    pub(super) held: usize,
}

impl Columns {
    /// Columns of which some are slices of the request.
    pub(super) fn of(request: &[u8]) -> Self {
        Self { request: request.as_ptr_range(), held: 0 }
    }

    /// Rows of one kind.
    pub(super) fn rows<R>(&mut self, rows: &[R]) {
        self.held += size_of_val(rows);
    }

    /// The dictionaries that every signal has.
    pub(super) fn dictionaries(&mut self, resources: &[ResourceRow], scopes: &[ScopeRow]) {
        self.rows(resources);
        self.rows(scopes);
        for resource in resources {
            self.attributes(&resource.attributes);
            self.text(&resource.service_name);
            self.text(&resource.schema_url);
            self.bytes(&resource.entity_refs);
        }
        for scope in scopes {
            self.attributes(&scope.attributes);
            [&scope.name, &scope.version, &scope.schema_url].into_iter().for_each(|text| self.text(text));
        }
    }

    /// A `text` column.
    pub(super) fn text(&mut self, text: &Text) {
        self.plain_text(text.as_bytes());
    }

    /// The two columns of an attribute list.
    pub(super) fn attributes(&mut self, attributes: &Attributes) {
        assert!(self.json(&attributes.json).is_object());
        self.bytes(&attributes.layout);
    }

    /// The two columns of messages that stay with their row.
    pub(super) fn nested(&mut self, nested: &Nested) {
        assert!(self.json(&nested.json).is_array());
        self.bytes(&nested.otlp);
    }

    /// The three columns of a value.
    pub(super) fn value(&mut self, value: &ValueColumns) {
        value.text.iter().for_each(|text| self.plain_text(text));
        value.json.iter().for_each(|json| _ = self.json(json));
        self.bytes(&value.exact);
    }

    fn plain_text(&mut self, text: &[u8]) {
        let text_of = std::str::from_utf8(text).expect("a text is UTF-8");
        assert!(!text_of.contains('\0'), "a text holds NUL: {text_of:?}");
        self.bytes(text);
    }

    /// JSON as jsonb takes it. The parser checks that numbers are finite and that surrogates come in pairs.
    fn json(&mut self, json: &[u8]) -> Value {
        self.bytes(json);
        let value = serde_json::from_slice(json)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(json)));
        assert!(!has_nul(&value), "jsonb can't hold NUL: {value}");
        value
    }

    fn bytes(&mut self, bytes: &[u8]) {
        if !self.request.contains(&bytes.as_ptr()) {
            self.held += bytes.len();
        }
    }
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(has_nul),
        Value::Object(entries) => entries.iter().any(|(key, value)| key.contains('\0') || has_nul(value)),
        _ => false,
    }
}

/// JSON as jsonb writes it out again: keys by length, then by bytes, the last of equal ones; numbers without exponent, and
/// no negative zero.
pub(super) fn through_jsonb(json: &[u8]) -> Vec<u8> {
    let mut out = String::new();
    write(&serde_json::from_slice(json).expect("it was parsed before"), &mut out);
    out.into_bytes()
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Array(values) => {
            separated('[', values, ']', out, write);
        }
        Value::Object(entries) => {
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_by(|(a, _), (b, _)| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
            separated('{', entries, '}', out, |(key, value), out| {
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                write(value, out);
            });
        }
        Value::Number(number) if number.is_f64() => {
            let number = number.as_f64().unwrap_or_default();
            let text = number.abs().to_string(); // Rust writes no exponents
            let is_whole = !text.contains('.');
            out.push_str(if number < 0.0 { "-" } else { "" });
            out.push_str(&text);
            // jsonb keeps the scale: it was 1.0 and stays it. A positive exponent leaves no fraction.
            out.push_str(if is_whole && number.abs() < 1e16 { ".0" } else { "" });
        }
        value => out.push_str(&value.to_string()),
    }
}

fn separated<T>(
    open: char,
    items: impl IntoIterator<Item = T>,
    close: char,
    out: &mut String,
    write: impl Fn(T, &mut String),
) {
    out.push(open);
    for (n, item) in items.into_iter().enumerate() {
        out.push_str(if n > 0 { "," } else { "" });
        write(item, out);
    }
    out.push(close);
}
