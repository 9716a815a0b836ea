//! Prices as text: one price a line, which people can write and compare.
//!
//! Six columns between tabs: provider, model, the moment from which it holds (`-` for ever, `2026-01-31`, or
//! `2026-01-31T12:00:00Z`), currency, rates, source. A rate is `unit=price` for 1,000,000 units, with up to nine digits
//! behind the point; `unit@tier=price` for a tier of service; `unit>200000=price` for calls with more input tokens. Lines
//! that begin with `#` are comments. Here each gap stands for a tab:
//!
//! ```text
//! openai    gpt-4o    2024-08-06    USD    input=2.5 input@batch=1.25 cache_read=1.25 output=10    price list of my company
//! ```

use std::fmt::Write as _;

use llm_observatory_core::ids::ProjectId;

use super::moment;
use super::price::{Currency, Price, Rate, ServiceTier, Unit};

/// What is wrong with a text of prices, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {reason}")]
pub struct ParseError {
    /// The line, from 1.
    pub line: usize,
    /// The character of the line, from 1.
    pub column: usize,
    /// What is wrong.
    pub reason: String,
}

/// What a line says.
pub(super) enum Entry<'a> {
    Price(Price),
    /// Another name of a model of the same provider.
    Alias {
        provider: &'a str,
        alias: &'a str,
        model: &'a str,
    },
}

/// The prices in a text, for one project or all.
///
/// # Errors
/// The first line that is no price.
pub fn parse(text: &str, project: Option<ProjectId>) -> Result<Vec<Price>, ParseError> {
    entries(text, project)
        .map(|entry| match entry? {
            (_, Entry::Price(price)) => Ok(price),
            (line, Entry::Alias { provider, alias, .. }) => {
                let column = provider.chars().count() + alias.chars().count() + 3;
                Err(ParseError { line, column, reason: "only the catalogue has aliases".to_owned() })
            }
        })
        .collect()
}

/// The entries of a text, with the numbers of their lines.
pub(super) fn entries(
    text: &str,
    project: Option<ProjectId>,
) -> impl Iterator<Item = Result<(usize, Entry<'_>), ParseError>> {
    text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#')).map(
        move |(index, line)| match entry(line, project) {
            Ok(entry) => Ok((index + 1, entry)),
            Err((place, reason)) => {
                let column = line[..place].chars().count() + 1;
                Err(ParseError { line: index + 1, column, reason })
            }
        },
    )
}

/// Where in the line, in bytes, and what.
type Wrong = (usize, String);

fn entry(line: &str, project: Option<ProjectId>) -> Result<Entry<'_>, Wrong> {
    let mut columns = [""; 6];
    let mut starts = [line.len(); 6];
    let mut start = 0;
    for (index, column) in line.split('\t').enumerate() {
        if index == columns.len() {
            return Err((start, "more than six columns".to_owned()));
        }
        columns[index] = column;
        starts[index] = start;
        start += column.len() + 1;
    }
    let [provider, model, since, currency, rates, source] = columns;
    if since == "=" {
        if rates.is_empty() && !currency.is_empty() {
            return Ok(Entry::Alias { provider, alias: model, model: currency });
        }
        return Err((starts[3], "an alias names one model".to_owned()));
    }
    let count = line.split('\t').count();
    if count < 5 {
        let reason =
            format!("a price has five columns between tabs, or six with its source, and here are {count}");
        return Err((line.len(), reason));
    }
    let valid_from = moment::read(since).ok_or_else(|| {
        (starts[2], "a moment is -, or like 2026-01-31 or 2026-01-31T12:00:00Z, from 1970 on".to_owned())
    })?;
    let currency = Currency::of(currency)
        .ok_or_else(|| (starts[3], "a currency is three capital letters, like USD".to_owned()))?;
    let rates = rates_of(rates).map_err(|(at, reason)| (starts[4] + at, reason))?;
    Price::new(project, provider, model, valid_from, currency, rates, source)
        .map(Entry::Price)
        .map_err(|error| (starts[error.column()], error.to_string()))
}

/// The rates in the fifth column of a line.
///
/// # Errors
/// The first word that is no rate.
pub fn parse_rates(text: &str) -> Result<Vec<Rate>, ParseError> {
    rates_of(text).map_err(|(place, reason)| {
        let column = text[..place].chars().count() + 1;
        ParseError { line: 1, column, reason }
    })
}

fn rates_of(text: &str) -> Result<Vec<Rate>, Wrong> {
    let mut rates = Vec::new();
    let mut place = 0;
    for word in text.split(' ') {
        if !word.is_empty() {
            rates.push(rate(word).map_err(|(at, reason)| (place + at, reason))?);
        }
        place += word.len() + 1;
    }
    Ok(rates)
}

/// `unit@tier>threshold=price`
fn rate(text: &str) -> Result<Rate, Wrong> {
    let (key, price) =
        text.split_once('=').ok_or_else(|| (0, "a rate is a unit, =, and a price".to_owned()))?;
    let (key_of_unit, from) = match key.split_once('>') {
        None => (key, 0),
        Some((rest, above)) => {
            let from = above.parse::<i64>().ok().filter(|above| *above >= 0).and_then(|at| at.checked_add(1));
            (rest, from.ok_or_else(|| (rest.len() + 1, "a threshold is a count of tokens".to_owned()))?)
        }
    };
    let (unit, service) = match key_of_unit.split_once('@') {
        None => (key_of_unit, ServiceTier::Standard),
        Some((unit, tier)) => {
            let known = ServiceTier::of(tier);
            (unit, known.ok_or_else(|| (unit.len() + 1, format!("a tier is {}", names(ServiceTier::ALL))))?)
        }
    };
    let unit = Unit::of(unit).ok_or_else(|| (0, format!("a unit is {}", names(Unit::ALL))))?;
    let price = billionths(price)
        .ok_or_else(|| (key.len() + 1, "a price is digits, with up to nine behind the point".to_owned()))?;
    Ok(Rate { unit, service, from, price })
}

fn names(all: &[impl ToString]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// `1.25` as billionths.
fn billionths(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > 9 {
        return None;
    }
    let part: i64 = format!("{part:0<9}").parse().ok()?;
    whole.parse::<i64>().ok()?.checked_mul(1_000_000_000)?.checked_add(part)
}

/// A price as a line of text, without its line end. [`parse`] reads it back.
pub fn write(price: &Price) -> String {
    let mut line = format!("{}\t{}\t", price.provider, price.model);
    moment::write(&mut line, price.valid_from);
    let _ = write!(line, "\t{}\t", price.currency);
    line.push_str(&write_rates(&price.rates));
    let _ = write!(line, "\t{}", price.source);
    line
}

/// Rates as the fifth column of a line. [`parse_rates`] reads them back.
pub fn write_rates(rates: &[Rate]) -> String {
    let mut line = String::new();
    for (index, rate) in rates.iter().enumerate() {
        if index > 0 {
            line.push(' ');
        }
        line.push_str(rate.unit.name());
        if rate.service != ServiceTier::Standard {
            let _ = write!(line, "@{}", rate.service);
        }
        if rate.from > 0 {
            let _ = write!(line, ">{}", rate.from - 1);
        }
        let _ = write!(line, "={}", rate.price / 1_000_000_000);
        let part = format!("{:09}", rate.price % 1_000_000_000);
        if rate.price % 1_000_000_000 != 0 {
            let _ = write!(line, ".{}", part.trim_end_matches('0'));
        }
    }
    line
}
