//! Amounts of US dollars that applications report.

use llm_observatory_core::attributes::Value;
use llm_observatory_core::llm::Nanodollars;

/// Decimal places of a dollar that are kept.
const PLACES: i32 = 9;

/// Longest text of an amount. Doubles near zero take some three hundred digits.
const MAX_DIGITS: usize = 400;

/// An amount of dollars: a decimal text is read exactly, a double by the shortest decimal that means it. Rounded once, half
/// away from zero, to billionths. `None` if it is no amount, negative, or does not fit.
pub(crate) fn dollars(value: &Value<'_>) -> Option<Nanodollars> {
    match value {
        Value::Int(dollars) => decimal(&dollars.to_string()),
        Value::Double(dollars) if dollars.is_finite() => decimal(&dollars.to_string()),
        Value::Str(text) => decimal(text.trim().trim_matches('"').trim()),
        _ => None,
    }
}

/// The sum of the amounts that are told; `None` if none is.
pub(crate) fn sum(amounts: &[Option<Nanodollars>]) -> Option<Nanodollars> {
    amounts.iter().flatten().map(|amount| amount.0).reduce(i64::saturating_add).map(Nanodollars)
}

fn decimal(text: &str) -> Option<Nanodollars> {
    let text = text.strip_prefix('+').unwrap_or(text);
    let text = text.strip_prefix('$').unwrap_or(text);
    if text.len() > MAX_DIGITS {
        return None;
    }
    let (digits, exponent) = match text.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse::<i16>().ok()?),
        None => (text, 0),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && part.is_empty() {
        return None;
    }
    let part_digits = i32::try_from(part.len()).ok()?;
    // Digit i counts 10^(shift - 1 - i) billionths.
    let shift = i32::try_from(whole.len()).ok()? + i32::from(exponent) + PLACES;
    let total = i32::try_from(whole.len()).ok()? + part_digits;
    let mut nanos: i64 = 0;
    let mut round_up = false;
    for (place, digit) in (0..).zip(whole.bytes().chain(part.bytes())) {
        let digit = i64::from(digit.checked_sub(b'0').filter(|digit| *digit <= 9)?);
        if place < shift {
            nanos = nanos.checked_mul(10)?.checked_add(digit)?;
        } else if place == shift {
            round_up = digit >= 5;
        }
    }
    for _ in total..shift.max(total) {
        if nanos == 0 {
            break;
        }
        nanos = nanos.checked_mul(10)?;
    }
    nanos.checked_add(i64::from(round_up)).map(Nanodollars)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_are_read_without_drift() {
        for (text, nanos) in [
            ("0.000123", 123_000),
            ("1.1", 1_100_000_000),
            ("0", 0),
            ("0.0", 0),
            (".5", 500_000_000),
            ("1.2e-05", 12_000),
            ("1E-9", 1),
            ("1.5E2", 150_000_000_000),
            ("0.0000000005", 1),
            ("0.00000000049", 0),
            ("5e-20", 0),
            ("$0.25", 250_000_000),
        ] {
            assert_eq!(dollars(&Value::from(text)), Some(Nanodollars(nanos)), "{text}");
        }
        assert_eq!(dollars(&Value::from(0.1 + 0.2)), Some(Nanodollars(300_000_000)));
        assert_eq!(dollars(&Value::from(4.35e-5)), Some(Nanodollars(43_500)));
        assert_eq!(dollars(&Value::from(3)), Some(Nanodollars(3_000_000_000)));
    }

    #[test]
    fn what_is_no_amount_is_nothing() {
        for text in ["", ".", "-1", "free", "1e", "1,5", "1e400", "99999999999999", "NaN", "0x10", "e5"] {
            assert_eq!(dollars(&Value::from(text)), None, "{text}");
        }
        assert_eq!(dollars(&Value::from(f64::NAN)), None);
        assert_eq!(dollars(&Value::from(-0.5)), None);
    }

    proptest! {
        #[test]
        fn every_billionth_is_read_back(nanos in 0..i64::MAX) {
            let text = Nanodollars(nanos).to_string();
            prop_assert_eq!(dollars(&Value::from(text)), Some(Nanodollars(nanos)));
        }

        #[test]
        fn any_text_is_read_or_not(text in "\\PC{0,40}") {
            let _ = dollars(&Value::from(text));
        }
    }
}
