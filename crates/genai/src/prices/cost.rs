//! The cost of a call: counts times rates.

use llm_observatory_core::llm::{LlmReading, TokenUsage};

use super::found::Match;
use super::price::{Currency, Price, Rate, ServiceTier, Unit};

/// What a call costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cost {
    /// Billionths of the currency, rounded once, at the end of the sum; halves up.
    pub amount: i64,
    /// The currency.
    pub currency: Currency,
    /// Id of the price that it was computed with.
    pub price_id: i64,
}

/// Why there is no cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum NoCost {
    /// The call tells neither input nor output tokens; or it failed, and its price counts calls.
    #[error("the call tells no usage")]
    NoUsage,
    /// The call names no model.
    #[error("the call names no model")]
    NoModel,
    /// No price is known for its model.
    #[error("no price is known for the model")]
    NoPrice,
    /// The price has no rate for a unit that the call used.
    #[error("the price has no rate for {0}")]
    NoRate(Unit),
    /// The price counts seconds, and the call tells no duration.
    #[error("the price counts seconds, and the call tells no duration")]
    NoDuration,
    /// A count is below zero.
    #[error("the count of {0} is below zero")]
    Negative(Unit),
    /// The amount is more than can be held: over nine billion of the currency.
    #[error("the amount is too large")]
    TooLarge,
}

impl NoCost {
    /// The reason as one word, for counters and the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoUsage => "no_usage",
            Self::NoModel => "no_model",
            Self::NoPrice => "no_price",
            Self::NoRate(_) => "no_rate",
            Self::NoDuration => "no_duration",
            Self::Negative(_) => "negative",
            Self::TooLarge => "too_large",
        }
    }
}

/// How a cost came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation<'a> {
    /// The price, and how it was found.
    pub found: Match<'a>,
    /// The tier of service of the call.
    pub service: ServiceTier,
    /// Input tokens of the call, cached ones included: they decide the threshold of each rate.
    pub prompt: i64,
    /// What was counted, each with its rate; counts of zero are left out.
    pub lines: Vec<Line>,
    /// The sum of the products, in [`EXACT`] parts of a billionth of the currency.
    pub exact: i128,
    /// The sum, rounded.
    pub cost: Cost,
}

/// One product of a cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// What was counted.
    pub unit: Unit,
    /// How many. Seconds are counted in billionths.
    pub count: i64,
    /// The rate that was taken. Its unit or its tier is another where the price has none for this unit in this tier.
    pub rate: Rate,
    /// Count times rate, in [`EXACT`] parts of a billionth of the currency.
    pub product: i128,
}

/// How many parts of a billionth exact amounts are counted in: rates are for a million units, and seconds are counted in
/// billionths.
pub const EXACT: i128 = 1_000_000_000_000_000;

const NANOS_PER_SECOND: i128 = 1_000_000_000;

/// How the cost of a call comes about.
pub(super) fn explain<'a>(
    found: Match<'a>,
    reading: &LlmReading,
    duration: Option<i64>,
) -> Result<Explanation<'a>, NoCost> {
    let mut lines = Vec::new();
    let (exact, cost) = sum(found.price, reading, duration, |line| lines.push(line))?;
    Ok(Explanation { found, service: service(reading), prompt: prompt(&reading.usage), lines, exact, cost })
}

