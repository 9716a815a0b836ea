//! The cost of a call: counts times rates.

use super::book::Match;
use super::price::{Currency, Rate, ServiceTier, Unit};

/// What a call costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cost {
    /// Billionths of the currency.
    pub amount: i64,
    /// The currency.
    pub currency: Currency,
    /// Id of the price that it was computed with.
    pub price_id: i64,
}

/// Why there is no cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum NoCost {
    /// The call tells neither input nor output tokens.
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
    /// The price counts seconds, and the call did not end yet.
    #[error("the price counts seconds, and the call tells no end")]
    NoDuration,
    /// A count is below zero.
    #[error("the count of {0} is below zero")]
    Negative(Unit),
    /// The amount is more than can be held: over nine billion of the currency.
    #[error("the amount is too large")]
    TooLarge,
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
    /// The sum of the products, in millionths of a billionth of the currency.
    pub exact: i128,
    /// The sum, rounded to whole billionths, halves up.
    pub cost: Cost,
}

/// One product of a cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// What was counted.
    pub unit: Unit,
    /// How many. Seconds are counted in billionths.
    pub count: i64,
    /// The rate that was taken: its unit is another where the price has no rate for this one.
    pub rate: Rate,
    /// Count times rate, in millionths of a billionth of the currency.
    pub product: i128,
}
