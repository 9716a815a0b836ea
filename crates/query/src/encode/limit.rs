//! Cuts values that exceed the caller's limit, and marks them as cut.

use std::num::NonZeroU32;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};

/// The most bytes of a text or byte string within a value of an answer. The default is no limit.
///
/// It applies to attribute values and log bodies, at any depth, and to nothing else. A longer text or byte string is
/// cut to the limit (a text before the character that would cross it), and the mark `<cut: 5242880 bytes>` follows with
/// the full length. The mark makes every cut value longer than the limit, so a caller recognises cut values by their
/// length.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ValueLimit(Option<NonZeroU32>);

impl From<u32> for ValueLimit {
    /// A limit of `bytes`; 0 means no limit.
    fn from(bytes: u32) -> Self {
        Self(NonZeroU32::new(bytes))
    }
}

impl ValueLimit {
    /// Cuts the values of an attribute list.
    pub(crate) fn cut_attributes(self, attributes: &mut [KeyValue]) {
        if self.0.is_some() {
            attributes
                .iter_mut()
                .filter_map(|attribute| attribute.value.as_mut())
                .for_each(|value| self.cut(value));
        }
    }

    /// Cuts a text or byte string, and those within an array or map.
    pub(crate) fn cut(self, value: &mut AnyValue) {
        // A limit beyond `usize` is more than the length of any value.
        let Some(limit) = self.0.map(|limit| usize::try_from(limit.get()).unwrap_or(usize::MAX)) else {
            return;
        };
        match &mut value.value {
            Some(Value::StringValue(text)) => self.cut_text(text),
            Some(Value::BytesValue(bytes)) if bytes.len() > limit => {
                let mark = mark(bytes.len());
                bytes.truncate(limit);
                bytes.extend_from_slice(mark.as_bytes());
            }
            Some(Value::ArrayValue(array)) => array.values.iter_mut().for_each(|value| self.cut(value)),
            Some(Value::KvlistValue(list)) => self.cut_attributes(&mut list.values),
            _ => {}
        }
    }

    /// Cuts a text.
    pub(crate) fn cut_text(self, text: &mut String) {
        let limit = self.0.map(|limit| usize::try_from(limit.get()).unwrap_or(usize::MAX));
        if let Some(limit) = limit.filter(|limit| text.len() > *limit) {
            let mark = mark(text.len());
            text.truncate(text.floor_char_boundary(limit));
            text.push_str(&mark);
        }
    }
}

fn mark(bytes: usize) -> String {
    format!("<cut: {bytes} bytes>")
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::common::v1::{ArrayValue, KeyValueList};

    use super::*;

    fn cut(value: Value, limit: u32) -> Value {
        let mut value = AnyValue { value: Some(value) };
        ValueLimit::from(limit).cut(&mut value);
        value.value.unwrap()
    }

    #[test]
    fn long_values_are_cut_and_marked_at_any_depth() {
        let text = |text: &str| Value::StringValue(text.to_owned());
        assert_eq!(cut(text("12345678"), 8), text("12345678"));
        assert_eq!(cut(text("123456789"), 8), text("12345678<cut: 9 bytes>"));
        assert_eq!(cut(text("1234567\u{20ac}"), 8), text("1234567<cut: 10 bytes>"), "characters stay whole");
        assert_eq!(cut(text("123456789"), 0), text("123456789"), "0 is no limit");
        assert_eq!(
            cut(Value::BytesValue(vec![0xff; 3]), 2),
            Value::BytesValue(b"\xff\xff<cut: 3 bytes>".to_vec())
        );
        assert_eq!(cut(Value::IntValue(i64::MAX), 1), Value::IntValue(i64::MAX));

        let list = |inner: &str| {
            let values = vec![KeyValue {
                key: "a long key".to_owned(),
                value: Some(AnyValue { value: Some(text(inner)) }),
                ..KeyValue::default()
            }];
            let map = AnyValue { value: Some(Value::KvlistValue(KeyValueList { values })) };
            Value::ArrayValue(ArrayValue { values: vec![map, AnyValue::default()] })
        };
        assert_eq!(cut(list("inner"), 3), list("inn<cut: 5 bytes>"), "keys stay whole");
    }

    #[test]
    fn a_text_longer_than_the_limit_was_cut() {
        for limit in 1..40 {
            for length in 0..60 {
                let whole = "\u{1f980}".repeat(length);
                let Value::StringValue(text) = cut(Value::StringValue(whole.clone()), limit) else {
                    panic!("no text")
                };
                assert_eq!(text.len() > limit as usize, text != whole, "{text}");
            }
        }
    }
}