/// The sum of all that a price counts, exact and rounded. `each` sees the products.
pub(super) fn sum(
    price: &Price,
    reading: &LlmReading,
    duration: Option<i64>,
    mut each: impl FnMut(Line),
) -> Result<(i128, Cost), NoCost> {
    let (service, prompt) = (service(reading), prompt(&reading.usage));
    let mut exact: i128 = 0;
    let mut add = |unit: Unit, count: i64, scale: i128| {
        if count < 0 {
            return Err(NoCost::Negative(unit));
        }
        if count == 0 {
            return Ok(());
        }
        let rate = rate_of(price, unit, service, prompt).ok_or(NoCost::NoRate(unit))?;
        let product =
            (i128::from(count) * i128::from(rate.price)).checked_mul(scale).ok_or(NoCost::TooLarge)?;
        exact = exact.checked_add(product).ok_or(NoCost::TooLarge)?;
        each(Line { unit, count, rate, product });
        Ok(())
    };
    let counts = |unit| rate_of(price, unit, service, prompt).is_some();
    if price.rates.iter().any(|rate| rate.unit.is_token()) {
        if !reading.usage.is_told() {
            return Err(NoCost::NoUsage);
        }
        for (unit, count) in parts(&reading.usage)? {
            add(unit, count, NANOS_PER_SECOND)?;
        }
    } else if reading.error_type.is_some() {
        // Nobody knows whether a call that failed is billed, and no count of tokens says so.
        return Err(NoCost::NoUsage);
    }
    if counts(Unit::Request) {
        add(Unit::Request, 1, NANOS_PER_SECOND)?;
    }
    if counts(Unit::Second) {
        add(Unit::Second, duration.ok_or(NoCost::NoDuration)?, 1)?;
    }
    let rounded = exact.checked_add(EXACT / 2).ok_or(NoCost::TooLarge)? / EXACT;
    let amount = i64::try_from(rounded).map_err(|_| NoCost::TooLarge)?;
    Ok((exact, Cost { amount, currency: price.currency, price_id: price.id() }))
}

fn service(reading: &LlmReading) -> ServiceTier {
    ServiceTier::of_reading(reading.service_tier.as_deref())
}

fn prompt(usage: &TokenUsage) -> i64 {
    usage.input.unwrap_or(0)
}

/// The tokens by what they are billed as: each token once. A part is at most what the parts before it left of the whole;
/// cached audio, say, is told as cached and as audio, and counts as cached.
fn parts(usage: &TokenUsage) -> Result<[(Unit, i64); 10], NoCost> {
    let told = |unit, count: Option<i64>| match count {
        Some(count) if count < 0 => Err(NoCost::Negative(unit)),
        count => Ok(count.unwrap_or(0)),
    };
    let mut input = told(Unit::Input, usage.input)?;
    let mut output = told(Unit::Output, usage.output)?;
    let take = |rest: &mut i64, count: i64| {
        let part = count.min(*rest);
        *rest -= part;
        part
    };
    let cache_read = take(&mut input, told(Unit::CacheRead, usage.cache_read)?);
    let for_an_hour = told(Unit::CacheCreation1h, usage.cache_creation_1h)?;
    let written = told(Unit::CacheCreation5m, usage.cache_creation)?.max(for_an_hour);
    let mut written = take(&mut input, written);
    let for_an_hour = take(&mut written, for_an_hour);
    let input_audio = take(&mut input, told(Unit::InputAudio, usage.input_audio)?);
    let input_image = take(&mut input, told(Unit::InputImage, usage.input_image)?);
    let reasoning = take(&mut output, told(Unit::Reasoning, usage.reasoning)?);
    let output_audio = take(&mut output, told(Unit::OutputAudio, usage.output_audio)?);
    let output_image = take(&mut output, told(Unit::OutputImage, usage.output_image)?);
    Ok([
        (Unit::Input, input),
        (Unit::CacheRead, cache_read),
        (Unit::CacheCreation5m, written),
        (Unit::CacheCreation1h, for_an_hour),
        (Unit::InputAudio, input_audio),
        (Unit::InputImage, input_image),
        (Unit::Output, output),
        (Unit::Reasoning, reasoning),
        (Unit::OutputAudio, output_audio),
        (Unit::OutputImage, output_image),
    ])
}

/// The rate of a unit: of the tier of service, else of the usual tier (providers list a tier only where it differs); of the
/// highest threshold that the prompt reaches. If the unit has none, that of the unit that it falls back to.
fn rate_of(price: &Price, unit: Unit, service: ServiceTier, prompt: i64) -> Option<Rate> {
    let of = |unit, service| {
        // Rates are sorted, so the last one has the highest threshold.
        price
            .rates
            .iter()
            .rev()
            .find(|rate| rate.unit == unit && rate.service == service && rate.from <= prompt)
            .copied()
    };
    std::iter::successors(Some(unit), |unit| unit.fallback())
        .find_map(|unit| of(unit, service).or_else(|| of(unit, ServiceTier::Standard)))
}
