//! The fields of a recording, each of which is right, not told, or wrong.

use std::collections::BTreeSet;

use harness::recordings::{Exported, Recording};
use serde_json::{Value, json};

use super::known;

/// The fields of one recording as they are checked.
pub(super) struct Checks<'a> {
    truth: &'a Value,
    pub(super) exported: Exported,
    /// What is checked: the recording, or a call of it.
    pub(super) what: String,
    pub(super) right: usize,
    pub(super) untold: Vec<String>,
    pub(super) wrong: Vec<String>,
    /// Places in [`known::WRONG`].
    pub(super) known: BTreeSet<usize>,
}

impl<'a> Checks<'a> {
    /// No field of the recording yet.
    pub(super) fn of(recording: &'a Recording) -> Self {
        Self {
            truth: &recording.truth,
            exported: Exported::of(recording),
            what: recording.name.clone(),
            right: 0,
            untold: Vec::new(),
            wrong: Vec::new(),
            known: BTreeSet::new(),
        }
    }

    /// Whether the instrumentation does not tell a field.
    pub(super) fn is_untold(&self, field: &str) -> bool {
        self.truth["untold"].get(field).is_some()
    }

    /// Whether a value stands nowhere in the export.
    pub(super) fn is_absent(&self, value: &Value) -> bool {
        !self.exported.holds(value)
    }

    /// Whether a field of a call is not told, and what is summed up or paid depends on it.
    pub(super) fn lacks(&self, call: &Value, field: &str) -> bool {
        let told = call[field].as_i64().filter(|_| call["usage_on_wire"] == true);
        match field {
            "service_tier" => {
                let is_usual = ["default", "standard"].iter().any(|usual| call[field] == *usual);
                !is_usual && (self.is_untold(field) || self.is_absent(&call[field]))
            }
            _ if told == Some(0) => false,
            _ if self.is_untold(field) => true,
            "input_tokens" => told.is_some_and(|input| {
                // It may be told without the cached ones.
                let part = |name: &str| call[name].as_i64().unwrap_or(0);
                let (read, write) = (part("cache_read_tokens"), part("cache_write_tokens"));
                [input, input - read, input - write, input - read - write]
                    .iter()
                    .all(|told| self.is_absent(&json!(told)))
            }),
            _ => self.is_absent(&json!(told)),
        }
    }

    /// Notes that a field is not told.
    pub(super) fn untold(&mut self, field: &str) {
        self.untold.push(field.to_owned());
    }

    /// Compares what each span said of a field with the truth. Null is what is not told; nothing needs to be told of what is
    /// zero or null, and nothing is expected of what stands nowhere in the export.
    pub(super) fn field(&mut self, field: &str, truth: &Value, said: &[Value]) {
        self.field_as(field, truth, truth, said);
    }

    /// The same for a field that the export may tell without its very value; `is_there` says whether it does.
    pub(super) fn field_if(&mut self, is_there: bool, field: &str, truth: &Value, said: &[Value]) {
        match is_there || said.iter().any(|said| !said.is_null()) {
            true => self.field(field, truth, said),
            false => self.untold(field),
        }
    }

    /// The same for a field that the provider tells in another word.
    pub(super) fn field_as(&mut self, field: &str, truth: &Value, word: &Value, said: &[Value]) {
        let mut told = said.iter().filter(|said| !said.is_null()).peekable();
        let is_told = told.peek().is_some();
        if !is_told && (truth.is_null() || *truth == 0) {
            return;
        }
        if is_told && told.all(|said| is_same(said, truth)) {
            self.right += 1;
        } else if self.is_untold(field) || !is_told && self.is_absent(word) {
            self.untold(field);
        } else {
            self.fails(field, &format!("{said:?} NOT {truth}"));
        }
    }

    /// Notes that a field is wrong.
    pub(super) fn fails(&mut self, field: &str, why: &str) {
        match known::place(&self.what, field) {
            Some(place) => _ = self.known.insert(place),
            None => self.wrong.push(format!("{} {field}: {why}", self.what)),
        }
    }
}

/// Whether two values are the same; numbers by what they count.
fn is_same(a: &Value, b: &Value) -> bool {
    a == b || a.as_f64().is_some_and(|a| b.as_f64() == Some(a))
}
