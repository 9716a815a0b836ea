//! JSON as content has it: what it says about tools, and texts that may hold some.

use std::borrow::Cow;

use llm_observatory_core::attributes::Value;

use super::placeholder::is_placeholder;

pub(crate) use crate::json::{Json, quote};

impl<'a> Json<'a> {
    /// Appends a text that may be JSON to a JSON text: a list or map as it is, anything else as a JSON string, so that
    /// [`Self::arguments`] gives back the same text. `outer` is how many lists and maps are around it.
    pub(crate) fn embed(text: &str, outer: usize, out: &mut String) {
        let is_nest = text.starts_with(['{', '[']) && text.ends_with(['}', ']']);
        match Json::parse_inside(text, outer).filter(|_| is_nest) {
            Some(_) => out.push_str(text),
            None => quote(text, out),
        }
    }

    /// As [`Self::embed`], but any JSON stays as it is, so that [`Self::result`] gives back the same text.
    pub(crate) fn embed_result(text: &str, outer: usize, out: &mut String) {
        match Json::parse_inside(text, outer) {
            Some(_) => out.push_str(text),
            None => quote(text, out),
        }
    }

    /// An attribute's value, whose text is read as JSON if it is JSON: most libraries can't send anything but texts.
    pub(crate) fn document(value: &'a Value<'a>) -> Self {
        match value {
            Value::Str(text) => Self::parse(text).unwrap_or(Self::Text(Cow::Borrowed(text))),
            _ => Self::of(value),
        }
    }

    /// Arguments of a tool: JSON as it was sent, also where it was sent as a text. Empty if nothing was told.
    pub(crate) fn arguments(&self) -> String {
        match self {
            Self::Text(text) if is_placeholder(text) => String::new(),
            Self::Text(text) => text.clone().into_owned(),
            _ => self.to_json(),
        }
    }

    /// Result of a tool as JSON: a text that holds a list or map is that one, any other text is a JSON string. Empty if
    /// the text is a placeholder.
    pub(crate) fn result(&self) -> String {
        match self {
            Self::Text(text) if is_placeholder(text) && !text.is_empty() => String::new(),
            Self::Text(text) if Json::parse_nest(text).is_some() => text.trim().to_owned(),
            _ => self.to_json(),
        }
    }
}
