//! The catalogue that is compiled in. `make prices` makes its file; `crates/genai/prices/make.py` says out of what.

use std::sync::LazyLock;

use super::price::Price;
use super::text::{Entry, entries};

const TEXT: &str = include_str!("../../prices/catalogue.tsv");

/// Prices, and other names of their models.
pub(super) struct Catalogue {
    pub(super) prices: Vec<Price>,
    pub(super) aliases: Vec<Alias>,
}

/// Another name of a model.
pub(super) struct Alias {
    pub(super) provider: &'static str,
    /// The other name. A `*` at the end stands for anything.
    pub(super) alias: &'static str,
    /// The name that the prices have.
    pub(super) model: &'static str,
}

/// Read once, by the first who asks: about ten milliseconds.
pub(super) static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    let mut catalogue = Catalogue { prices: Vec::new(), aliases: Vec::new() };
    // A test reads the whole file, so that no line is left out here.
    for (_, entry) in entries(TEXT, None).flatten() {
        match entry {
            Entry::Price(price) => catalogue.prices.push(price),
            Entry::Alias { provider, alias, model } => {
                catalogue.aliases.push(Alias { provider, alias, model })
            }
        }
    }
    catalogue
});

/// What the catalogue was made of, and when: the head of its file.
pub fn about() -> &'static str {
    TEXT.lines().next().unwrap_or_default().trim_start_matches('#').trim()
}

/// All prices of the catalogue, in the order of its file.
pub fn catalogue() -> &'static [Price] {
    &CATALOGUE.prices
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::prices::text::write;

    fn lines() -> impl Iterator<Item = &'static str> {
        TEXT.lines().filter(|line| !line.starts_with('#'))
    }

    #[test]
    fn every_line_is_read_and_written_back_as_it_is() {
        let mut read = 0;
        for (line, entry) in lines().zip(entries(TEXT, None)) {
            if let (_, Entry::Price(price)) = entry.unwrap() {
                assert_eq!(write(&price), line);
            }
            read += 1;
        }
        assert_eq!(read, lines().count());
        assert!(CATALOGUE.prices.len() > 4000 && CATALOGUE.aliases.len() > 1000);
        assert!(about().contains("genai-prices==") && about().contains("as of 2"), "{}", about());
    }

    #[test]
    fn lines_are_sorted_and_say_each_thing_once() {
        let keys: Vec<Vec<&str>> = lines().map(|line| line.split('\t').take(3).collect()).collect();
        for pair in keys.windows(2) {
            assert!(pair[0] < pair[1], "{pair:?}");
        }
        // A name is that of a price or an alias, never both, and an alias leads to a price.
        let name = |provider, model| (provider, model);
        let priced: BTreeSet<_> =
            CATALOGUE.prices.iter().map(|price| name(&*price.provider, &*price.model)).collect();
        for alias in &CATALOGUE.aliases {
            assert!(!priced.contains(&name(alias.provider, alias.alias)), "{}", alias.alias);
            assert!(priced.contains(&name(alias.provider, alias.model)), "{}", alias.alias);
        }
    }

    #[test]
    fn names_stand_as_they_are_looked_for() {
        for price in &CATALOGUE.prices {
            assert_eq!(&*price.provider, &*crate::prices::providers::canonical(&price.provider));
            assert_eq!(&*price.model, price.model.to_lowercase());
        }
        let ids: BTreeSet<i64> = CATALOGUE.prices.iter().map(Price::id).collect();
        assert_eq!(ids.len(), CATALOGUE.prices.len());
    }
}
