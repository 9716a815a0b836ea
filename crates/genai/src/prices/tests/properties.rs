//! What holds for every call and every price.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// Any counts that a call may tell; parts may contradict the whole.
fn usages() -> impl Strategy<Value = TokenUsage> {
    vec(prop::option::of(0_i64..300_000), 10).prop_map(|counts| TokenUsage {
        input: counts[0],
        output: counts[1].or(Some(3)),
        cache_read: counts[2],
        cache_creation: counts[3],
        cache_creation_1h: counts[4],
        reasoning: counts[5],
        input_audio: counts[6],
        output_audio: counts[7],
        input_image: counts[8],
        output_image: counts[9],
    })
}

/// Any price of the model `m`, with a rate for input and output.
fn prices() -> impl Strategy<Value = Price> {
    let rate = (
        0..Unit::ALL.len(),
        0..4_usize,
        prop::sample::select(vec![0_i64, 1000, 200_001]),
        0..100_000_000_000_i64,
    );
    (vec(rate, 0..12), 0..3_u64).prop_map(|(drawn, day)| {
        let mut rates: Vec<Rate> = Vec::new();
        let base = [(Unit::Input, 7), (Unit::Output, 11)].map(|(unit, price)| Rate {
            unit,
            service: ServiceTier::Standard,
            from: 0,
            price,
        });
        let drawn = drawn.into_iter().map(|(unit, service, from, price)| Rate {
            unit: Unit::ALL[unit],
            service: ServiceTier::ALL[service],
            from,
            price,
        });
        for rate in base.into_iter().chain(drawn) {
            let same = |other: &Rate| {
                (other.unit, other.service, other.from) == (rate.unit, rate.service, rate.from)
            };
            if !rates.iter().any(same) {
                rates.push(rate);
            }
        }
        let from = UnixNanos(day * 86_400_000_000_000);
        Price::new(None, "acme", "m", from, Currency::USD, rates, "drawn by lot").unwrap()
    })
}

const DURATION: Option<i64> = Some(1_234_567_891);

proptest! {
    #[test]
    fn the_lines_of_an_explanation_add_up_to_the_cost(price in prices(), usage in usages(), tier in 0..4_usize) {
        let mut reading = call("acme", "m", usage);
        reading.service_tier = Some(ServiceTier::ALL[tier].name().into());
        let book = PriceBook::new(vec![price]);
        let explanation = book.explain(PROJECT, &reading, START, DURATION).unwrap();
        prop_assert_eq!(explanation.lines.iter().map(|line| line.product).sum::<i128>(), explanation.exact);
        let off = i128::from(explanation.cost.amount) * EXACT - explanation.exact;
        prop_assert!((-EXACT / 2 < off) && (off <= EXACT / 2), "{}", off);
        prop_assert!(explanation.cost.amount >= 0);
        prop_assert_eq!(book.cost(PROJECT, &reading, START, DURATION), Ok(explanation.cost));
        // Each token is counted once.
        let counted = |units: &[Unit]| {
            let of = explanation.lines.iter().filter(|line| units.contains(&line.unit));
            of.map(|line| line.count).sum::<i64>()
        };
        let (input, output) = Unit::ALL.split_at(6);
        prop_assert_eq!(counted(input), usage.input.unwrap_or(0));
        prop_assert_eq!(counted(&output[..4]), usage.output.unwrap_or(0));
    }

    #[test]
    fn more_tokens_never_cost_less(price in prices(), usage in usages(), more in 0_i64..1000) {
        let book = PriceBook::new(vec![price]);
        let amount = |usage| book.explain(PROJECT, &call("acme", "m", usage), START, DURATION).unwrap();
        let first = amount(usage);
        let output = amount(TokenUsage { output: usage.output.map(|count| count + more), ..usage });
        prop_assert!(output.cost.amount >= first.cost.amount);
        // More input may reach a threshold, and no law says that rates rise there.
        let input = amount(TokenUsage { input: Some(usage.input.unwrap_or(0) + more), ..usage });
        let reached = |prompt: i64| [1000, 200_001].map(|from| prompt >= from);
        if reached(first.prompt) == reached(input.prompt) {
            prop_assert!(input.cost.amount >= first.cost.amount);
        }
    }

    #[test]
    fn the_order_of_prices_does_not_matter(
        (given, shuffled) in vec(prices(), 1..8).prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        usage in usages(),
        day in 0..4_u64,
    ) {
        let start = UnixNanos(day * 86_400_000_000_000);
        let reading = call("acme", "m", usage);
        let ask = |prices: Vec<Price>| PriceBook::new(prices).cost(PROJECT, &reading, start, DURATION);
        prop_assert_eq!(ask(given), ask(shuffled));
    }

    #[test]
    fn prices_survive_as_text(price in prices()) {
        prop_assert_eq!(parse(&write(&price), None), Ok(vec![price]));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "(?s).{0,200}", line in "[a-z*]{0,3}\t[a-z*é]{0,3}\t[-=0-9TZ:.]{0,12}\t[A-Z]{0,4}\t[a-z@>=.0-9 ]{0,20}") {
        let _ = parse(&text, None);
        let _ = parse(&line, None);
    }

    #[test]
    fn no_name_makes_the_search_panic(provider in "\\PC{0,12}", model in "[a-z0-9./:@é-]{0,40}") {
        let book = PriceBook::new(Vec::new());
        let _ = book.price_of(PROJECT, Some(&provider), Some(&model), Some("gpt-4o"), START);
        let _ = book.price_of(PROJECT, None, None, Some(&model), START);
    }
}
