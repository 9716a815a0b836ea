//! The attributes by their keys, sorted, so that a key or a family of indexed keys is found without a scan.

use llm_observatory_core::attributes::{Attribute, Value};

use super::json::Json;
use super::placeholder::is_placeholder;

/// Most rows of one family of indexed keys; rows beyond are not shown.
pub(super) const MAX_ROWS: usize = 100_000;

/// Attributes sorted by key; of duplicates the last is kept.
#[derive(Debug, Default)]
pub(super) struct Keys<'a>(Vec<(&'a str, &'a Value<'a>)>);

impl<'a> Keys<'a> {
    /// All attributes that have a value.
    pub(super) fn of(attributes: &'a [Attribute<'a>]) -> Self {
        let filled = attributes.iter().rev().filter(|attribute| attribute.value != Value::Empty);
        let mut keys: Vec<_> = filled.map(|attribute| (&*attribute.key, &attribute.value)).collect();
        keys.sort_by_key(|(key, _)| *key);
        keys.dedup_by_key(|(key, _)| *key);
        Self(keys)
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&'a Value<'a>> {
        self.0.binary_search_by_key(&key, |(key, _)| key).ok().map(|at| self.0[at].1)
    }

    /// The text of a key, unless it is empty or a placeholder.
    pub(super) fn text(&self, key: &str) -> Option<&'a str> {
        self.get(key)?.as_str().filter(|text| !is_placeholder(text))
    }

    /// The value of a key as JSON, unless it is null or a placeholder. A text is read as JSON if it is JSON.
    pub(super) fn document(&self, key: &str) -> Option<Json<'a>> {
        let json = Json::document(self.get(key)?);
        match &json {
            Json::Text(text) if is_placeholder(text) => None,
            json if json.is_null() => None,
            _ => Some(json),
        }
    }

    /// The rows of a family of indexed keys, by their number: `prefix` is `llm.input_messages.`, and the keys of a row
    /// are what follows its number. The cost depends on the keys that are there, not on their numbers.
    pub(super) fn rows(&self, prefix: &str) -> Vec<Self> {
        let start = self.0.partition_point(|(key, _)| *key < prefix);
        let mut rows: Vec<(u64, Self)> = Vec::new();
        for (key, value) in &self.0[start..] {
            let Some(rest) = key.strip_prefix(prefix) else { break };
            let Some((number, rest)) = rest.split_once('.') else { continue };
            let Some(number) = canonical(number) else { continue };
            // Keys of one row stand together, since '.' sorts before all digits.
            match rows.last_mut() {
                Some((last, row)) if *last == number => row.0.push((rest, value)),
                _ => rows.push((number, Self(vec![(rest, value)]))),
            }
        }
        rows.sort_by_key(|(number, _)| *number);
        rows.into_iter().take(MAX_ROWS).map(|(_, row)| row).collect()
    }
}

/// The number, if it is written without leading zeros.
fn canonical(digits: &str) -> Option<u64> {
    let well_written = digits == "0" || digits.starts_with(|c: char| ('1'..='9').contains(&c));
    digits.parse().ok().filter(|_| well_written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_in_the_order_of_their_numbers() {
        let attributes = [
            Attribute::new("p.10.role", "c"),
            Attribute::new("p.2.role", "b"),
            Attribute::new("p.4000000000000.role", "d"),
            Attribute::new("p.0.tools.1.id", "t1"),
            Attribute::new("p.0.tools.0.id", "t0"),
            Attribute::new("p.0.role", "old"),
            Attribute::new("p.0.role", "a"),
            Attribute::new("p.name", "no row"),
            Attribute::new("p.007.role", "no row"),
            Attribute::new("p.99999999999999999999999.role", "no row"),
            Attribute::new("pp.0.role", "another family"),
        ];
        let keys = Keys::of(&attributes);
        let roles: Vec<_> = keys.rows("p.").iter().map(|row| row.text("role").unwrap()).collect();
        assert_eq!(roles, ["a", "b", "c", "d"]);
        let ids: Vec<_> =
            keys.rows("p.")[0].rows("tools.").iter().map(|row| row.text("id").unwrap()).collect();
        assert_eq!(ids, ["t0", "t1"]);
    }
}
