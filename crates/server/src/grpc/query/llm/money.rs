//! Amounts of money as messages have them.

use llm_observatory_core::llm::Nanodollars;
use llm_observatory_proto::v1::Money;
use llm_observatory_query::llm::{Cost, Currency};

/// Digits behind the point of a billionth.
pub(super) const BILLIONTHS: usize = 9;
/// Digits behind the point of an exact product: those of a billionth, and those of its parts.
pub(super) const EXACT: usize = 24;
/// Digits that an amount has at least behind its point.
const CENTS: usize = 2;

/// A cost that was computed.
pub(super) fn cost(cost: &Cost) -> Money {
    money(cost.amount, cost.currency)
}

/// An amount of dollars.
pub(super) fn dollars(Nanodollars(nanos): Nanodollars) -> Money {
    money(nanos, Currency::USD)
}

fn money(nanos: i64, currency: Currency) -> Money {
    Money { nanos, currency: currency.to_string(), amount: decimal(nanos.into(), BILLIONTHS) }
}

/// A number of parts as a decimal number, with the digits that it needs, at least two behind its point. `digits` is how many
/// a part stands behind it.
pub(super) fn decimal(parts: i128, digits: usize) -> String {
    let shown = format!("{:0>width$}", parts.unsigned_abs(), width = digits + 1);
    let (whole, fraction) = shown.split_at(shown.len() - digits);
    let length = fraction.trim_end_matches('0').len().max(CENTS);
    format!("{}{whole}.{}", if parts < 0 { "-" } else { "" }, &fraction[..length])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_the_digits_that_they_need() {
        assert_eq!(decimal(0, BILLIONTHS), "0.00");
        assert_eq!(decimal(2_500_000_000, BILLIONTHS), "2.50");
        assert_eq!(decimal(-123_456, BILLIONTHS), "-0.000123456");
        assert_eq!(decimal(i64::MAX.into(), BILLIONTHS), "9223372036.854775807");
        assert_eq!(decimal(1, EXACT), "0.000000000000000000000001");
        assert_eq!(decimal(i128::MIN, EXACT), "-170141183460469.231731687303715884105728");
    }

    #[test]
    fn exact_amounts_are_parts_of_a_billionth() {
        let exact = usize::try_from(llm_observatory_query::llm::EXACT.ilog10()).unwrap();
        assert_eq!(BILLIONTHS + exact, EXACT);
    }
}
