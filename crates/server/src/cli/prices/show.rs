//! How prices are shown.

use llm_observatory_proto::v1::{Price, Rate};
use serde_json::{Value, json};

use crate::cli::query::show::{moment, nanos_of};
use crate::cli::table::Table;

/// From when a price is valid: `from 2025-09-29`, `from the beginning`.
pub(in crate::cli) fn since(price: &Price) -> String {
    format!("from {}", start(price).unwrap_or_else(|| "the beginning".to_owned()))
}

fn start(price: &Price) -> Option<String> {
    let start = moment(nanos_of(price.valid_from?));
    Some(start.strip_suffix(" 00:00:00.000").map(str::to_owned).unwrap_or(start))
}

/// A rate as `prices set` takes it: `input=2.50`, `input@batch=1.25`, `output>200000=22.50`.
fn rate(rate: &Rate) -> String {
    let tier =
        if rate.service_tier == "standard" { String::new() } else { format!("@{}", rate.service_tier) };
    let from = match rate.from_input_tokens {
        0 => String::new(),
        from => format!(">{}", from - 1),
    };
    format!("{}{tier}{from}={}", rate.unit, rate.amount_per_million)
}

/// A table with one price a row.
pub(super) fn table(prices: &[Price]) -> Table {
    let columns = ["provider", "model", "from (UTC)", "layer", "rates for a million", "currency", "source"];
    let mut table = Table::new(&columns).below("provider", &["model"]).below("from (UTC)", &["layer"]);
    for price in prices {
        table.row([
            price.provider.clone(),
            price.model.clone(),
            start(price).unwrap_or_default(),
            price.layer.clone(),
            price.rates.iter().map(rate).collect::<Vec<_>>().join(" "),
            price.currency.clone(),
            price.source.clone(),
        ]);
    }
    table
}

/// A table with one rate a row.
pub(super) fn rates(price: &Price) -> Table {
    let mut table = Table::new(&["unit", "tier", "from input tokens", "for a million"]);
    for rate in &price.rates {
        table.row([
            rate.unit.clone(),
            rate.service_tier.clone(),
            rate.from_input_tokens.to_string(),
            format!("{} {}", rate.amount_per_million, price.currency),
        ]);
    }
    table
}

/// A price as JSON.
pub(in crate::cli) fn price_json(price: &Price) -> Value {
    json!({
        "id": price.id,
        "provider": price.provider,
        "model": price.model,
        "currency": price.currency,
        "validFromUnixNano": price.valid_from.map(|start| nanos_of(start).to_string()),
        "source": price.source,
        "layer": price.layer,
        "rates": price.rates.iter().map(rate_json).collect::<Vec<_>>(),
    })
}

/// A rate as JSON.
pub(in crate::cli) fn rate_json(rate: &Rate) -> Value {
    json!({
        "unit": rate.unit,
        "serviceTier": rate.service_tier,
        "fromInputTokens": rate.from_input_tokens,
        "nanosPerMillion": rate.nanos_per_million.to_string(),
        "amountPerMillion": rate.amount_per_million,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_shown_as_it_can_be_set() {
        let usual = Rate {
            unit: "input".to_owned(),
            service_tier: "standard".to_owned(),
            amount_per_million: "2.50".to_owned(),
            ..Rate::default()
        };
        assert_eq!(rate(&usual), "input=2.50");
        let long = Rate { service_tier: "batch".to_owned(), from_input_tokens: 200_001, ..usual };
        assert_eq!(rate(&long), "input@batch>200000=2.50");
    }
}
