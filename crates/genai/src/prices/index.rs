//! Which price of a layer has a name: hash maps, made once.

use std::collections::HashMap;
use std::iter::once;

use llm_observatory_core::time::UnixNanos;

use super::catalogue::Alias;
use super::found::Rule;
use super::names::{BEDROCK_VENDORS, Form, without_suffixes};
use super::price::{ANY_PROVIDER, Price};
use super::providers::{canonical, is_a_common_client, is_a_maker, lowercase, other_doors};

/// The prices of one layer, by provider and model. It holds places in a list of prices, not the prices.
#[derive(Debug, Default)]
pub(super) struct Index {
    providers: HashMap<Box<str>, Names>,
    /// Who has a price of this name.
    sellers: HashMap<Box<str>, Vec<Box<str>>>,
}

/// The names that one provider has prices of.
#[derive(Debug, Default)]
struct Names {
    names: HashMap<Box<str>, Dated>,
    /// Beginnings of names, the longest first.
    patterns: Vec<(Box<str>, Dated)>,
}

/// The prices of one name, by the moment from which they hold.
#[derive(Debug, Clone, Default)]
struct Dated {
    prices: Vec<(UnixNanos, usize)>,
    is_alias: bool,
}

impl Dated {
    /// The price that holds at this moment.
    fn at(&self, moment: UnixNanos) -> Option<usize> {
        let later = self.prices.partition_point(|(from, _)| *from <= moment);
        later.checked_sub(1).map(|last| self.prices[last].1)
    }
}

impl Index {
    /// The index of these prices, each with its place, and of other names of their models.
    pub(super) fn new<'a>(prices: impl Iterator<Item = (usize, &'a Price)>, aliases: &[Alias]) -> Self {
        let mut index = Self::default();
        let mut prices: Vec<_> = prices.collect();
        // The order in which they were given decides nothing.
        prices.sort_by_key(|(_, price)| (price.valid_from, price.id()));
        for (place, price) in prices {
            let dated = index.entry(&canonical(&price.provider), &lowercase(&price.model));
            dated.prices.push((price.valid_from, place));
        }
        for alias in aliases {
            let target = index.providers.get(alias.provider).and_then(|names| names.names.get(alias.model));
            if let Some(target) = target.cloned() {
                *index.entry(alias.provider, alias.alias) = Dated { is_alias: true, ..target };
            }
        }
        for names in index.providers.values_mut() {
            names.patterns.sort_by(|(a, _), (b, _)| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        }
        index.shorten_names_of_bedrock();
        index.list_sellers();
        index
    }

    fn entry(&mut self, provider: &str, model: &str) -> &mut Dated {
        let names = self.providers.entry(provider.into()).or_default();
        let Some(beginning) = model.strip_suffix('*') else {
            return names.names.entry(model.into()).or_default();
        };
        let at = names.patterns.iter().position(|(known, _)| **known == *beginning).unwrap_or_else(|| {
            names.patterns.push((beginning.into(), Dated::default()));
            names.patterns.len() - 1
        });
        &mut names.patterns[at].1
    }

    /// Some instrumentations of Bedrock cut the vendor off: `claude-...` for `anthropic.claude-...`.
    fn shorten_names_of_bedrock(&mut self) {
        let Some(names) = self.providers.get_mut("aws.bedrock") else { return };
        let mut short: Vec<(Box<str>, Dated)> = Vec::new();
        for (name, dated) in &names.names {
            if let Some((vendor, model)) = name.split_once('.')
                && BEDROCK_VENDORS.contains(&vendor)
            {
                short.push((model.into(), Dated { is_alias: true, ..dated.clone() }));
            }
        }
        // Two vendors may have the same name: then the first one of the alphabet.
        short.sort_by(|(a, one), (b, other)| (a, &one.prices).cmp(&(b, &other.prices)));
        for (name, dated) in short {
            names.names.entry(name).or_insert(dated);
        }
    }

    fn list_sellers(&mut self) {
        for (provider, names) in &self.providers {
            for name in names.names.keys() {
                self.sellers.entry(name.clone()).or_default().push(provider.clone());
            }
        }
    }

    /// Whether there is a price of this provider.
    pub(super) fn knows(&self, provider: &str) -> bool {
        self.providers.contains_key(provider)
    }

    /// The place of the price that has exactly this name.
    pub(super) fn exact(&self, told: Option<&str>, name: &str, start: UnixNanos) -> Option<(usize, Rule)> {
        let form = Form { provider: None, name, prefix: false };
        self.named(told, &form, name, start).map(|(place, is_alias)| {
            let rule = if is_alias { Rule::Alias } else { Rule::Exact };
            (place, rule)
        })
    }

    /// The place of the price of a name, by the first rule that finds one. `forms` is what the name may stand for.
    pub(super) fn loose(
        &self,
        told: Option<&str>,
        forms: &[Form<'_>],
        start: UnixNanos,
    ) -> Option<(usize, Rule)> {
        for form in forms {
            for (cut, name) in without_suffixes(form.name).enumerate() {
                if let Some((place, is_alias)) = self.named(told, form, name, start) {
                    let rule = match (cut > 0, form.prefix, is_alias) {
                        (true, _, _) => Rule::Suffix,
                        (_, true, _) => Rule::Prefix,
                        (_, _, true) => Rule::Alias,
                        _ => Rule::Exact,
                    };
                    return Some((place, rule));
                }
            }
        }
        forms.iter().find_map(|form| Some((self.pattern(told, form, start)?, Rule::Pattern)))
    }

    fn named(
        &self,
        told: Option<&str>,
        form: &Form<'_>,
        name: &str,
        start: UnixNanos,
    ) -> Option<(usize, bool)> {
        // Without a provider the name must lead to one.
        let sole = if told.is_none() && form.provider.is_none() { self.sole_seller(name) } else { None };
        self.sellers_of(told, form).chain(sole).chain(once(ANY_PROVIDER)).find_map(|provider| {
            let dated = self.providers.get(provider)?.names.get(name)?;
            Some((dated.at(start)?, dated.is_alias))
        })
    }

    fn pattern(&self, told: Option<&str>, form: &Form<'_>, start: UnixNanos) -> Option<usize> {
        self.sellers_of(told, form).chain(once(ANY_PROVIDER)).find_map(|provider| {
            let patterns = &self.providers.get(provider)?.patterns;
            let fitting = patterns.iter().filter(|(beginning, _)| form.name.starts_with(&**beginning));
            fitting.map(|(_, dated)| dated).find_map(|dated| dated.at(start))
        })
    }

    /// The providers whose prices may be meant: that which the call tells, other doors of the same vendor, and that which
    /// the model names, if the call tells none or its client is used for others too.
    fn sellers_of<'a>(&self, told: Option<&'a str>, form: &'a Form<'_>) -> impl Iterator<Item = &'a str> {
        let named = form.provider.as_deref().filter(|_| told.is_none_or(is_a_common_client));
        let and_doors = |provider: &'a str| once(provider).chain(other_doors(provider).iter().copied());
        told.into_iter().flat_map(and_doors).chain(named.into_iter().flat_map(and_doors))
    }

    /// The only one who has a price of this name, or the only maker of models who has.
    fn sole_seller(&self, name: &str) -> Option<&str> {
        let sellers = self.sellers.get(name)?;
        if let [sole] = &**sellers {
            return Some(sole);
        }
        let mut makers = sellers.iter().filter(|provider| is_a_maker(provider));
        makers.next().filter(|_| makers.next().is_none()).map(|maker| &**maker)
    }
}
